"""Chapter FMT, safetensors: what is read, and every limit with a file that breaks it."""

import json
import os
import tracemalloc
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest
import safetensors.numpy

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights

MAPS = Path("/proc/self/maps")
GOOD = {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8]}}


def entry(dtype="F32", shape=(2,), offsets=(0, 8), **more):
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}}


def refusal(path, content):
    path.write_bytes(content)
    with pytest.raises(WeightFileError) as caught:
        open_weights(path)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    assert caught.value.cure
    return caught.value


@pytest.mark.spec("FMT-8")
def test_reads_what_the_safetensors_library_writes(tmp_path):
    rng = np.random.default_rng(1)
    arrays = {
        "fc.weight": rng.normal(size=(3, 5)).astype(np.float32),
        "half": rng.normal(size=(3, 2)).astype(np.float16),
        "brain": rng.normal(size=(4, 2)).astype(ml_dtypes.bfloat16),
        "double": rng.normal(size=(2, 2)),
        "empty": np.zeros((0, 4), dtype=np.float32),
        "counts": np.arange(5, dtype=np.int64),
    }
    path = tmp_path / "model.safetensors"
    safetensors.numpy.save_file(arrays, path, metadata={"format": "np"})
    weights = open_weights(path)
    assert weights.format == "safetensors"
    assert weights.name == "model.safetensors"
    assert weights.files == (path,)
    assert {layer.tensor for layer in weights.layers} == set(arrays)
    for layer in weights.layers:
        assert layer.dtype == arrays[layer.tensor].dtype.name
        expected = arrays[layer.tensor].astype(np.float64)
        np.testing.assert_array_equal(layer.data[...], expected, strict=True)


@pytest.mark.spec("FMT-8", "FMT-14")
def test_order_is_that_of_the_header(tmp_path, safetensors_bytes):
    header = {
        "z": {"dtype": "F32", "shape": [1], "data_offsets": [4, 8]},
        "a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(header, np.array([1, 2], "<f4").tobytes()))
    layers = open_weights(path).layers
    assert [(layer.tensor, layer.data[0]) for layer in layers] == [("z", 2.0), ("a", 1.0)]


@pytest.mark.spec("FMT-8")
def test_unaligned_data_and_a_padded_header_are_read(tmp_path, safetensors_bytes):
    header = {
        "byte": {"dtype": "F8_E4M3", "shape": [1], "data_offsets": [0, 1]},
        "word": {"dtype": "F64", "shape": [1, 2], "data_offsets": [1, 17]},
    }
    path = tmp_path / "x.safetensors"
    text = json.dumps(header).encode() + b"   "
    path.write_bytes(safetensors_bytes(text, b"\x38" + np.array([3.5, -1]).tobytes()))
    byte, word = open_weights(path).layers
    assert byte.data[...].tolist() == [1.0]
    assert word.data[0].tolist() == [3.5, -1.0]


@pytest.mark.spec("FMT-8")
def test_too_short(tmp_path):
    error = refusal(tmp_path / "x.safetensors", b"\x01\x02\x03")
    assert error.problem == "its 3 bytes are too few for a safetensors file"


@pytest.mark.spec("FMT-8", "FMT-17")
@pytest.mark.parametrize(
    ("length", "problem"),
    [
        (2**63, "a safetensors header has at most 100000000"),
        (100_000_001, "a safetensors header has at most 100000000"),
        (100_000_000, "only 2 follow"),
        (3, "only 2 follow"),
    ],
)
def test_header_length(tmp_path, length, problem):
    content = length.to_bytes(8, "little") + b"{}"
    assert problem in refusal(tmp_path / "x.safetensors", content).problem


@pytest.mark.spec("FMT-8")
@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"", "not a JSON object"),
        (b"[]", "not a JSON object"),
        (b' {"a": 1}', "not a JSON object"),
        (b"{", "not valid"),
        (b'{"a": 1}}', "not valid"),
        (b'{"a\xff": 1}', "not valid"),
        (b'{"\\ud800": 1}', "not valid"),
        (b'{"a": NaN}', "NaN is not a JSON number"),
        (b'{"a": {"b": 1, "b": 2}}', "'b' appears twice"),
        (b'{"a": ' + b"[" * 200_000 + b"]" * 200_000 + b"}", "nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "not valid"),
    ],
)
def test_header_text(tmp_path, safetensors_bytes, text, problem):
    content = safetensors_bytes(text, bytes(8))
    assert problem in refusal(tmp_path / "x.safetensors", content).problem


@pytest.mark.spec("FMT-8")
def test_duplicate_tensor(tmp_path, safetensors_bytes):
    one = json.dumps(GOOD["a"])
    text = f'{{"a": {one}, "a": {one}}}'.encode()
    error = refusal(tmp_path / "x.safetensors", safetensors_bytes(text, bytes(8)))
    assert "'a' appears twice" in error.problem


BAD_ENTRIES = [
    ({"a": []}, "exactly dtype, shape and data_offsets"),
    ({"a": {"dtype": "F32", "shape": [2]}}, "exactly dtype, shape and data_offsets"),
    (entry(strides=[1]), "exactly dtype, shape and data_offsets"),
    (entry(dtype="F128"), "no safetensors number type 'F128'"),
    (entry(dtype=["F32"]), "no safetensors number type"),
    (entry(shape=[-2]), "its shape must be"),
    (entry(shape=[2.0]), "its shape must be"),
    (entry(shape=[True, 2]), "its shape must be"),
    (entry(shape="2"), "its shape must be"),
    (entry(shape=[2**63]), "its shape must be"),
    (entry(shape=[1] * 33), "33 axes"),
    (entry(shape=[2**32, 2**32]), "too large to be addressed"),
    (entry(shape=[0, 2**62, 2**62]), "too large to be addressed"),
    (entry(offsets=[0]), "its data_offsets must be"),
    (entry(offsets=[0, 8.0]), "its data_offsets must be"),
    (entry(offsets=[-8, 0]), "its data_offsets must be"),
    (entry(offsets={"begin": 0, "end": 8}), "its data_offsets must be"),
    (entry(offsets=[8, 0]), "before it begins"),
    (entry(shape=[3]), "not the size of F32 numbers"),
    (entry(dtype="F4", shape=[15]), "not the size of F4 numbers"),
    (entry(shape=[4], offsets=[0, 16]), "the file holds 8 bytes"),
    (entry(shape=[1], offsets=[4, 8]), "4 bytes before its data are unused"),
]


@pytest.mark.spec("FMT-8")
@pytest.mark.parametrize(("header", "problem"), BAD_ENTRIES)
def test_bad_entry(tmp_path, safetensors_bytes, header, problem):
    error = refusal(tmp_path / "x.safetensors", safetensors_bytes(header, bytes(8)))
    assert problem in error.problem
    assert error.tensor == "a"


@pytest.mark.spec("FMT-8")
@pytest.mark.parametrize(
    ("offsets", "data", "problem", "tensor"),
    [
        ([4, 12], 12, "overlaps", "b"),
        ([0, 8], 8, "overlaps", "b"),
        ([12, 20], 20, "4 bytes before its data are unused", "b"),
        ([8, 16], 17, "the last 1 bytes belong to no tensor", None),
    ],
)
def test_coverage(tmp_path, safetensors_bytes, offsets, data, problem, tensor):
    header = GOOD | {"b": {"dtype": "F32", "shape": [2], "data_offsets": offsets}}
    error = refusal(tmp_path / "x.safetensors", safetensors_bytes(header, bytes(data)))
    assert problem in error.problem
    assert error.tensor == tensor


@pytest.mark.spec("FMT-8")
@pytest.mark.parametrize("metadata", [{"format": 1}, ["pt"], None, {"a": {"b": "c"}}])
def test_metadata_maps_strings_to_strings(tmp_path, safetensors_bytes, metadata):
    content = safetensors_bytes(GOOD | {"__metadata__": metadata}, bytes(8))
    assert "__metadata__" in refusal(tmp_path / "x.safetensors", content).problem


@pytest.mark.spec("FMT-8", "FMT-12")
def test_narrow_types_are_listed_but_left_out(tmp_path, safetensors_bytes):
    header = {
        "e8": {"dtype": "F8_E8M0", "shape": [2, 2], "data_offsets": [0, 4]},
        "f4": {"dtype": "F4", "shape": [2, 4], "data_offsets": [4, 8]},
        "c": {"dtype": "C64", "shape": [1, 1], "data_offsets": [8, 16]},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(header, bytes(16)))
    reasons = [layer.left_out for layer in open_weights(path).layers]
    assert reasons == [
        "numbers of type float8_e8m0fnu are not decoded",
        "numbers of type float4_e2m1fn are not decoded",
        "numbers of type complex64 are not decoded",
    ]


@pytest.mark.spec("FMT-6")
def test_tensors_that_save_model_dropped(tmp_path, safetensors_bytes, float32_header):
    header = float32_header(**{"embed.weight": (2, 3)})
    metadata = {"format": "pt", "head.weight": "embed.weight", "other": "not a tensor"}
    path = tmp_path / "x.safetensors"
    data = np.arange(6, dtype="<f4")
    path.write_bytes(safetensors_bytes(header | {"__metadata__": metadata}, data.tobytes()))
    embed, head = open_weights(path).layers
    assert (embed.left_out, embed.same_as) == (None, None)
    assert (head.tensor, head.shape) == ("head.weight", (2, 3))
    assert (head.left_out, head.same_as) == (None, "embed.weight")
    np.testing.assert_array_equal(head.data[...], data.reshape(2, 3))


@pytest.mark.spec("FMT-13")
def test_a_file_of_20_gb_is_opened_and_cut_without_reading_it(tmp_path, safetensors_bytes):
    rows, columns = 2_500_000, 2000
    size = rows * columns * 4
    header = {"w": {"dtype": "F32", "shape": [rows, columns], "data_offsets": [0, size]}}
    path = tmp_path / "huge.safetensors"
    head = safetensors_bytes(header)
    path.write_bytes(head)
    os.truncate(path, len(head) + size)
    with path.open("r+b") as file:
        file.seek(-4, os.SEEK_END)
        file.write(np.float32(2.5).tobytes())
    tracemalloc.start()
    layer = open_weights(path).layers[0]
    assert layer.shape == (rows, columns)
    assert layer.data[-1, -3:].tolist() == [0.0, 0.0, 2.5]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.spec("FMT-13")
@pytest.mark.skipif(not MAPS.exists(), reason="the system does not list a process's maps")
def test_a_file_is_never_mapped(tmp_path, safetensors_bytes, float32_header):
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(float32_header(w=(2, 3)), bytes(24)))
    data = open_weights(path).layers[0].data
    codes = data.backing.read((slice(None), slice(None)))
    assert codes.shape == data.load()[...].shape == (2, 3)
    assert str(path) not in MAPS.read_text()


def test_names_may_be_escaped(tmp_path, safetensors_bytes):
    header = b'{"\\u00e4.weight": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}}'
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(header, bytes(4)))
    assert open_weights(path).layers[0].name == "ä"
