"""Addresses: folders, indices, stores, secrets, and what is not installed."""

import json
import sys

import fsspec
import numpy as np
import pytest
from loopback import Served
from remote_files import safetensors

from htsr_ref import Report, analyze, open_weights
from htsr_ref.errors import ChangedWeightsError, WeightFileError
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.named import name_weights

FC = np.random.default_rng(2).normal(size=(60, 40)).astype(np.float32)
HEAD = np.random.default_rng(3).normal(size=(50, 60)).astype(np.float32)
PARTS = {f"model-{i:05}-of-00002.safetensors": i for i in (1, 2)}


def model():
    """A model of two parts, its index and its configuration, as files by name."""
    first, second = PARTS
    return {
        first: safetensors({"fc.weight": FC}),
        second: safetensors({"head.weight": HEAD}),
        "model.safetensors.index.json": json.dumps(
            {"weight_map": {"fc.weight": first, "head.weight": second}}
        ).encode(),
        "config.json": json.dumps({"model_type": "opt", "hidden_size": 60}).encode(),
    }


@pytest.fixture
def here(tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for name, content in model().items():
        (folder / name).write_bytes(content)
    return folder


@pytest.fixture
def memory():
    system = fsspec.filesystem("memory")
    yield system
    system.rm("/", recursive=True) if system.ls("/") else None


def serve(server, folder):
    for name, content in model().items():
        server.files[f"{folder}/{name}"] = Served.of(content, f'"{name}"')


@pytest.mark.spec("FMT-29", "FMT-30", "FMT-32")
@pytest.mark.parametrize(
    ("folder", "address"),
    [
        ("/org/model/resolve/main", "hf://org/model"),
        ("/org/model/resolve/v1.0", "hf://org/model@v1.0"),
        ("/org/model/resolve/main/unet", "hf://org/model/unet"),
        ("/a%20b", "{url}/a b/"),
        ("/m", "{url}/m/?token=1"),
        ("/m", "{url}/m/model.safetensors.index.json"),
    ],
)
def test_a_folder_over_http_is_the_folder_here(server, here, folder, address):
    serve(server, folder)
    address = address.format(url=server.url)
    far, near = analyze(address), analyze(here)
    assert far.layers == near.layers
    assert far.model == near.model
    assert (far.source.format, far.source.sha256) == ("safetensors-sharded", None)
    assert len(far.source.etag) == 64
    assert Report.from_json(far.to_json()) == far


@pytest.mark.spec("FMT-29", "FMT-32")
def test_a_folder_in_a_store_is_the_folder_here(memory, here):
    for name, content in model().items():
        memory.pipe(f"/bucket/model/{name}", content)
    far, near = analyze("memory://bucket/model"), analyze(here)
    assert far.layers == near.layers
    single = analyze("memory://bucket/model/model.safetensors.index.json")
    assert single.layers == near.layers
    assert far.source.etag == single.source.etag


@pytest.mark.spec("FMT-32")
def test_a_file_in_a_store_that_is_written_again_is_another(memory):
    pad = safetensors({"other.weight": np.zeros((200, 200)), "fc.weight": FC})
    memory.pipe("/m.safetensors", pad)
    weights = open_weights("memory://m.safetensors")
    np.testing.assert_array_equal(weights.layers[1].data[...], FC)
    memory.pipe("/m.safetensors", pad)
    with pytest.raises(ChangedWeightsError, match=r"memory://m.safetensors: it has changed"):
        weights.layers[1].data[...]


@pytest.mark.spec("FMT-29")
def test_what_is_not_in_a_store(memory):
    with pytest.raises(WeightFileError, match=r"no such file.*Check the address"):
        open_weights("memory://bucket/m.safetensors")


@pytest.mark.spec("FMT-30")
def test_a_folder_without_weights(server):
    with pytest.raises(WeightFileError, match="has no safetensors file"):
        open_weights(server.url + "/m/")


@pytest.mark.spec("FMT-9", "FMT-30")
def test_an_index_names_files_in_its_folder_only(server):
    for name in ("../secret.safetensors", "http://127.0.0.1/x.safetensors", ".."):
        index = json.dumps({"weight_map": {"fc.weight": name}}).encode()
        server.files["/m/model.safetensors.index.json"] = Served.of(index)
        with pytest.raises(WeightFileError, match="not a file in its folder"):
            open_weights(server.url + "/m/")


@pytest.mark.spec("FMT-30")
def test_a_part_without_the_others_names_them(server):
    serve(server, "/m")
    with pytest.raises(WeightFileError, match="one of 2 parts"):
        open_weights(f"{server.url}/m/{next(iter(PARTS))}")


@pytest.mark.spec("FMT-30")
def test_a_neighbor_that_is_refused_counts_as_not_there(server):
    server.files["/m.safetensors"] = Served.of(safetensors({"fc.weight": FC}))
    server.files["/config.json"] = Served.of(b"{}")
    server.faults = [None, 403]
    assert open_weights(server.url + "/m.safetensors").layers[0].shape == FC.shape
    assert server.of("/config.json")[0].status == 403


@pytest.mark.spec("FMT-29")
def test_the_hub_gets_the_token_and_other_servers_do_not(server, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    content = Served.of(safetensors({"fc.weight": FC}))
    server.files["/org/model/resolve/main/model.safetensors"] = content
    server.files["/m.safetensors"] = content
    open_weights("hf://org/model/model.safetensors")
    assert {request.headers["Authorization"] for request in server.requests} == {"Bearer hf_secret"}
    server.requests.clear()
    open_weights(server.url + "/m.safetensors")
    assert not any("Authorization" in request.headers for request in server.requests)


@pytest.mark.spec("FMT-34")
def test_secrets_are_sent_and_never_shown(server, htsr, tmp_path):
    server.files["/m.safetensors"] = Served.of(safetensors({"fc.weight": FC}))
    url = server.url.replace("//", "//me:password@") + "/m.safetensors?signature=s%2Fecret"
    out = tmp_path / "ranking.json"
    missing = url.replace("m.safe", "none.safe")
    shown = [
        htsr("analyze", url, "--json"),
        htsr("describe", url),
        htsr("validate", url),
        htsr("spectrum", url, "nothing"),
        htsr("rank", url, missing, "-o", out),
        htsr("analyze", missing),
    ]
    text = "".join(outcome.out + outcome.err for outcome in shown) + out.read_text()
    assert "none.safetensors" in text
    assert not [word for word in ("password", "ecret", "me:") if word in text]
    request = server.requests[0]
    assert request.headers["Authorization"].startswith("Basic ")
    assert "signature=s%2Fecret" in server.paths()[0]


@pytest.mark.spec("FMT-29", "SCL-12")
def test_other_processes_are_told_the_address(server):
    server.files["/m.safetensors"] = Served.of(safetensors({"fc.weight": FC}))
    url = server.url + "/m.safetensors?signature=1"
    named = name_weights(url, None, ["fc"], None, None, None)
    assert named.source == url
    np.testing.assert_array_equal(named.open().layers[0].data[...], FC)


@pytest.mark.spec("FMT-34")
def test_an_address_that_cannot_be_combined_is_shown_without_secrets():
    url = "https://me:password@host/m.safetensors?signature=1"
    with pytest.raises(WeightFileError, match=r"^https://host/m\.safetensors: a model cannot be"):
        asked_weights(url, minus=url, base=url)


@pytest.mark.spec("FMT-34")
def test_a_page_of_two_files_of_one_name_shows_no_secrets(server, htsr):
    places = ["/a/m.safetensors", "/b/m.safetensors"]
    for place in places:
        server.files[place] = Served.of(safetensors({"fc.weight": FC}))
    host = server.url.replace("//", "//me:password@")
    outcome = htsr("report", *(f"{host}{place}?signature=s%2Fecret" for place in places))
    assert outcome.code == 0
    assert all(f"<bdi>{server.url}{place}</bdi>" in outcome.out for place in places)
    assert not [word for word in ("password", "ecret", "signature") if word in outcome.out]


@pytest.mark.spec("FMT-29")
@pytest.mark.parametrize(
    ("address", "command"),
    [
        ("hf://org/model", "pip install 'htsr-ref[remote]'"),
        ("https://host/m.safetensors", "pip install 'htsr-ref[remote]'"),
        ("s3://bucket/m.safetensors", "pip install 'htsr-ref[remote]' s3fs"),
    ],
)
def test_missing_packages_are_named_with_the_command(monkeypatch, htsr, address, command):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    outcome = htsr("describe", address)
    assert outcome.code == 2
    (line,) = outcome.err.splitlines()
    assert line.endswith(command)


@pytest.mark.spec("FMT-29")
@pytest.mark.parametrize("command", ["analyze", "describe", "validate", "rank", "diff", "convert"])
def test_every_command_takes_an_address(server, htsr, tmp_path, command):
    server.files["/m.safetensors"] = Served.of(safetensors({"fc.weight": FC}))
    url = server.url + "/m.safetensors"
    more = {"diff": [url], "convert": ["-o", tmp_path / "m.h5"]}.get(command, [])
    outcome = htsr(command, url, *more)
    assert outcome.code == 0, outcome.err
