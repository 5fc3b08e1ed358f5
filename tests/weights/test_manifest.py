"""FMT-2 to FMT-6: the manifest, and the agreement of its schema with the reader."""

import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from manifests import ARRAYS, BAD, BAD_BEYOND_THE_SCHEMA, GOOD, MANIFEST, changed, labeled

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import Part, Quantization, TensorSpec, open_weights, write_weights
from htsr_ref.weights.manifest import Manifest, dump_manifest, parse_manifest

SCHEMA = Path(__file__).parents[2] / "spec" / "schemas" / "weights.schema.json"
VALIDATOR = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))

FIRST_SCHEMA = SCHEMA.with_name("weights-1.schema.json")
FIRST_VALIDATOR = jsonschema.Draft202012Validator(
    json.loads(FIRST_SCHEMA.read_text(encoding="utf-8"))
)


@pytest.mark.spec("FMT-2", "FMT-3", "FMT-4", "FMT-6")
def test_the_manifest_says_what_each_tensor_is(tmp_path, safetensors_bytes):
    weights = open_weights(labeled(tmp_path, safetensors_bytes, MANIFEST))
    layers = {layer.tensor: layer for layer in weights.layers}
    assert list(layers) == [*ARRAYS, "head.weight"]
    assert weights.source == MANIFEST["source"]
    assert {layer.decided for layer in weights.layers} == {"stated"}
    assert layers["fc1.weight"].name == "fc1"
    assert layers["conv1.weight"].axes == ("out", "in", "k1", "k2")
    assert layers["conv1.weight"].groups == 2
    assert layers["qkv.weight"].parts == (Part("q", 4), Part("k", 4), Part("v", 4))
    assert layers["experts.w"].axes == ("stack", "out", "in")
    assert layers["head.weight"].same_as == "embed.weight"
    assert layers["fc1.bias"].left_out == "bias"
    assert layers["q8.scale"].left_out == "unknown"
    analyzed = {name for name, layer in layers.items() if layer.left_out is None}
    assert analyzed == {*ARRAYS, "head.weight"} - {"q8.scale", "fc1.bias"}


@pytest.mark.spec("FMT-3")
@pytest.mark.parametrize(("inferred", "word"), [(False, "stated"), (True, "inferred")])
def test_the_rule_of_the_maker_is_told(tmp_path, inferred, word):
    path = tmp_path / "model.safetensors"
    spec = TensorSpec("weight", rule="2 axes (out, in)", inferred=inferred)
    write_weights(path, {"fc": np.eye(2)}, {"fc": spec})
    assert open_weights(path).layers[0].decided == f"{word}: 2 axes (out, in)"


@pytest.mark.spec("FMT-5")
def test_quantized_values(tmp_path, safetensors_bytes):
    weights = open_weights(labeled(tmp_path, safetensors_bytes, MANIFEST))
    data = next(layer.data for layer in weights.layers if layer.name == "q8")
    np.testing.assert_array_equal(data[...], [[-1.0, -3.0], [4.0, 8.0]])
    assert data[1, 0] == 4.0
    assert data[::-1, 1].tolist() == [8.0, -3.0]


@pytest.mark.spec("FMT-5")
@pytest.mark.parametrize(
    ("quantization", "expected"),
    [
        ({"scale": 0.1}, [[0.1, -3 * 0.1], [0.5, 7 * 0.1]]),
        ({"scale": 2, "zero_point": -1}, [[4, -4], [12, 16]]),
        ({"scale": [1, 10], "axis": 1}, [[1, -30], [5, 70]]),
        ({"scale": [1, 10], "zero_point": [1, 2], "axis": 0}, [[0, -4], [30, 50]]),
        ({"scale": 1, "zero_point": {"tensor": "q8.scale"}, "axis": 1}, [[0.5, -5], [4.5, 5]]),
    ],
)
def test_scale_and_zero_point(tmp_path, safetensors_bytes, quantization, expected):
    def change(manifest):
        manifest["tensors"]["q8.weight"]["quantization"] = quantization

    weights = open_weights(labeled(tmp_path, safetensors_bytes, changed(change)))
    data = next(layer.data for layer in weights.layers if layer.name == "q8")
    np.testing.assert_array_equal(data[...], expected)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)


@pytest.mark.spec("FMT-2", "FMT-3", "FMT-4", "FMT-5")
@pytest.mark.parametrize("name", GOOD)
def test_schema_and_reader_admit(tmp_path, safetensors_bytes, name):
    VALIDATOR.validate(GOOD[name])
    weights = open_weights(labeled(tmp_path, safetensors_bytes, GOOD[name]))
    assert len(weights.layers) == len(MANIFEST["tensors"])


@pytest.mark.spec("FMT-2", "FMT-3", "FMT-4", "FMT-5")
@pytest.mark.parametrize("name", BAD)
def test_schema_and_reader_refuse(tmp_path, safetensors_bytes, name):
    assert not VALIDATOR.is_valid(BAD[name])
    path = labeled(tmp_path, safetensors_bytes, BAD[name])
    with pytest.raises(WeightFileError, match="manifest"):
        open_weights(path)


@pytest.mark.spec("FMT-2", "FMT-4", "FMT-5", "FMT-6")
@pytest.mark.parametrize("name", BAD_BEYOND_THE_SCHEMA)
def test_reader_refuses_beyond_the_schema(tmp_path, safetensors_bytes, name):
    manifest, problem = BAD_BEYOND_THE_SCHEMA[name]
    VALIDATOR.validate(manifest)
    with pytest.raises(WeightFileError, match=problem) as caught:
        open_weights(labeled(tmp_path, safetensors_bytes, manifest))
    assert caught.value.tensor is not None


@pytest.mark.spec("FMT-2")
def test_an_unknown_version_names_the_cure(tmp_path, safetensors_bytes):
    path = labeled(tmp_path, safetensors_bytes, BAD["format 3"])
    with pytest.raises(WeightFileError, match="'htsr-weights/3'") as caught:
        open_weights(path)
    assert "install the release" in caught.value.cure


@pytest.mark.spec("FMT-2")
@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        '{"format": "htsr-weights/2", "format": "htsr-weights/2", "tensors": {}}',
        '{"format": "htsr-weights/2", "tensors": {}, "extra": {"x": NaN}}',
        '{"format": "htsr-weights/2", "tensors": {}, "extra": {"x": "\\udead"}}',
    ],
)
def test_manifest_text(tmp_path, safetensors_bytes, text):
    with pytest.raises(WeightFileError, match="manifest is not valid"):
        open_weights(labeled(tmp_path, safetensors_bytes, text))


@pytest.mark.spec("FMT-2", "FMT-7")
def test_what_is_written_follows_the_schema_and_is_read_back():
    manifest = Manifest(
        {
            "a": TensorSpec("weight", ("out", "in"), "fc", parts=(Part("q", 1), Part("k", 2))),
            "b": TensorSpec("weight", ("in", "out", "k1"), groups=3, layer_class="conv_transpose"),
            "c": TensorSpec("weight", ("out", "in"), quantization=Quantization("d", (1.0, 0.5), 1)),
            "d": TensorSpec("unknown", rule="a guess", inferred=True),
            "e": TensorSpec("weight", ("out", "in"), same_as="a"),
            "f": TensorSpec("weight", ("out", "in", "out"), view=(2, 3, 4), config={"groups": 2}),
            "g": TensorSpec(),
        },
        {"framework": "numpy", "converter": None, "file": "ä.npz", "sha256": None},
    )
    text = dump_manifest(manifest)
    VALIDATOR.validate(json.loads(text))
    again = parse_manifest(text, "file")
    assert dict(again.tensors) == dict(manifest.tensors)
    assert dict(again.source) == dict(manifest.source)


@pytest.mark.spec("FMT-2")
@pytest.mark.usefixtures("scripts_here")
def test_manifest_of_hdf5(tmp_path):
    path = tmp_path / "model.h5"
    specs = {"fc": TensorSpec("weight", layer="first"), "fc.bias": TensorSpec("bias")}
    write_weights(path, {"fc": np.eye(2), "fc.bias": np.ones(2)}, specs, format="hdf5")
    layers = open_weights(path).layers
    assert [(layer.name, layer.decided) for layer in layers] == [
        ("first", "stated"),
        ("fc.bias", "stated"),
    ]


FIRST = {
    "format": "htsr-weights/1",
    "tensors": {
        "a/kernel": {"kind": "conv", "axes": ["out", "in", "k1", "k2"]},
        "b/kernel": {
            "kind": "conv",
            "axes": ["out", "in", "k1", "k2"],
            "rule": "g",
            "inferred": True,
        },
        "tril": {"kind": "linear", "axes": ["out", "in"], "rule": "2 axes", "inferred": True},
        "moe.experts.w1": {
            "kind": "conv",
            "axes": ["out", "in", "k1"],
            "rule": "3 to 5 axes (out, in, k)",
            "inferred": True,
        },
        "scale": {"kind": "other"},
        "guess": {"kind": "other", "rule": "scalar or vector", "inferred": True},
    },
}
FIRST_ARRAYS = {
    "a/kernel": np.zeros((8, 3, 5, 5), np.float32),
    "b/kernel": np.zeros((8, 3, 5, 5), np.float32),
    "tril": np.zeros((4, 4), np.float32),
    "moe.experts.w1": np.zeros((6, 4, 3), np.float32),
    "scale": np.zeros((2, 2), np.float32),
    "guess": np.zeros((2, 2), np.float32),
}


@pytest.mark.spec("FMT-19")
@pytest.mark.parametrize("axes", [5, None, True, {}, "out", [5], [None], [["k1"]]])
@pytest.mark.parametrize("kind", ["linear", "conv"])
def test_axes_of_version_1_that_are_no_list_of_names(kind, axes, tmp_path, safetensors_bytes):
    manifest = FIRST | {"tensors": {"tril": {"kind": kind, "axes": axes}}}
    arrays = {"tril": FIRST_ARRAYS["tril"]}
    with pytest.raises(WeightFileError, match="axes must be"):
        open_weights(labeled(tmp_path, safetensors_bytes, manifest, arrays))


@pytest.mark.spec("FMT-19")
def test_version_1_is_read_what_it_inferred_is_inferred_anew(tmp_path, safetensors_bytes):
    weights = open_weights(labeled(tmp_path, safetensors_bytes, FIRST, FIRST_ARRAYS))
    found = {layer.tensor: (layer.role, layer.axes, layer.decided) for layer in weights.layers}
    conv = ("out", "in", "k1", "k2")
    assert found == {
        "a/kernel": ("weight", conv, "stated"),
        # Its axes were canonical, whatever a kernel's are elsewhere.
        "b/kernel": ("weight", conv, "inferred: conv kernel (k, in, out)"),
        "tril": ("mask", (), "inferred: mask by name"),
        "moe.experts.w1": ("weight", ("stack", "out", "in"), "inferred: stacked experts"),
        "scale": ("unknown", (), "stated"),
        "guess": ("weight", ("out", "in"), "inferred: 2 axes (out, in)"),
    }


@pytest.mark.spec("FMT-19")
@pytest.mark.parametrize(
    "entry",
    [
        {"kind": "dense", "axes": ["out", "in"]},
        {"kind": "linear"},
        {"kind": "linear", "axes": ["in", "out"]},
        {"kind": "linear", "axes": ["out", "in"], "groups": 1},
        {"kind": "linear", "axes": ["out", "in", "k1"]},
        {"kind": "conv", "axes": ["out", "in"]},
        {"kind": "bias", "axes": ["out", "in"]},
        {"role": "weight", "axes": ["out", "in"]},
    ],
)
def test_version_1_is_as_strict_as_it_was(tmp_path, safetensors_bytes, entry):
    assert not FIRST_VALIDATOR.is_valid(FIRST | {"tensors": {"tril": entry}})
    manifest = FIRST | {"tensors": {"tril": entry}}
    arrays = {"tril": FIRST_ARRAYS["tril"]}
    with pytest.raises(WeightFileError, match="manifest is not valid"):
        open_weights(labeled(tmp_path, safetensors_bytes, manifest, arrays))
