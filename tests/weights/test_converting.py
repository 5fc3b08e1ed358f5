"""FMT-22, FMT-23: a converted file has canonical axes, and gives the same numbers."""

import json

import ml_dtypes
import numpy as np
import pytest
from conversions import FIXTURES
from hypothesis import given, settings
from hypothesis import strategies as st

from htsr_ref import analyze
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.errors import HtsrError, WeightFileError
from htsr_ref.weights import (
    Part,
    Quantization,
    TensorSpec,
    convert,
    open_weights,
    write_weights,
)

SMALL = {"min_dim": "0", "min_eigenvalues": "2"}
HUGGINGFACE = sorted(FIXTURES.glob("huggingface/*/config.json"))
FILES = [
    *(path.parent for path in HUGGINGFACE),
    FIXTURES / "numpy" / "deflated.npz",
    FIXTURES / "numpy" / "single.npy",
    FIXTURES / "jax" / "haiku.npz",
]
AXES = [
    ("out", "in"),
    ("stack", "out", "in"),
    ("out", "in", "k1"),
    ("out", "in", "k1", "k2"),
    ("out", "out", "in"),
    ("out", "k1", "k2"),
]
"""Axes of weights; permuted they are those of a stored tensor."""
FLOATS = ["float64", "float32", "float16", "bfloat16", "float8_e4m3fn", "float8_e5m2"]


def assert_same_numbers(before, after):
    """Every layer of a report has the numbers that it has in the other, and so has the model."""
    layers = {layer.name: layer for layer in before.layers}
    for layer in after.layers:
        assert layer.matrices == layers[layer.name].matrices, layer.name
        assert layer.means == layers[layer.name].means
        assert layer.role == layers[layer.name].role
        assert layer.dtype == layers[layer.name].dtype
    lost = layers.keys() - {layer.name for layer in after.layers}
    assert all(layers[name].matrices == () for name in lost)
    assert after.model == before.model


@pytest.mark.spec("FMT-22")
@pytest.mark.parametrize(
    "path",
    [FILES[0], *(pytest.param(path, marks=pytest.mark.slow) for path in FILES[1:])],
    ids=lambda path: path.name,
)
@pytest.mark.usefixtures("scripts_here")
def test_every_convention_gives_the_same_numbers(tmp_path, path):
    outputs = [tmp_path / "x.safetensors", tmp_path / "x.h5"]
    for output in outputs:
        convert(path, output)
    weights, *converted = map(open_weights, (path, *outputs))
    for convention in CONVENTIONS.values():
        before = analyze(weights, convention.override(SMALL))
        for one in converted:
            assert_same_numbers(before, analyze(one, convention.override(SMALL)))


@st.composite
def files(draw):
    """Arrays and entries: any axes in any order, any types, scales, ties."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    arrays, entries = {}, {}
    for number in range(draw(st.integers(1, 3))):
        name = f"layer{number}.weight"
        axes = draw(st.permutations(draw(st.sampled_from(AXES))))
        shape = tuple(draw(st.integers(2, 5)) for _ in axes)
        values = rng.standard_normal(shape) * 10.0 ** draw(st.integers(-3, 3))
        spec = {"role": draw(st.sampled_from(["weight", "embedding", "recurrent"]))}
        outs = [size for size, axis in zip(shape, axes, strict=True) if axis == "out"]
        if "k1" in axes and draw(st.booleans()):
            spec["groups"] = outs[0]
        elif draw(st.booleans()):
            total = int(np.prod(outs))
            spec["parts"] = (Part("a", 1), Part("b", total - 1))
        dtype = draw(st.sampled_from([*FLOATS, "int8"]))
        if dtype == "int8":
            arrays[name] = rng.integers(-128, 128, shape, dtype=np.int8)
            spec["quantization"] = _quantization(draw, rng, axes, shape, arrays, entries, name)
        else:
            arrays[name] = values.astype(np.dtype(getattr(ml_dtypes, dtype, dtype)))
        entries[name] = TensorSpec(axes=tuple(axes), **spec)
        if "quantization" not in spec and axes.count("out") == 1 and draw(st.booleans()):
            turned = list(axes)
            at, other = turned.index("out"), turned.index("in") if "in" in turned else None
            if other is not None and "groups" not in spec and draw(st.booleans()):
                turned[at], turned[other] = "in", "out"
            entries[f"tied{number}"] = TensorSpec("weight", tuple(turned), same_as=name)
    return arrays, entries


def _quantization(draw, rng, axes, shape, arrays, entries, name):
    kind = draw(st.sampled_from(["number", "list", "tensor"]))
    at = [i for i, axis in enumerate(axes) if axes.count(axis) == 1]
    if kind == "number" or not at:
        return Quantization(draw(st.sampled_from([0.5, 0.1])), draw(st.sampled_from([0.0, 3.0])))
    axis = draw(st.sampled_from(at))
    scales = np.abs(rng.standard_normal(shape[axis])).astype(np.float32) + np.float32(0.01)
    if kind == "list":
        return Quantization(tuple(map(float, scales)), 1.0, axis)
    arrays[f"{name}.s"] = scales
    entries[f"{name}.s"] = TensorSpec()
    return Quantization(f"{name}.s", 0.0, axis)


@pytest.mark.spec("FMT-22", "FMT-23")
@pytest.mark.usefixtures("scripts_here")
@given(file=files(), convention=st.sampled_from(sorted(CONVENTIONS)), suffix=st.booleans())
def test_any_file_gives_the_same_numbers(tmp_path_factory, file, convention, suffix):
    folder = tmp_path_factory.mktemp("any")
    source, output = folder / "in.safetensors", folder / ("x.h5" if suffix else "x.safetensors")
    write_weights(source, *file)
    convert(source, output)
    chosen = CONVENTIONS[convention].override(SMALL)
    assert_same_numbers(analyze(source, chosen), analyze(output, chosen))
    if not suffix:
        assert_is_canonical(output)


def assert_is_canonical(path):
    """Without our table: the manifest names the axes in order, and nothing is scaled."""
    content = path.read_bytes()
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    manifest = json.loads(header["__metadata__"]["htsr_manifest"])
    rank = {"stack": 0, "out": 1, "in": 2, "k1": 3, "k2": 4, "k3": 5}
    for name, entry in manifest["tensors"].items():
        assert "role" in entry
        assert "quantization" not in entry
        assert "view" not in entry
        axes = entry.get("axes", [])
        if "same_as" not in entry:
            assert sorted(axes, key=rank.get) == axes
            assert not axes or len(axes) == len(header[name]["shape"])
            assert axes.count("out") <= 1


@pytest.mark.spec("FMT-22")
@settings(max_examples=20)
@given(file=files())
def test_a_converted_file_converts_to_itself(tmp_path_factory, file):
    folder = tmp_path_factory.mktemp("twice")
    write_weights(folder / "in.safetensors", *file)
    convert(folder / "in.safetensors", folder / "a.safetensors")
    convert(folder / "a.safetensors", folder / "b.safetensors")
    first, second = (open_weights(folder / name) for name in ("a.safetensors", "b.safetensors"))
    for one, other in zip(first.layers, second.layers, strict=True):
        same = ("name", "tensor", "role", "axes", "shape", "parts", "groups", "same_as", "dtype")
        for field in same:
            assert getattr(one, field) == getattr(other, field)
        np.testing.assert_array_equal(one.data[...], other.data[...])


@pytest.mark.spec("FMT-23")
def test_scaled_numbers_are_written_as_what_they_stand_for(tmp_path):
    codes = np.arange(-4, 8, dtype=np.int8).reshape(3, 4)
    arrays = {"half": codes, "tenth": codes, "s": np.array([0.1, 0.2, 0.3, 0.4])}
    entries = {
        "half": TensorSpec("weight", ("out", "in"), quantization=Quantization(0.5, 1.0)),
        "tenth": TensorSpec("weight", ("out", "in"), quantization=Quantization("s", 0.0, 1)),
        "s": TensorSpec(),
    }
    write_weights(tmp_path / "q.safetensors", arrays, entries)
    done = convert(tmp_path / "q.safetensors", tmp_path / "x.safetensors")
    assert done.written == 2
    assert list(done.left_out.values()) == [1]
    layers = {layer.name: layer for layer in open_weights(tmp_path / "x.safetensors").layers}
    assert layers.keys() == {"half", "tenth"}
    assert layers["half"].data.code_dtype == "float32"
    assert layers["tenth"].data.code_dtype == "float64"
    assert layers["half"].dtype == layers["tenth"].dtype == "int8"
    np.testing.assert_array_equal(layers["half"].data[...], (codes - 1.0) * 0.5)
    np.testing.assert_array_equal(layers["tenth"].data[...], codes * arrays["s"])


@pytest.mark.spec("FMT-22")
def test_what_nothing_tells_stays_in_the_list_with_its_reason(tmp_path):
    np.savez(tmp_path / "in.npz", odd=np.ones((3, 4, 5)))
    convert(tmp_path / "in.npz", tmp_path / "x.safetensors")
    (before,), (after,) = (
        open_weights(tmp_path / name).layers for name in ("in.npz", "x.safetensors")
    )
    assert before.role == after.role == "unknown"
    np.testing.assert_array_equal(before.data[...], after.data[...])


@pytest.mark.spec("FMT-22")
def test_a_skipped_layer_is_not_written_and_corrections_are(tmp_path):
    np.savez(tmp_path / "in.npz", a=np.ones((3, 4)), b=np.ones((3, 4)), c=np.ones((3, 4)))
    layers = {"a": {"skip": "not of the model"}, "b": {"axes": ["in", "out"]}}
    done = convert(tmp_path / "in.npz", tmp_path / "x.safetensors", layers=layers, exclude=["c"])
    (layer,) = open_weights(tmp_path / "x.safetensors").layers
    assert (layer.name, layer.shape, layer.decided) == ("b", (4, 3), "stated: override: b")
    assert "not of the model" in done.left_out


@pytest.mark.spec("FMT-22")
def test_the_source_is_named(tmp_path):
    np.savez(tmp_path / "in.npz", a=np.ones((3, 4)))
    convert(tmp_path / "in.npz", tmp_path / "x.safetensors")
    source = open_weights(tmp_path / "x.safetensors").source
    assert source["file"] == "in.npz"
    assert source["sha256"] == open_weights(tmp_path / "in.npz").sha256()
    assert source["converter"].startswith("htsr convert ")


@pytest.mark.spec("FMT-22")
def test_numbers_are_rounded_on_request(tmp_path):
    values = np.random.default_rng(0).standard_normal((3, 4))
    np.savez(tmp_path / "in.npz", a=values, n=np.arange(3))
    convert(tmp_path / "in.npz", tmp_path / "x.safetensors", dtype="float32")
    layers = {layer.tensor: layer for layer in open_weights(tmp_path / "x.safetensors").layers}
    assert (layers["a"].dtype, layers["n"].dtype) == ("float32", "int64")
    np.testing.assert_array_equal(layers["a"].data[...], values.astype(np.float32))


@pytest.mark.spec("FMT-22", "FMT-7")
def test_a_source_that_is_damaged_leaves_no_file(tmp_path):
    np.savez_compressed(tmp_path / "in.npz", a=np.ones((3, 4)), b=np.zeros((50, 50)))
    content = bytearray((tmp_path / "in.npz").read_bytes())
    at = content.index(b"b.npy") + 40
    content[at : at + 4] = b"\0\0\0\0"
    (tmp_path / "in.npz").write_bytes(bytes(content))
    with pytest.raises(HtsrError):
        convert(tmp_path / "in.npz", tmp_path / "x.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["in.npz"]


@pytest.mark.spec("FMT-23")
@pytest.mark.parametrize(
    ("dtype", "entry", "what"),
    [
        ("int8", {"decoded_from": "int4"}, "float32 or float64"),
        ("float32", {"decoded_from": ""}, "must be a string"),
        ("float32", {"decoded_from": "int4", "quantization": {"scale": 2}}, "no quantization"),
    ],
)
def test_what_was_decoded_is_a_plain_number(tmp_path, safetensors_bytes, dtype, entry, what):
    entry = {"role": "weight", "axes": ["out", "in"], **entry}
    manifest = json.dumps({"format": "htsr-weights/2", "tensors": {"w": entry}})
    code, size = {"int8": ("I8", 1), "float32": ("F32", 4)}[dtype]
    header = {
        "__metadata__": {"htsr_manifest": manifest},
        "w": {"dtype": code, "shape": [2, 2], "data_offsets": [0, 4 * size]},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(safetensors_bytes(header, bytes(4 * size)))
    with pytest.raises(WeightFileError, match=what):
        open_weights(path)
