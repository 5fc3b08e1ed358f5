"""ONNX models without ONNX: exact weights, and axes by what takes them."""

import shutil
from itertools import pairwise

import numpy as np
import onnx_files
import pytest
from conversions import (
    FIXTURES,
    assert_is_expected,
    convert,
    converted,
    fixtures,
    parts,
    read,
    refused,
)
from hypothesis import given
from hypothesis import strategies as st

try:
    import onnx
    from onnx.reference import ReferenceEvaluator
except ImportError:
    onnx = None

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


def test_what_is_computed_is_written_as_operators_take_it(tmp_path):
    weights = converted(onnx_files, FOLDER / "views.onnx", tmp_path)
    entries = weights.entries
    with np.load(FOLDER / "views.onnx.expected.npz") as wanted:
        assert sorted(entries) == sorted(wanted)  # and not what they are made of
    roles = {name: entry["role"] for name, entry in entries.items()}
    assert roles.pop("scale_cut") == "scale"
    assert {roles.pop(name) for name in ("w_thick", "r_thick")} == {"recurrent"}
    assert set(roles.values()) == {"weight"}
    assert weights.dtypes["strided"] == "float16"
    # Whole numbers that are cut before they are scaled stay what they are.
    assert entries["q_cut"]["quantization"] == {"scale": {"tensor": "scale_cut"}, "axis": 0}


@pytest.mark.parametrize(("file", "count"), [("tensors.onnx", 6), ("channels.onnx", 8)])
def test_integers_give_the_weights_back_that_were_quantized(file, count, tmp_path):
    weights = converted(onnx_files, FOLDER / file, tmp_path)
    with np.load(FOLDER / "before.npz") as stored:
        before = dict(stored)
    before["linear"] = before["linear"].T
    matrices = [layer for layer in weights.layers.values() if layer.role != "unknown"]
    matrices = [layer for layer in matrices if layer.left_out is None]
    assert len(matrices) == count
    for layer in matrices:
        name, _, direction = layer.tensor.replace("_quantized", "").partition("/")
        exact = before[name]
        if direction:
            exact = exact[("forward", "backward").index(direction)]
        scale = weights.entries[layer.tensor]["quantization"]["scale"]["tensor"]
        half = 0.51 * weights.arrays[scale].max()
        assert abs(layer.data[...] - exact.reshape(layer.shape)).max() <= half, name
        assert "".join(parts(layer)) == ("" if name in ("linear", "conv") else "iofc")


def field(number, content):
    """A field of a protocol buffer: an integer or bytes of less than 2 MiB."""
    key = number << 3 | (0 if isinstance(content, int) else 2)
    start = bytes([key]) if key < 128 else bytes([key & 127 | 128, key >> 7])
    if isinstance(content, int):
        return start + bytes([content])
    size = len(content)
    if size < 128:
        return start + bytes([size]) + content
    return start + bytes([size & 127 | 128, size >> 7 & 127 | 128, size >> 14]) + content


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


def operation(kind, inputs, outputs, *attributes):
    texts = [field(1, name.encode()) for name in inputs.split()]
    texts += [field(2, name.encode()) for name in outputs.split()]
    return b"".join(texts) + field(4, kind.encode()) + b"".join(attributes)


def attribute(name, number, content):
    return field(5, field(1, name.encode()) + field(number, content))


AXIS = attribute("axis", 3, 1)
LAST = operation("MatMul", "x y", "z")
INTEGERS = tensor(W, field(9, bytes(range(6))), dtype=3)
DYNAMIC = operation("DynamicQuantizeLinear", "x", "q s zero")
PRODUCT = operation("MatMulInteger", "q w zero", "whole")
SINGLE = operation("Cast", "whole", "real")


def scalar(name):
    numbers = field(9, np.float32(0.5).tobytes())
    return operation(
        "Constant", "", name, field(5, field(1, b"value") + field(5, tensor(numbers, dims=())))
    )


@pytest.mark.parametrize(
    "nodes",
    [
        ("real s a", "a f y"),
        ("f real b", "b s y"),
        ("s f both", "real both y"),
    ],
)
def test_the_scale_of_a_product_wherever_it_stands(nodes, tmp_path):
    path = tmp_path / "product.onnx"
    products = [operation("Mul", " ".join(n.split()[:2]), n.split()[2]) for n in nodes]
    path.write_bytes(model(INTEGERS, scalar("f"), DYNAMIC, PRODUCT, SINGLE, *products))
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries["w"]["quantization"] == {"scale": {"tensor": "f"}}
    np.testing.assert_array_equal(weights.layers["w"].data[...], [[0, 1.5], [0.5, 2], [1, 2.5]])


@pytest.mark.parametrize(
    "nodes",
    [
        ["f g both", "s both all", "real all y"],  # which of the two is the weight's?
        ["real f y"],
        ["real s y"],
        ["real other a", "a s b", "b f y"],
    ],
)
def test_integers_whose_scale_cannot_be_told(nodes, tmp_path):
    path = tmp_path / "product.onnx"
    products = [operation("Mul", " ".join(n.split()[:2]), n.split()[2]) for n in nodes]
    constants = scalar("f"), scalar("g")
    path.write_bytes(model(INTEGERS, *constants, DYNAMIC, PRODUCT, SINGLE, *products))
    weights = converted(onnx_files, path, tmp_path)
    assert "the scale with which MatMul takes it" in weights.layers["w"].left_out


def doubled(count):
    """A tensor joined with itself again and again, of which the first rows are taken."""
    names = ["w", *(f"d{at}" for at in range(count))]
    for before, after in pairwise(names):
        yield operation("Concat", f"{before} {before}", after, AXIS)
    yield operation("Split", names[-1], "y rest", attribute("split", 8, b"\1\1"))
    yield LAST


CIRCLE = [operation("Concat", "a w", "b", AXIS), operation("Identity", "b", "a")]
SQUEEZED = operation("Squeeze", "w", "y", attribute("axes", 8, bytes([9])))
SLICED = operation("Slice", "w far far", "y")
RESHAPED = operation("Reshape", "w w", "y")


@pytest.mark.parametrize(
    "nodes",
    [
        list(doubled(11)),
        list(doubled(60)),
        [*CIRCLE, operation("MatMul", "x b", "z")],
        [SQUEEZED, LAST],
        [SLICED, LAST],
        [RESHAPED, LAST],
        [operation("Identity", "w" if at == 0 else f"i{at}", f"i{at + 1}") for at in range(500)],
    ],
)
def test_what_cannot_be_computed_leaves_the_tensor_as_it_is(nodes, tmp_path):
    path = tmp_path / "odd.onnx"
    path.write_bytes(model(tensor(W, NUMBERS), *nodes))
    weights = converted(onnx_files, path, tmp_path)
    assert weights.entries.keys() == {"w"}
    assert weights.entries["w"]["role"] == "unknown"


@pytest.mark.parametrize("count", [3, 10])
def test_operators_that_repeat_numbers_are_refused(count, tmp_path):
    path = tmp_path / "many.onnx"
    path.write_bytes(model(tensor(W, NUMBERS), *doubled(2)))
    twice = np.tile(np.arange(6, dtype="f4").reshape(2, 3), 4)[:1]
    np.testing.assert_array_equal(converted(onnx_files, path, tmp_path).arrays["y"], twice)
    path.write_bytes(model(tensor(W, NUMBERS), *doubled(count)))
    assert "numbers of 6. Simplify it first" in refused(onnx_files, path, tmp_path)


def test_one_tensor_cut_at_every_place_is_refused(tmp_path):
    path = tmp_path / "many.onnx"
    turns = [attribute("shape", 8, bytes([*[1] * at, 2, 3])) for at in range(5)]
    nodes = [operation("Reshape", "w", f"r{at}", turn) for at, turn in enumerate(turns)]
    nodes += [operation("Gemm", f"x x r{at}", f"y{at}") for at in range(5)]
    path.write_bytes(model(tensor(W, NUMBERS), *nodes))
    assert "numbers of 6. Simplify it first" in refused(onnx_files, path, tmp_path)


def test_equal_steps_are_one_tensor(tmp_path):
    path = tmp_path / "steps.onnx"
    shape = attribute("shape", 8, bytes([3, 2]))
    nodes = [operation("Reshape", "w", f"r{at}", shape) for at in range(9)]
    nodes += [operation("MatMul", "x r8", "y")]
    path.write_bytes(model(tensor(W, NUMBERS), *nodes))
    assert converted(onnx_files, path, tmp_path).entries.keys() == {"r0"}


def test_graphs_that_are_nested_too_deep(tmp_path):
    graph = field(1, MATMUL)
    for _ in range(17):
        graph = field(1, field(4, b"If") + field(5, field(1, b"then_branch") + field(6, graph)))
    path = tmp_path / "deep.onnx"
    path.write_bytes(field(8, field(2, 21)) + field(7, graph + field(5, tensor(W, NUMBERS))))
    assert "its graphs are nested deeper than 16" in refused(onnx_files, path, tmp_path)


def test_a_tensor_that_is_not_understood_does_not_stop_the_others(tmp_path):
    strings = tensor(field(8, b"words"), field(6, b"a"), dtype=8, dims=(1,))
    nameless = tensor(NUMBERS)
    path = tmp_path / "words.onnx"
    graph = field(1, MATMUL) + b"".join(
        field(5, t) for t in (tensor(W, NUMBERS), strings, nameless)
    )
    path.write_bytes(field(8, field(2, 21)) + field(7, graph))
    run = convert(onnx_files, path, "-o", tmp_path / "out.safetensors")
    assert run.code == 0
    assert "left out: 1 x tensor of ONNX type 8, which is not read" in run.err
    assert "left out: 1 x tensor without a name" in run.err


KINDS = ("Slice", "Concat", "Split", "Reshape", "Transpose", "Squeeze", "Unsqueeze", "Cast")


@st.composite
def chains(draw):
    """An array, and operators with their attributes and inputs of integers, one after another."""
    shape = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    array = np.arange(np.prod(shape), dtype="f4").reshape(shape)
    steps, now = [], array
    for kind in draw(st.lists(st.sampled_from(KINDS), max_size=5)):
        axis = draw(st.integers(0, max(now.ndim - 1, 0)))
        if now.ndim == 0 and kind not in ("Unsqueeze", "Cast"):
            continue
        if kind == "Slice":
            size = now.shape[axis]
            start, end = sorted(draw(st.tuples(*[st.integers(0, size)] * 2)))
            if start == end:
                continue
            stride = draw(st.sampled_from([1, 2, -1, -2]))
            if stride < 0:
                start, end = end - 1 - size, start - 1 - size
            steps.append((kind, [[start], [end], [axis - now.ndim], [stride]], {}))
        elif kind == "Split":
            cut = draw(st.integers(0, now.shape[axis] - 1))
            steps.append((kind, [[now.shape[axis] - cut, cut]], {"axis": axis}))
        elif kind == "Reshape":
            steps.append((kind, [draw(st.permutations([-1, *now.shape[1:]]))], {}))
        elif kind == "Squeeze":
            ones = [at for at, size in enumerate(now.shape) if size == 1]
            if not ones:
                continue
            steps.append((kind, [[ones[-1]]], {}))
        elif kind == "Unsqueeze":
            steps.append((kind, [[axis]], {}))
        else:
            order = draw(st.permutations(range(now.ndim)))
            more = {"Concat": {"axis": axis}, "Transpose": {"perm": order}, "Cast": {"to": 1}}
            steps.append((kind, [], more[kind]))
        now = evaluated(array, steps)
    return array, steps


def onnx_model(array, steps):
    """A model of steps that ends in a matrix, which a product takes."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    held, nodes = [numpy_helper.from_array(array, "s0")], []
    steps = [*steps, ("Reshape", [[1, -1]], {})]
    for at, (kind, integers, attributes) in enumerate(steps):
        names = [f"i{at}_{place}" for place in range(len(integers))]
        for name, numbers in zip(names, integers, strict=True):
            held.append(numpy_helper.from_array(np.array(numbers), name))
        inputs = [f"s{at}"] * (2 if kind == "Concat" else 1) + names
        outputs = [f"s{at + 1}", f"rest{at}"][: 2 if kind == "Split" else 1]
        nodes.append(helper.make_node(kind, inputs, outputs, **attributes))
    nodes.append(helper.make_node("MatMul", ["x", f"s{len(steps)}"], ["y"]))
    given, made = (
        helper.make_tensor_value_info(name, 1, shape)
        for name, shape in (("x", [1, 1]), (f"s{len(steps) - 1}", None))
    )
    graph = helper.make_graph(nodes, "chain", [given], [made], held)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def evaluated(array, steps):
    """What ONNX's own evaluator makes of an array, before it is made a matrix."""
    (found,) = ReferenceEvaluator(onnx_model(array, steps)).run(None, {"x": np.ones((1, 1), "f4")})
    return found


@pytest.mark.skipif(onnx is None, reason="onnx is not installed")
@given(chains())
def test_any_steps_are_what_onnx_makes_of_them(tmp_path_factory, chain):
    array, steps = chain
    path = tmp_path_factory.mktemp("chain") / "chain.onnx"
    path.write_bytes(onnx_model(array, steps).SerializeToString())
    wanted = evaluated(array, steps).reshape(1, -1)
    if wanted.size > 4 * array.size:
        assert "Simplify it first" in refused(onnx_files, path, path.parent)
        return
    run = convert(onnx_files, path, "-o", path.with_suffix(".safetensors"))
    if "Simplify it first" in run.err:
        assert sum(kind == "Concat" for kind, _, _ in steps) > 2
        return
    weights = read(path.with_suffix(".safetensors"))
    assert [e["role"] for e in weights.entries.values()].count("weight") == 1
    np.testing.assert_array_equal(weights.arrays[f"s{len(steps) + 1}"], wanted)
