"""FMT-14, FMT-17, FMT-18: names of layers, errors for people, digests, light imports."""

import errno
import hashlib
import os
import subprocess
import sys
import threading
from concurrent.futures import CancelledError

import numpy as np
import pytest

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights, write_weights


def names(*tensors):
    layers = open_weights({name: np.ones((2, 3)) for name in tensors}).layers
    assert [layer.tensor for layer in layers] == list(tensors)
    return [layer.name for layer in layers]


@pytest.mark.spec("FMT-14")
@pytest.mark.parametrize(
    ("tensors", "expected"),
    [
        (["a.weight", "b/kernel", "c/kernel:0", "d.bias"], ["a", "b", "c", "d.bias"]),
        (["weight", ".weight", "weight.x"], ["weight", ".weight", "weight.x"]),
        (["a.weight", "a"], ["a.weight", "a"]),
        (["a.weight", "a/kernel", "b.weight"], ["a.weight", "a/kernel", "b"]),
        (["x.weight", "x", "x.weight.weight"], ["x.weight", "x", "x.weight.weight"]),
    ],
)
def test_names_of_layers_are_unique(tensors, expected):
    assert names(*tensors) == expected


@pytest.mark.spec("FMT-14")
def test_given_names_that_clash_give_way():
    overrides = {"*": {"layer": "same"}}
    layers = open_weights({"a": np.eye(2), "b": np.eye(2)}, overrides).layers
    assert [layer.name for layer in layers] == ["same/a", "same/b"]


@pytest.mark.spec("FMT-14")
def test_every_tensor_is_listed_with_its_reason():
    arrays = {
        "fc.weight": np.eye(2),
        "fc.bias": np.ones(2),
        "ln.weight": np.ones(2),
        "exp_avg": np.eye(2),
        "none.weight": np.ones((0, 2)),
        "mask": np.eye(2, dtype=bool),
        "int.weight": np.eye(2, dtype=np.int8),
        "complex.weight": np.eye(2) * 1j,
        "names": np.array([["a"]]),
    }
    reasons = {layer.tensor: layer.left_out for layer in open_weights(arrays).layers}
    assert reasons == {
        "fc.weight": None,
        "fc.bias": "bias",
        "ln.weight": "norm",
        "exp_avg": "optimizer",
        "none.weight": "it has no elements",
        "mask": "mask",
        "int.weight": "int8 without a scale: declare its quantization",
        "complex.weight": "numbers of type complex128 are not decoded",
        "names": "numbers of type str32 are not decoded",
    }


@pytest.mark.spec("FMT-1", "FMT-18")
def test_arrays_in_memory():
    array = np.arange(6, dtype=">i2").reshape(2, 3)
    weights = open_weights({"w": [[1, 2], [3, 4.5]], "big": array})
    assert (weights.name, weights.format, weights.files) == ("memory", "memory", ())
    assert weights.sha256() is None
    assert weights.source is None
    np.testing.assert_array_equal(weights.layers[0].data[...], [[1, 2], [3, 4.5]])
    np.testing.assert_array_equal(weights.layers[1].data[...], array)


@pytest.mark.spec("FMT-11", "FMT-17")
def test_objects_in_memory():
    with pytest.raises(WeightFileError, match="tensor 'w': it holds Python objects"):
        open_weights({"w": np.array([{}, None])})


@pytest.mark.spec("FMT-18")
def test_digest(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, {"w": np.eye(3)})
    weights = open_weights(path)
    assert weights.sha256() == hashlib.sha256(path.read_bytes()).hexdigest()
    unwanted = threading.Event()
    unwanted.set()
    with pytest.raises(CancelledError):
        weights.sha256(unwanted)
    path.unlink()
    with pytest.raises(WeightFileError, match="cannot be read"):
        weights.sha256()


@pytest.mark.spec("FMT-17")
def test_missing_file(tmp_path):
    with pytest.raises(WeightFileError, match="No such file") as caught:
        open_weights(tmp_path / "x.safetensors")
    assert caught.value.cure == "Check the path"
    with pytest.raises(WeightFileError, match="no file can have this name"):
        open_weights("a\0b")


@pytest.mark.spec("FMT-17")
@pytest.mark.parametrize(
    ("number", "cure"),
    [
        (errno.EACCES, "Give yourself permission to read it"),
        (errno.EIO, "Check the disk it lies on"),
    ],
)
def test_a_file_that_cannot_be_read(tmp_path, monkeypatch, number, cure):
    path = tmp_path / "x.safetensors"
    write_weights(path, {"w": np.eye(3)})

    def refuse(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("pathlib.Path.open", refuse)
    with pytest.raises(WeightFileError, match=os.strerror(number)) as caught:
        open_weights(path)
    assert caught.value.cure == cure


@pytest.mark.spec("FMT-17")
def test_pipes_and_devices_are_refused(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    for path in (pipe, "/dev/null"):
        with pytest.raises(WeightFileError, match="not a regular file"):
            open_weights(path)


@pytest.mark.spec("FMT-17")
def test_messages_name_file_tensor_and_cure(tmp_path, safetensors_bytes):
    path = tmp_path / "x.safetensors"
    header = {"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}
    path.write_bytes(safetensors_bytes(header, bytes(4)))
    with pytest.raises(WeightFileError) as caught:
        open_weights(path)
    assert str(caught.value) == (
        f"{path}: tensor 'a': its shape must be a list of integers from 0 to 2^63 - 1. "
        "Download or convert the file again"
    )


def test_importing_is_light():
    code = (
        "import sys, htsr_ref.weights; "
        "print([name for name in ('h5py', 'safetensors', 'scipy') if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert result.stdout == "[]\n"
