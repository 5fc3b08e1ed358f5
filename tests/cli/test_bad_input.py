"""Files that cannot be read: one line on standard error, exit code 2, whatever the command."""

import json
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from commands import tensors
from safetensors.numpy import save_file


def truncated(path: Path) -> Path:
    save_file(tensors(), path)
    path.write_bytes(path.read_bytes()[:-1])
    return path


def header(path: Path, entries: object, data: bytes = bytes(16), length: int | None = None) -> Path:
    text = entries if isinstance(entries, bytes) else json.dumps(entries).encode()
    path.write_bytes((len(text) if length is None else length).to_bytes(8, "little") + text + data)
    return path


def entry(shape: list[int], begin: int, end: int, dtype: str = "F32") -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


def content(data: bytes):
    def write(path: Path) -> Path:
        path.write_bytes(data)
        return path

    return write


def folder(path: Path) -> Path:
    path.with_suffix("").mkdir()
    return path.with_suffix("")


def shards(path: Path) -> Path:
    index = folder(path) / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"fc.weight": "model-1-of-2.safetensors"}}))
    return index.parent


BAD_FILES = {
    "missing": lambda path: path,
    "empty": content(b""),
    "truncated": truncated,
    "pickle": content(pickle.dumps({"fc.weight": 1})),
    "web page": content(b"<!DOCTYPE html><html>Not found</html>"),
    "prose": content(b"These are not weights, whatever the name of the file may say."),
    "header only announced": content((10**6).to_bytes(8, "little") + b"{"),
    "header of exabytes": content((2**62).to_bytes(8, "little") + b"{" + bytes(100)),
    "header not JSON": lambda path: header(path, b"{fc.weight}"),
    "keys twice": lambda path: header(path, b'{"a": {}, "a": {}}'),
    "overlap": lambda path: header(path, {"a": entry([2], 0, 8), "b": entry([2], 4, 12)}),
    "unknown dtype": lambda path: header(path, {"a": entry([4], 0, 16, dtype="F7")}),
    "negative shape": lambda path: header(path, {"a": entry([-4], 0, 16)}),
    "shape overflow": lambda path: header(path, {"a": entry([2**40, 2**40], 0, 16)}),
    "folder with nothing": folder,
    "missing shard": shards,
}


@pytest.mark.parametrize("command", ["analyze", "describe", "validate", "rank"])
@pytest.mark.parametrize("make", BAD_FILES.values(), ids=BAD_FILES)
@pytest.mark.usefixtures("scripts_here")
def test_a_file_that_cannot_be_read_is_one_line(htsr, tmp_path, make, command):
    path = make(tmp_path / "weights.safetensors")
    outcome = htsr(command, path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"htsr: error: {path}")
    assert outcome.err.count("\n") == 1
    assert outcome.err.count(". ") >= 1, "the line names a cure"


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_a_pipe_is_no_weight_file(htsr, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    outcome = htsr("analyze", tmp_path / "pipe")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)


def test_long_names_are_cut_wherever_a_layer_is_at_fault(htsr, tmp_path):
    first, second = ("x" * 100_000, "y" * 100_000)
    bad = np.ones((60, 50), "f4")
    bad[3, 4] = np.nan
    scale = np.array([[1.0], *[[np.nan]] * 59], "f4")
    codes = {f"{second}.weight": np.ones((60, 50), "i1"), f"{second}.weight_scale": scale}
    path = tmp_path / "x.safetensors"
    save_file({f"{first}.weight": bad, **codes}, path)
    outcome = htsr("analyze", path)
    assert outcome.code == 1
    lines = outcome.err.splitlines()
    assert any("entry [3, 4] is nan" in line for line in lines)
    assert any("yyy" in line for line in lines)
    assert all(len(line) < 1000 for line in lines)
