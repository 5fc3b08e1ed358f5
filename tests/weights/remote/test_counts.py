"""Bytes and requests, as the server counts them."""

import numpy as np
import pytest
from loopback import Served
from remote_files import large, safetensors

from htsr_ref import analyze, open_weights
from htsr_ref.weights import select
from htsr_ref.weights.remote.remote_path import HEAD

OTHERS = {f"layers.{i}.weight": (4096, 4096) for i in range(32)}
NEIGHBORS = 5
"""JSON files that may lie beside weights (FMT-20)."""


@pytest.fixture
def fc():
    return np.random.default_rng(0).normal(size=(256, 128)).astype(np.float32)


@pytest.mark.spec("FMT-29", "FMT-31", "FMT-13")
def test_a_description_of_two_gigabytes_costs_one_request_of_the_weights(server, htsr, fc):
    server.files["/m.safetensors"] = large("fc.weight", fc, OTHERS)
    assert server.files["/m.safetensors"].size > 2**31
    outcome = htsr("describe", server.url + "/m.safetensors")
    assert outcome.code == 0, outcome.err
    assert [request.range for request in server.of("/m.safetensors")] == [(0, HEAD)]
    assert server.sent("/m.safetensors") == HEAD
    assert len(server.requests) == 1 + NEIGHBORS


@pytest.mark.spec("FMT-29", "FMT-31")
def test_one_layer_of_two_gigabytes_costs_its_own_bytes(server, htsr, fc, tmp_path):
    server.files["/m.safetensors"] = large("fc.weight", fc, OTHERS)
    out = tmp_path / "report.json"
    url = server.url + "/m.safetensors"
    outcome = htsr("analyze", url, "--include", "fc", "-o", out)
    assert outcome.code == 0, outcome.err
    assert server.sent("/m.safetensors") == HEAD + fc.nbytes
    assert len(server.of("/m.safetensors")) == 2
    here = analyze({"fc.weight": fc})
    from htsr_ref import Report

    found = Report.load(out)
    assert found.analyzed()[0].matrices == here.analyzed()[0].matrices
    assert (found.source.name, found.source.sha256) == ("m.safetensors", None)
    assert found.source.etag == '"one"'


@pytest.mark.spec("FMT-31")
@pytest.mark.parametrize(("pad", "requests"), [(0, 1), (HEAD, 2)])
def test_a_header_costs_two_requests_at_most(server, fc, pad, requests):
    server.files["/m.safetensors"] = Served.of(safetensors({"fc.weight": fc}, pad=pad))
    weights = open_weights(server.url + "/m.safetensors")
    assert len(server.of("/m.safetensors")) == requests
    np.testing.assert_array_equal(weights.layers[0].data[...], fc)


@pytest.mark.spec("FMT-31")
def test_a_large_tensor_comes_in_pieces(server, fc, monkeypatch):
    monkeypatch.setattr("htsr_ref.weights.remote.remote_path.PIECE", 50_000)
    server.files["/m.safetensors"] = large("fc.weight", fc, {"other.weight": (200, 200)})
    weights = select(open_weights(server.url + "/m.safetensors"), ["fc"], None)
    np.testing.assert_array_equal(weights.layers[1].data[...], fc)
    spans = [stop - start for start, stop in (r.range for r in server.of("/m.safetensors")[1:])]
    assert spans == [50_000, 50_000, fc.nbytes - 100_000]


@pytest.mark.spec("FMT-31")
def test_only_the_rows_asked_for_are_read(server, fc):
    server.files["/m.safetensors"] = large("fc.weight", fc, {"other.weight": (200, 200)})
    data = open_weights(server.url + "/m.safetensors").layers[1].data
    np.testing.assert_array_equal(data[10:12], fc[10:12])
    assert server.sent("/m.safetensors") == HEAD + 2 * 4 * 128


@pytest.mark.spec("SCL-28")
def test_layers_whose_spectra_are_kept_are_not_downloaded_again(server, htsr, tmp_path):
    rng = np.random.default_rng(1)
    wide = rng.standard_normal((300, 3, 256), dtype=np.float32)
    arrays = {"pad": np.zeros(HEAD, np.uint8), "conv.weight": wide.transpose(0, 2, 1)}
    arrays["fc.weight"] = rng.standard_normal((260, 256), dtype=np.float32)
    arrays["small.weight"] = rng.standard_normal((120, 60), dtype=np.float32)
    content = safetensors(arrays)

    def asked(tag):
        server.files["/m.safetensors"] = Served.of(content, etag=tag)
        before = server.sent("/m.safetensors")
        url = server.url + "/m.safetensors"
        outcome = htsr("analyze", url, "--json", "--cache", tmp_path / "kept")
        assert outcome.code == 0, outcome.err
        return outcome.out.replace(tag.replace('"', '\\"'), ""), server.sent(
            "/m.safetensors"
        ) - before

    first, all_bytes = asked('"one"')
    assert all_bytes > arrays["conv.weight"].nbytes
    again, few_bytes = asked('"one"')
    assert again == first
    assert few_bytes == HEAD + arrays["small.weight"].nbytes
    for tag in ('"two"', 'W/"one"'):
        assert asked(tag) == (first, all_bytes)
    kept = next((tmp_path / "kept").rglob("*.spectrum"))
    kept.write_bytes(bytes(kept.stat().st_size))
    repaired, _ = asked('"one"')
    assert repaired == first
