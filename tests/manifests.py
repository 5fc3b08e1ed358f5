"""Manifests to try readers with: one that uses everything, good and bad variants of it."""

import copy
import json

import numpy as np

MANIFEST = {
    "format": "htsr-weights/2",
    "source": {"framework": "pytorch 2.13.0", "converter": "c 1", "file": None, "sha256": None},
    "tensors": {
        "fc1.weight": {"layer": "fc1", "role": "weight", "axes": ["out", "in"]},
        "conv1.weight": {"role": "weight", "axes": ["out", "in", "k1", "k2"], "groups": 2},
        "qkv.weight": {
            "layer": "attn",
            "role": "weight",
            "axes": ["out", "in"],
            "parts": [{"name": name, "size": 4} for name in "qkv"],
        },
        "experts.w": {"layer": "experts", "role": "weight", "axes": ["stack", "out", "in"]},
        "q8.weight": {
            "layer": "q8",
            "role": "weight",
            "axes": ["out", "in"],
            "quantization": {"scale": {"tensor": "q8.scale"}, "zero_point": 3, "axis": 0},
        },
        "q8.scale": {"role": "unknown"},
        "embed.weight": {"role": "embedding", "axes": ["out", "in"]},
        "head.weight": {
            "layer": "head",
            "role": "weight",
            "axes": ["out", "in"],
            "same_as": "embed.weight",
        },
        "fc1.bias": {"role": "bias"},
    },
    "extra": {"anything": [1, 2]},
}
ARRAYS = {
    "fc1.weight": np.arange(12, dtype=np.float32).reshape(3, 4),
    "conv1.weight": np.arange(4 * 3 * 2 * 5, dtype=np.float32).reshape(4, 3, 2, 5),
    "qkv.weight": np.ones((12, 4), dtype=np.float32),
    "experts.w": np.ones((5, 2, 3), dtype=np.float32),
    "q8.weight": np.array([[1, -3], [5, 7]], dtype=np.int8),
    "q8.scale": np.array([0.5, 2.0], dtype=np.float32),
    "embed.weight": np.arange(6, dtype=np.float32).reshape(3, 2),
    "fc1.bias": np.zeros(3, dtype=np.float32),
}


def labeled(tmp_path, safetensors_bytes, manifest, arrays=ARRAYS):
    """A safetensors file of arrays under a manifest: text, or an object to be dumped."""
    text = manifest if isinstance(manifest, str) else json.dumps(manifest)
    header, data = {"__metadata__": {"htsr_manifest": text}}, b""
    codes = {"float32": "F32", "int8": "I8"}
    for name, array in arrays.items():
        header[name] = {
            "dtype": codes[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [len(data), len(data) + array.nbytes],
        }
        data += array.tobytes()
    path = tmp_path / "labeled.safetensors"
    path.write_bytes(safetensors_bytes(header, data))
    return path


def changed(change, manifest=MANIFEST):
    result = copy.deepcopy(manifest)
    change(result)
    return result


def put(*keys, value):
    def change(manifest):
        for key in keys[:-1]:
            manifest = manifest[key]
        manifest[keys[-1]] = value

    return changed(change)


def drop(*keys):
    def change(manifest):
        for key in keys[:-1]:
            manifest = manifest[key]
        del manifest[keys[-1]]

    return changed(change)


def in_fc1(**keys):
    return put("tensors", "fc1.weight", value={"role": "weight", "axes": ["out", "in"], **keys})


def in_conv1(**keys):
    entry = {"role": "weight", "axes": ["out", "in", "k1", "k2"], **keys}
    return put("tensors", "conv1.weight", value=entry)


def quantized(**keys):
    return in_fc1(quantization=keys)


GOOD = {
    "full": MANIFEST,
    "no source": drop("source"),
    "no extra": drop("extra"),
    "empty source": put("source", value={}),
    "no layer": drop("tensors", "fc1.weight", "layer"),
    "norm": put("tensors", "fc1.bias", value={"role": "norm", "layer": "x"}),
    "embedding": in_fc1(role="embedding"),
    "recurrent": in_fc1(role="recurrent"),
    "one group": in_conv1(groups=1, parts=[{"name": "a", "size": 4}]),
    "scale": quantized(scale=0.5),
    "axis null": quantized(scale=0.5, axis=None, zero_point=0),
    "lists": quantized(scale=[1, 2, 3], zero_point=[0, 0, 0], axis=0),
    "scale of one": quantized(scale=2, zero_point=1, axis=1),
    "source's order": in_fc1(axes=["in", "out"]),
    "merged": put("tensors", "experts.w", value={"role": "weight", "axes": ["out", "out", "in"]}),
    "view": in_fc1(axes=["out", "out", "in"], view=[3, 2, 2]),
    "nothing stated": put("tensors", "fc1.weight", value={}),
    "axes alone": put("tensors", "fc1.weight", value={"axes": ["in", "out"]}),
    "class": in_fc1(**{"class": "dense"}, config={"groups": 1}),
    "config": put("config", value={"hidden_size": 4}),
    "scale alone": put(
        "tensors", "q8.weight", value={"quantization": {"scale": [1, 2], "axis": 0}}
    ),
    "every role": put("tensors", "fc1.bias", value={"role": "zero point"}),
    "rule": in_fc1(rule="2 axes (out, in)"),
    "guess": in_conv1(rule="3 to 5 axes (out, in, k)", inferred=True),
    "rule of a bias": put("tensors", "fc1.bias", value={"role": "bias", "rule": "bias by name"}),
}
BAD = {
    "list": [],
    "text": "manifest",
    "no format": drop("format"),
    "format 3": put("format", value="htsr-weights/3"),
    "format null": put("format", value=None),
    "no tensors": drop("tensors"),
    "tensors list": put("tensors", value=[]),
    "unknown key": put("created", value="today"),
    "source list": put("source", value=[]),
    "source key": put("source", "date", value="today"),
    "source number": put("source", "file", value=3),
    "extra list": put("extra", value=[1]),
    "entry text": put("tensors", "fc1.weight", value="linear"),
    "unknown entry key": in_fc1(color="red"),
    "kind of version 1": in_fc1(kind="linear"),
    "unknown role": in_fc1(role="linear"),
    "role list": in_fc1(role=["weight"]),
    "role null": in_fc1(role=None),
    "no axes": drop("tensors", "fc1.weight", "axes"),
    "axes text": in_fc1(axes="out"),
    "axes of numbers": in_fc1(axes=[0, 1]),
    "axes empty": in_fc1(axes=[]),
    "axes without out": in_fc1(axes=["in", "in"]),
    "four k": in_conv1(axes=["out", "in", "k1", "k2", "k3", "k4"]),
    "view text": in_fc1(view="3x4"),
    "view negative": in_fc1(view=[-3, -4]),
    "view without axes": put("tensors", "fc1.weight", value={"view": [3, 4]}),
    "parts without axes": put("tensors", "fc1.weight", value={"parts": [{"name": "a", "size": 3}]}),
    "class empty": in_fc1(**{"class": ""}),
    "config list": in_fc1(config=[]),
    "model's config list": put("config", value=[]),
    "bias with axes": put("tensors", "fc1.bias", value={"role": "bias", "axes": []}),
    "bias with groups": put("tensors", "fc1.bias", value={"role": "bias", "groups": 1}),
    "layer empty": in_fc1(layer=""),
    "layer null": in_fc1(layer=None),
    "same_as number": in_fc1(same_as=1),
    "rule empty": in_fc1(rule=""),
    "inferred without a rule": in_fc1(inferred=True),
    "inferred as text": in_fc1(rule="by name", inferred="yes"),
    "groups zero": in_conv1(groups=0),
    "groups text": in_conv1(groups="2"),
    "groups true": in_conv1(groups=True),
    "groups of a matrix": in_fc1(groups=3),
    "groups and parts": in_conv1(groups=2, parts=[{"name": "a", "size": 4}]),
    "parts empty": in_fc1(parts=[]),
    "parts object": in_fc1(parts={"a": 3}),
    "part without size": in_fc1(parts=[{"name": "a"}]),
    "part without name": in_fc1(parts=[{"size": 3}]),
    "part of no rows": in_fc1(parts=[{"name": "a", "size": 0}]),
    "part key": in_fc1(parts=[{"name": "a", "size": 3, "start": 0}]),
    "quantization text": in_fc1(quantization="int8"),
    "no scale": quantized(zero_point=0),
    "quantization key": quantized(scale=1, bits=8),
    "scale text": quantized(scale="1"),
    "scale true": quantized(scale=True),
    "scale null": quantized(scale=None),
    "scale of texts": quantized(scale=["1"], axis=0),
    "scale empty": quantized(scale=[], axis=0),
    "scale object": quantized(scale={"name": "q8.scale"}),
    "list without axis": quantized(scale=[1, 2, 3]),
    "list of one without axis": quantized(scale=[1]),
    "list with axis null": quantized(scale=1, zero_point=[1, 2, 3], axis=None),
    "axis negative": quantized(scale=1, axis=-1),
    "axis text": quantized(scale=1, axis="out"),
    "axis and a half": quantized(scale=1, axis=0.5),
    "groups and a half": in_conv1(groups=2.5),
    "part of a row and a half": in_fc1(parts=[{"name": "a", "size": 1.5}]),
}
BAD_BEYOND_THE_SCHEMA = {
    # For a JSON schema 1.0 is an integer; it is no different from the integer 1.
    "axis with a fraction": (quantized(scale=1, axis=1.0), "axis must be an integer"),
    "groups with a fraction": (in_conv1(groups=1.0), "groups must be an integer"),
    "part with a fraction": (
        in_fc1(parts=[{"name": "a", "size": 3.0}]),
        "size must be an integer",
    ),
    "two parts of one name": (
        in_fc1(parts=[{"name": "a", "size": 1}, {"name": "a", "size": 2}]),
        "same name",
    ),
    "axis too high": (quantized(scale=1, axis=2), "no axis 2"),
    "skipped k": (in_conv1(axes=["out", "in", "k1", "k3"]), "cannot have the axes"),
    "three stacks": (
        in_fc1(axes=["stack", "stack", "stack", "out", "in"]),
        "cannot have the axes",
    ),
    "a kernel without sides": (in_conv1(axes=["out", "in"]), "has 4"),
    "view of another size": (in_fc1(axes=["out", "out", "in"], view=[3, 2, 3]), "is not cut by"),
    "view of other axes": (in_fc1(view=[3, 2, 2]), "its view has 3"),
    "scale along a merged axis": (
        in_fc1(axes=["out", "out", "in"], view=[3, 2, 2], quantization={"scale": 1, "axis": 1}),
        "merged",
    ),
    "scale infinite": (quantized(scale=10**400), "beyond the range"),
    "parts too short": (in_fc1(parts=[{"name": "a", "size": 2}]), "2 rows together"),
    "groups do not divide": (in_conv1(groups=3), "do not divide"),
    "wrong rank": (in_fc1(axes=["stack", "out", "in"]), "has 2"),
    "list too short": (quantized(scale=[1, 2], axis=0), "2 numbers for an axis of 3"),
    "scale not stored": (quantized(scale={"tensor": "x"}), "'x' is not stored"),
    "scale too long": (quantized(scale={"tensor": "q8.scale"}), "should hold 1"),
    "scale is a matrix": (
        quantized(scale={"tensor": "embed.weight"}, axis=0),
        "should hold 3",
    ),
    "not in the file": (put("tensors", "x", value={"role": "bias"}), "not stored"),
    "not in the manifest": (drop("tensors", "fc1.bias"), "does not name it"),
    "tied to nothing": (in_fc1(same_as="x"), "not stored"),
    "tied to itself": (in_fc1(same_as="fc1.weight"), "not stored"),
    "tied in a chain": (in_fc1(same_as="head.weight"), "not stored"),
    "tied to another shape": (in_fc1(same_as="qkv.weight"), "shapes differ"),
}
