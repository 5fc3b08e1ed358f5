"""ONNX models without ONNX: exact weights, and axes by what takes them."""

import shutil

import numpy as np
import onnx_files
import pytest
from conversions import FIXTURES, assert_is_expected, converted, fixtures, parts, refused

FOLDER = FIXTURES / "onnx"


@pytest.mark.parametrize("path", fixtures("onnx"), ids=lambda path: path.name)
def test_every_number_is_what_onnx_says(path, tmp_path):
    assert_is_expected(converted(onnx_files, path, tmp_path), path)


def test_roles_layers_and_parts(tmp_path):
    weights = converted(onnx_files, FOLDER / "torch.onnx", tmp_path)
    assert not any("inferred" in entry for entry in weights.entries.values())
    layers = {layer.name: layer for layer in weights.layers.values()}
    assert layers["tokens"].role == "embedding"
    assert layers["conv1"].groups == layers["up"].groups == 2
    assert layers["up"].is_transposed
    assert layers["fc"].axes == ("out", "in")
    recurrent = [layer for layer in layers.values() if layer.role == "recurrent"]
    found = [(layer.name.split("/")[0], "".join(parts(layer))) for layer in recurrent]
    assert found == [("lstm", "iofc")] * 2 + [("gru", "zrh")] * 2
    # Both directions of the GRU lie in one tensor.
    assert [layer.axes[0] for layer in recurrent] == ["out"] * 2 + ["stack"] * 2


def test_quantized_weights_come_with_their_scales(tmp_path):
    weights = converted(onnx_files, FOLDER / "branches.onnx", tmp_path)
    entries = weights.entries
    # Its axes are (in, out).
    assert entries["q.w"]["quantization"] == {"scale": {"tensor": "q.scale"}, "axis": 1}
    assert entries["k.w"]["quantization"] == {
        "scale": {"tensor": "k.scale"},
        "zero_point": {"tensor": "k.zero"},
    }
    assert entries["ql.w"]["quantization"] == {
        "scale": {"tensor": "ql.scale"},
        "zero_point": {"tensor": "ql.zero"},
        "axis": 0,
    }
    assert weights.layers["ql.w"].is_conv
    assert entries["ql.scale"]["role"] == "scale"
    assert entries["ql.zero"]["role"] == "zero point"
    codes, scale = (weights.arrays[f"q.{name}"].astype(float) for name in ("w", "scale"))
    np.testing.assert_array_equal(weights.layers["q.w"].data[...], (codes * scale).T)


def field(number, content):
    """A field of a protocol buffer: an integer or bytes of less than 128."""
    key = number << 3 | (0 if isinstance(content, int) else 2)
    start = bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])
    if isinstance(content, int):
        return start + bytes([content])
    return start + bytes([len(content)]) + content


def model(weight, *nodes, opset=21):
    """A model with one tensor."""
    graph = b"".join(field(1, node) for node in nodes) + field(5, weight)
    return field(8, field(2, opset)) + field(7, graph)


def tensor(*fields, dtype=1, dims=(2, 3)):
    return b"".join(field(1, size) for size in dims) + field(2, dtype) + b"".join(fields)


W = field(8, b"w")
MATMUL = field(1, b"x") + field(1, b"w") + field(4, b"MatMul")
PACKED = field(1, b"x") + field(1, b"w") + field(4, b"MatMulNBits")
CALL = field(1, b"x") + field(1, b"w") + field(4, b"MatMul") + field(7, b"mine")
FUNCTION = field(25, field(1, b"MatMul") + field(10, b"mine"))
GROUPS = field(5, field(1, b"group") + field(3, 2))
TRANSPOSED = field(1, b"x") + field(1, b"w") + field(4, b"ConvTranspose") + GROUPS
NUMBERS = field(9, np.arange(6, dtype="<f4").tobytes())


def test_a_model_by_hand(tmp_path):
    path = tmp_path / "hand.onnx"
    path.write_bytes(model(tensor(W, NUMBERS), MATMUL))
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries["w"]["axes"] == ["in", "out"]
    np.testing.assert_array_equal(weights.layers["w"].data[...], [[0, 3], [1, 4], [2, 5]])


def test_a_weight_that_an_inner_graph_takes(tmp_path):
    path = tmp_path / "branch.onnx"
    branch = field(4, b"If") + field(5, field(1, b"then_branch") + field(6, field(1, MATMUL)))
    path.write_bytes(model(tensor(W, NUMBERS), branch))
    assert converted(onnx_files, path, tmp_path).entries["w"]["role"] == "weight"


def test_functions_are_noted(tmp_path):
    path = tmp_path / "function.onnx"
    path.write_bytes(model(tensor(W, NUMBERS), MATMUL) + FUNCTION)
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries["w"]["role"] == "weight"
    (note,) = weights.manifest["extra"]["notes"]
    assert note == "functions of the model's own, whose constants are not read: 1"


def outside(location, *more):
    """Tensor whose numbers are in another file."""
    pairs = [field(1, b"location") + field(2, location), *more]
    return tensor(W, *(field(13, pair) for pair in pairs), field(14, 1))


def far(offset):
    return field(1, b"offset") + field(2, offset)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (model(tensor(W, NUMBERS, dims=(2, 4)), MATMUL), "it has 24 bytes of numbers"),
        (model(tensor(W, NUMBERS, dtype=10), MATMUL), "it has 24 bytes of numbers"),
        (model(tensor(W, NUMBERS), MATMUL, opset=99), "its operators are of version 99"),
        (model(tensor(W, NUMBERS), MATMUL)[:-3], "it is no intact ONNX file"),
        (model(tensor(W, field(9, bytes(3)), dtype=22), MATMUL), "1 x tensor of ONNX type 22"),
        (model(outside(b"/etc/passwd"), MATMUL), "outside of the folder"),
        (model(outside(b"../secret"), MATMUL), "outside of the folder"),
        (model(outside(b"link"), MATMUL), "a link out of the folder"),
        (model(outside(b"nothing"), MATMUL), "which is missing"),
        (model(outside(b"short"), MATMUL), "its numbers are not all in 'short'"),
        (model(outside(b"short", far(b"-8")), MATMUL), "its numbers are not all in 'short'"),
        (field(7, field(7, b"")), "it has no graph or no version"),
        (b"\x80\x02.", "Use pytorch.py"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_refused(content, reason, tmp_path):
    (tmp_path / "secret").write_bytes(bytes(24))
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "short").write_bytes(bytes(23))
    path = folder / "bad.onnx"
    path.write_bytes(content)
    assert reason in refused(onnx_files, path, folder)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (model(tensor(W, field(9, bytes(6)), dtype=3), MATMUL), "the scale with which MatMul"),
        (model(tensor(W, NUMBERS, dims=(3, 1, 2)), TRANSPOSED), "its 3 inputs are not cut by 2"),
        (
            model(tensor(W, field(9, bytes(6)), dtype=2), PACKED),
            "it is packed or quantized for MatMulNBits",
        ),
        (model(tensor(W, NUMBERS), CALL) + FUNCTION, "the model's own function MatMul takes it"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_is_not_understood_is_left_out_with_its_reason(content, reason, tmp_path):
    path = tmp_path / "odd.onnx"
    path.write_bytes(content)
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries["w"]["role"] == "packed"
    assert reason in weights.layers["w"].left_out


def test_a_missing_external_file_is_named(tmp_path):
    shutil.copy(FOLDER / "dynamo.onnx", tmp_path)
    message = refused(onnx_files, tmp_path / "dynamo.onnx", tmp_path)
    assert "'dynamo.onnx.data', which is missing" in message


def test_what_no_operation_explains_is_kept_and_noted(tmp_path):
    path = tmp_path / "odd.onnx"
    path.write_bytes(model(tensor(W, NUMBERS), MATMUL.replace(b"MatMul", b"Wonder")))
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries["w"] == {"role": "unknown", "rule": "taken by Wonder"}
    assert weights.layers["w"].left_out == "taken by Wonder"
    assert weights.manifest["extra"]["notes"][0].endswith("no known operation takes: 1")
