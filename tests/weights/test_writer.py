"""FMT-7: writing weight files."""

import json
import time

import ml_dtypes
import numpy as np
import pytest
import safetensors
import safetensors.numpy

from htsr_ref.errors import OutputError, WeightFileError
from htsr_ref.weights import Part, Quantization, TensorSpec, open_weights, write_weights
from htsr_ref.weights.safetensors_file import MAX_HEADER

ARRAYS = {
    "half": np.arange(3, dtype=np.float16),
    "fc": np.arange(12, dtype=np.float32).reshape(3, 4),
    "q": np.arange(6, dtype=np.int8).reshape(2, 3),
    "double": np.arange(4, dtype=">f8").reshape(2, 2).T,
}
SPECS = {
    "half": TensorSpec("bias"),
    "fc": TensorSpec("weight", layer="first", parts=(Part("a", 1), Part("b", 2))),
    "q": TensorSpec("weight", quantization=Quantization(0.5, (1.0, 2.0), 0)),
    "double": TensorSpec("embedding"),
    "tied": TensorSpec("weight", ("out", "in"), same_as="double"),
}
SOURCE = {"framework": "numpy", "sha256": "00"}


@pytest.mark.spec("FMT-7")
def test_the_safetensors_library_reads_what_is_written(tmp_path):
    path = tmp_path / "x.safetensors"
    arrays = ARRAYS | {"bf": np.ones((2, 3), dtype=ml_dtypes.bfloat16), "n": np.array(1.5)}
    write_weights(path, arrays)
    read = safetensors.numpy.load_file(path)
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert read[name].dtype.name == array.dtype.name
        np.testing.assert_array_equal(read[name], array)


@pytest.mark.spec("FMT-7")
@pytest.mark.parametrize(("name", "format_"), [("x.safetensors", "safetensors"), ("x.h5", "hdf5")])
@pytest.mark.usefixtures("scripts_here")
def test_what_is_described_is_read_back(tmp_path, name, format_):
    path = tmp_path / name
    write_weights(path, ARRAYS, SPECS, SOURCE, format_)
    weights = open_weights(path)
    layers = {layer.tensor: layer for layer in weights.layers}
    assert list(layers) == list(SPECS)
    assert dict(weights.source) == SOURCE | {"converter": None, "file": None}
    assert layers["fc"].name == "first"
    assert layers["fc"].axes == ("out", "in")
    assert layers["fc"].parts == SPECS["fc"].parts
    np.testing.assert_array_equal(layers["q"].data[...], [[-0.5, 0, 0.5], [0.5, 1, 1.5]])
    np.testing.assert_array_equal(layers["double"].data[...], ARRAYS["double"])
    assert layers["tied"].same_as == "double"


@pytest.mark.spec("FMT-7")
@pytest.mark.parametrize("format_", ["safetensors", "hdf5"])
def test_the_same_arguments_give_the_same_bytes(tmp_path, format_):
    path = tmp_path / "x"
    write_weights(path, ARRAYS, SPECS, SOURCE, format_)
    content = path.read_bytes()
    time.sleep(1.1)  # HDF5 counts in seconds
    write_weights(path, ARRAYS, SPECS, SOURCE, format_)
    assert path.read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.spec("FMT-7")
def test_tensors_are_aligned_and_the_header_keeps_the_order(tmp_path):
    path = tmp_path / "x.safetensors"
    write_weights(path, ARRAYS)
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    assert list(header) == list(ARRAYS)
    assert length % 8 == 0
    for name, entry in header.items():
        assert entry["data_offsets"][0] % ARRAYS[name].dtype.itemsize == 0


BAD = {
    "text": ({"w": np.array(["a"])}, None, "safetensors", "safetensors cannot hold it"),
    "objects": ({"w": np.array([{}])}, None, "safetensors", "safetensors cannot hold it"),
    "complex": ({"w": np.ones(2) * 1j}, None, "hdf5", "HDF5 cannot hold it"),
    "bfloat16": ({"w": np.ones(2, ml_dtypes.bfloat16)}, None, "hdf5", "HDF5 cannot hold it"),
    "metadata": ({"__metadata__": np.ones(2)}, None, "safetensors", "safetensors cannot hold it"),
    "manifest": ({"htsr_manifest": np.ones(2)}, None, "hdf5", "HDF5 cannot hold it"),
    "dots": ({"a/../b": np.ones(2)}, None, "hdf5", "HDF5 cannot hold it"),
    "slash": ({"/b": np.ones(2)}, None, "hdf5", "HDF5 cannot hold it"),
    "format": ({"w": np.ones(2)}, None, "onnx", "no format 'onnx'"),
    "unlabeled": ({"w": np.eye(2)}, {}, "safetensors", "does not name it"),
    "not given": ({}, {"w": TensorSpec("bias")}, "safetensors", "not stored"),
    "axes": (
        {"w": np.eye(2)},
        {"w": TensorSpec("weight", ("in", "k1"))},
        "safetensors",
        "cannot have the axes",
    ),
    "rank": ({"w": np.ones(2)}, {"w": TensorSpec("weight", ("out", "in"))}, "safetensors", "has 1"),
    "parts": (
        {"w": np.eye(2)},
        {"w": TensorSpec("weight", parts=(Part("a", 1),))},
        "safetensors",
        "1 rows together",
    ),
    "groups": (
        {"w": np.ones((2, 2, 2))},
        {"w": TensorSpec("weight", ("out", "in", "k1"), groups=4)},
        "safetensors",
        "do not divide",
    ),
    "nan": (
        {"w": np.eye(2)},
        {"w": TensorSpec("weight", quantization=Quantization(float("nan")))},
        "safetensors",
        "manifest is not valid",
    ),
}


@pytest.mark.spec("FMT-7")
@pytest.mark.parametrize("name", BAD)
def test_what_a_reader_would_refuse_is_not_written(tmp_path, name):
    arrays, specs, format_, problem = BAD[name]
    path = tmp_path / "x"
    path.write_bytes(b"what was there")
    with pytest.raises(WeightFileError, match=problem):
        write_weights(path, arrays, specs, format=format_)
    assert path.read_bytes() == b"what was there"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.spec("FMT-7")
def test_a_source_needs_known_keys_and_a_manifest(tmp_path):
    specs = {"w": TensorSpec("weight")}
    with pytest.raises(WeightFileError, match="unknown key 'date'"):
        write_weights(tmp_path / "x", {"w": np.eye(2)}, specs, {"date": "today"})
    with pytest.raises(WeightFileError, match="needs a manifest"):
        write_weights(tmp_path / "x", {"w": np.eye(2)}, None, {"framework": "x"})


@pytest.mark.spec("FMT-2", "FMT-7")
@pytest.mark.parametrize("format_", ["safetensors", "hdf5"])
@pytest.mark.usefixtures("scripts_here")
def test_what_the_writer_adds_is_read_back_and_not_interpreted(tmp_path, format_):
    extra = {"anything": [1, None, {"μ": 0.5}]}
    specs = {"w": TensorSpec("weight")}
    write_weights(tmp_path / "x", {"w": np.eye(2)}, specs, format=format_, extra=extra)
    assert open_weights(tmp_path / "x").extra == extra
    with pytest.raises(WeightFileError, match="needs a manifest"):
        write_weights(tmp_path / "y", {"w": np.eye(2)}, extra=extra)
    for unfit in ({"a": np.eye(2)}, {"a": float("nan")}):
        with pytest.raises(WeightFileError, match=r"not valid: .*Give what JSON can hold"):
            write_weights(tmp_path / "y", {"w": np.eye(2)}, specs, extra=unfit)
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


@pytest.mark.spec("FMT-7", "FMT-8")
def test_a_header_that_readers_would_refuse(tmp_path):
    with pytest.raises(WeightFileError, match="more than 100000000"):
        write_weights(tmp_path / "x", {"w" * MAX_HEADER: np.eye(2)})


@pytest.mark.spec("FMT-7")
@pytest.mark.parametrize("format_", ["safetensors", "hdf5"])
def test_nothing_is_left_of_a_write_that_fails(tmp_path, format_, monkeypatch):
    target = "pathlib.Path.replace"
    monkeypatch.setattr(target, lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OutputError, match=r"x: cannot be written .disk full.$"):
        write_weights(tmp_path / "x", {"w": np.eye(2)}, format=format_)
    assert list(tmp_path.iterdir()) == []
