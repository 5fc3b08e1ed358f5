"""Servers that fail, lie or change their mind."""

import gzip

import numpy as np
import pytest
from loopback import Served
from remote_files import large, safetensors

from htsr_ref import open_weights
from htsr_ref.errors import ChangedWeightsError, LayerError, WeightFileError
from htsr_ref.weights.remote.remote_path import HEAD, WAITS

FC = np.random.default_rng(1).normal(size=(200, 100)).astype(np.float32)
PATH = "/m.safetensors"
OTHER = {"other.weight": (200, 200)}


@pytest.fixture
def url(server):
    server.files[PATH] = large("fc.weight", FC, OTHER)
    return server.url + PATH


def last(url):
    return open_weights(url).layers[1].data


@pytest.mark.spec("FMT-33")
@pytest.mark.parametrize("fault", [429, 500, 503, 408, "cut"])
def test_a_failure_that_passes_is_waited_for(server, url, waits, fault):
    server.faults = [fault, fault]
    data = last(url)
    server.faults = [fault]
    np.testing.assert_array_equal(data[...], FC)
    asked = fault != "cut"
    assert waits == ([7.0] * 3 if asked else [WAITS[0], WAITS[1], WAITS[0]])


@pytest.mark.spec("FMT-33")
def test_one_that_does_not_pass_is_an_error_of_the_file(server, url, waits):
    server.faults = ["cut"] * (len(WAITS) + 1)
    with pytest.raises(WeightFileError, match=r"the connection broke .* 5 times.*Try again"):
        open_weights(url)
    assert waits == list(WAITS)


@pytest.mark.spec("FMT-33")
def test_and_of_the_layer_later(server, url, waits):
    data = last(url)
    server.faults = [503] * (len(WAITS) + 1)
    with pytest.raises(LayerError, match="server answered 503, 5 times"):
        data[...]


@pytest.mark.spec("FMT-33")
@pytest.mark.parametrize(
    ("status", "words"), [(404, "Check the address"), (403, "your rights"), (400, "answered 400")]
)
def test_a_refusal_is_not_asked_again(server, url, waits, status, words):
    server.faults = [status]
    with pytest.raises(WeightFileError, match=words):
        open_weights(url)
    assert len(server.requests) == 1
    assert waits == []


@pytest.mark.spec("FMT-33")
def test_nobody_listens(server, waits):
    with pytest.raises(WeightFileError, match="the connection broke"):
        open_weights("http://127.0.0.1:1/m.safetensors")
    assert waits == list(WAITS)


@pytest.mark.spec("FMT-32", "FMT-13")
def test_another_entity_tag_during_the_run_ends_the_command(server, url, htsr, monkeypatch):
    def read(start, stop, old=server.files[PATH].read):
        server.files[PATH].etag = '"two"'
        return old(start, stop)

    server.files[PATH].read = read
    outcome = htsr("analyze", url)
    assert outcome.code == 2
    assert outcome.out == ""
    (line,) = outcome.err.splitlines()
    assert "has changed since it was opened" in line


@pytest.mark.spec("FMT-32")
@pytest.mark.parametrize("size", [HEAD + 1, HEAD + 160_001, 300_000])
def test_another_size_is_another_version(server, url, size):
    data = last(url)
    server.files[PATH].size = size
    with pytest.raises(ChangedWeightsError):
        data[...]


@pytest.mark.spec("FMT-32")
def test_without_a_tag_the_time_counts(server, url):
    server.files[PATH].etag = None
    server.extra = {"Last-Modified": "Mon, 01 Jan 2024 00:00:00 GMT"}
    weights = open_weights(url)
    assert weights.etag() == f"{server.files[PATH].size} Mon, 01 Jan 2024 00:00:00 GMT"
    server.extra = {"Last-Modified": "Tue, 02 Jan 2024 00:00:00 GMT"}
    with pytest.raises(ChangedWeightsError):
        weights.layers[1].data.load()


@pytest.mark.spec("FMT-31")
@pytest.mark.parametrize("states_length", [True, False])
def test_a_server_that_ignores_ranges_sends_small_files_whole(server, url, states_length):
    server.ignores_ranges, server.states_length = True, states_length
    np.testing.assert_array_equal(last(url)[...], FC)
    assert len(server.of(PATH)) == 1


@pytest.mark.spec("FMT-31")
@pytest.mark.parametrize("states_length", [True, False])
def test_and_large_ones_not_at_all(server, states_length):
    server.files[PATH] = large("fc.weight", FC, {"other.weight": (8192, 8192)})
    server.ignores_ranges, server.states_length = True, states_length
    with pytest.raises(WeightFileError, match=r"ignores ranges of bytes.*download it"):
        open_weights(server.url + PATH)
    assert server.files[PATH].size > 2**28


@pytest.mark.spec("FMT-31")
def test_a_server_that_begins_to_ignore_them(server, url):
    data = last(url)
    server.ignores_ranges = True
    with pytest.raises(LayerError, match="ignores ranges"):
        data[...]


@pytest.mark.spec("FMT-31")
def test_a_compressed_answer_is_refused(server):
    server.files[PATH] = Served.of(gzip.compress(safetensors({"fc.weight": FC})))
    server.extra = {"Content-Encoding": "gzip"}
    with pytest.raises(WeightFileError, match="compresses"):
        open_weights(server.url + PATH)


@pytest.mark.spec("FMT-31")
@pytest.mark.parametrize("range_", ["bytes 1-65536/300000", "bytes 0-9/300000", "lines 0-9/10", ""])
def test_other_bytes_than_those_asked_for_are_refused(server, url, range_, monkeypatch):
    import loopback

    old = loopback._Handler.send_header
    monkeypatch.setattr(
        loopback._Handler,
        "send_header",
        lambda self, name, value: old(self, name, range_ if name == "Content-Range" else value),
    )
    with pytest.raises(WeightFileError, match=r"its server (sends other bytes|does not say which)"):
        open_weights(url)


@pytest.mark.spec("FMT-29")
@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html>", "a web page"),
        (b"", "it is empty"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
        (b"\x93NUMPY" + bytes(100), "not a safetensors file. Download it first"),
        (b"PK\x03\x04" + bytes(100), "not a safetensors file. Download it first"),
        (safetensors({"fc.weight": FC})[:-1], "but the file holds"),
    ],
)
def test_what_is_not_safetensors_is_refused(server, content, words):
    server.files[PATH] = Served.of(content)
    with pytest.raises(WeightFileError, match=words):
        open_weights(server.url + PATH)
