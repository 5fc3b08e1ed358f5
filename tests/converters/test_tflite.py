"""TensorFlow Lite models without TensorFlow: exact constants, and scales in the manifest."""

import dataclasses
import struct

import numpy as np
import pytest
import tflite_files
from conversions import FIXTURES, assert_is_expected, converted, fixtures, refused

FOLDER = FIXTURES / "tflite"
DENSE = "functional_1/dense_1/MatMul"
CONV = "functional_1/conv_1/convolution"


@pytest.mark.parametrize("path", fixtures("tflite"), ids=lambda path: path.name)
def test_every_number_is_what_tensorflow_says(path, tmp_path):
    assert_is_expected(converted(tflite_files, path, tmp_path), path)


def test_operators_decide(tmp_path):
    weights = converted(tflite_files, FOLDER / "float.tflite", tmp_path)
    # grouped, depthwise, up, conv and dense.
    matrices = [layer for layer in weights.layers.values() if layer.role == "weight"]
    assert sorted((layer.is_conv, layer.groups) for layer in matrices) == [
        (False, 1),
        (True, 1),
        (True, 1),
        (True, 2),
        (True, 6),
    ]
    assert sum(layer.is_transposed for layer in matrices) == 1
    assert all(layer.decided.startswith("stated: ") for layer in matrices)


def test_half_weights_behind_dequantize(tmp_path):
    weights = converted(tflite_files, FOLDER / "half.tflite", tmp_path)
    assert weights.dtypes[DENSE] == "float16"
    assert weights.entries[DENSE]["role"] == "weight"


@pytest.mark.parametrize(("file", "name"), [("dynamic", CONV), ("whole", CONV), ("dynamic", DENSE)])
def test_scales_give_the_weights_back(file, name, tmp_path):
    exact = converted(tflite_files, FOLDER / "float.tflite", tmp_path).layers[name].data[...]
    weights = converted(tflite_files, FOLDER / f"{file}.tflite", tmp_path)
    assert weights.dtypes[name] == "int8"
    scale = np.max(weights.entries[name]["quantization"]["scale"])
    assert abs(weights.layers[name].data[...] - exact).max() <= 0.51 * scale


def test_scales_run_along_outputs(tmp_path):
    entries = converted(tflite_files, FOLDER / "whole.tflite", tmp_path).entries
    quantization = entries[CONV]["quantization"]
    assert quantization["axis"] == 0
    assert len(quantization["scale"]) == 31
    (depthwise,) = (e for e in entries.values() if "DEPTHWISE" in e["rule"])
    assert len(depthwise["quantization"]["scale"]) == 12


def test_weights_that_differ_by_their_scales_only(tmp_path, monkeypatch):
    path = FOLDER / "scaled.tflite"
    weights = converted(tflite_files, path, tmp_path)
    assert not any("same_as" in entry for entry in weights.entries.values())
    twice, once = (layer.data[...] for layer in weights.layers.values())
    np.testing.assert_array_equal(twice, 2 * once)
    constants = tflite_files.read_constants(path)
    assert len({constant.buffer for constant in constants}) == 1
    again = [dataclasses.replace(constant, name=f"{constant.name}/again") for constant in constants]
    monkeypatch.setattr(tflite_files, "read_constants", lambda _: constants + again)
    entries = converted(tflite_files, path, tmp_path).entries
    assert {entries[f"{constant.name}/again"]["same_as"] for constant in constants} == {
        constant.name for constant in constants
    }


def test_loops_and_tables(tmp_path):
    entries = converted(tflite_files, FOLDER / "texts.tflite", tmp_path).entries
    rules = [entry["rule"] for entry in entries.values() if entry["role"] != "unknown"]
    assert rules.count("table of GATHER") == 1
    assert rules.count("filter of CONV_3D") == rules.count("filter of CONV_3D_TRANSPOSE") == 1
    # The kernels of the LSTM, which are in the loop's own graph.
    assert rules.count("weights of FULLY_CONNECTED") == 2


def test_single_operators(tmp_path):
    entries = converted(tflite_files, FOLDER / "fused.tflite", tmp_path).entries
    gates = {name: e["rule"][5] for name, e in entries.items() if e["rule"].startswith("gate ")}
    assert gates == {f"{side}_{gate}": gate for side in ("input", "hidden") for gate in "ifgo"}
    entries = converted(tflite_files, FOLDER / "fused_rnn.tflite", tmp_path).entries
    assert [entry["role"] for entry in entries.values()] == ["recurrent", "recurrent", "bias"]
    table = converted(tflite_files, FOLDER / "lookup.tflite", tmp_path).entries["table"]
    assert table["role"] == "embedding"
    product = converted(tflite_files, FOLDER / "right_plain.tflite", tmp_path).entries["factor"]
    assert product["rule"] == "factor of BATCH_MATMUL"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"\0\0\0\0TFL3", "no tensor is left"),
        (b"\xff\xff\xff\xffTFL3", "its model is damaged (a place, 4294967295, is beyond the file)"),
        # A root table whose fields are at a place before the file.
        (struct.pack("<I4si", 8, b"TFL3", 100), "its model is damaged (a place, -92, is beyond"),
        (struct.pack("<I4siHHI", 8, b"TFL3", -4, 4, 4, 0), "no tensor is left"),
        (b"PK\x03\x04", "it is a zip archive"),
    ],
)
def test_what_is_refused(content, reason, tmp_path):
    path = tmp_path / "bad.tflite"
    path.write_bytes(content)
    assert reason in refused(tflite_files, path, tmp_path)


def test_weights_that_are_not_understood_are_left_out_with_their_reason(tmp_path):
    weights = converted(tflite_files, FOLDER / "refused.tflite", tmp_path)
    assert weights.entries["input_i"]["role"] == "packed"
    assert weights.layers["input_i"].left_out == "weights of LSTM are not understood"
    assert weights.layers["input_i"].code == "not-understood"


def test_a_file_that_is_cut_off(tmp_path):
    content = (FOLDER / "float.tflite").read_bytes()
    path = tmp_path / "cut.tflite"
    path.write_bytes(content[: len(content) // 2])
    assert "its model is damaged" in refused(tflite_files, path, tmp_path)


SPARSE = tflite_files.read_constants(FOLDER / "sparse_rows.tflite")[0].sparsity


def test_sparse_weights_keep_their_role(tmp_path):
    for name in ("rows", "columns", "blocks"):
        weights = converted(tflite_files, FOLDER / f"sparse_{name}.tflite", tmp_path)
        assert weights.entries["sparse"]["rule"] == "weights of FULLY_CONNECTED"


def with_rows(**changes):
    """The sparsity of a fixture with another level of columns."""
    rows, columns = SPARSE.levels
    return dataclasses.replace(SPARSE, levels=[rows, dataclasses.replace(columns, **changes)])


SEGMENTS, INDICES = SPARSE.levels[1].segments, SPARSE.levels[1].indices


@pytest.mark.parametrize(
    "sparsity",
    [
        with_rows(segments=SEGMENTS[:-1]),
        with_rows(segments=SEGMENTS[::-1]),
        with_rows(segments=SEGMENTS + 1),
        with_rows(segments=SEGMENTS * 2**40),
        with_rows(indices=INDICES - 12),
        with_rows(indices=INDICES + 12),
        with_rows(segments=None, size=12),
        with_rows(segments=None, size=2**31 - 1),
        with_rows(segments=None, size=-1),
        dataclasses.replace(SPARSE, order=[0, 0]),
        dataclasses.replace(SPARSE, order=[0, 2]),
        dataclasses.replace(SPARSE, order=[0, 1, 2], block_map=[5], levels=SPARSE.levels * 2),
    ],
)
def test_sparsity_that_is_damaged(sparsity, tmp_path, monkeypatch):
    path = FOLDER / "sparse_rows.tflite"
    (constant,) = tflite_files.read_constants(path)
    damaged = dataclasses.replace(constant, sparsity=sparsity)
    monkeypatch.setattr(tflite_files, "read_constants", lambda _: [damaged])
    assert "it is sparse, and damaged" in refused(tflite_files, path, tmp_path)


def test_sparse_tensors_that_claim_more_than_they_may(tmp_path):
    content = (FOLDER / "sparse_rows.tflite").read_bytes()
    shape = struct.pack("<3i", 2, 8, 12)
    assert content.count(shape) == 2  # of the sparse tensor and of what is made of it
    path = tmp_path / "vast.tflite"
    path.write_bytes(content.replace(shape, struct.pack("<3i", 2, 2**30, 2**30)))
    reason = "1 x constant: it is sparse, and what it stores does not fit its shape"
    assert reason in refused(tflite_files, path, tmp_path)
