"""Converters run in this process; what they write, as it is and as htsr reads it."""

import io
import json
import os
from collections.abc import Container, Iterable
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from common.export import main
from common.numbers import CODES

from htsr_ref.weights import open_weights
from htsr_ref.weights.derived.derived_tensor import DerivedTensor
from htsr_ref.weights.dtypes import decode
from htsr_ref.weights.layer import Layer

FIXTURES = Path(__file__).parent / "converters" / "fixtures"
CONVERTERS = {
    "gguf": "gguf_files",
    "jax": "jax_files",
    "keras": "keras_files",
    "numpy": "numpy_files",
    "onnx": "onnx_files",
    "paddle": "paddle_files",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow_files",
    "tensorflowjs": "tensorflowjs_files",
    "tflite": "tflite_files",
}
"""Modules of the converters by the folder of their fixtures."""
SAME = {
    "gguf": "gguf.gguf",
    "huggingface": "huggingface",
    "jax": "jax.msgpack",
    "keras": "keras.keras",
    "numpy": "numpy.npz",
    "onnx": "onnx.onnx",
    "paddle": "paddle.pdparams",
    "pytorch": "pytorch.pt",
    "tensorflow": "tensorflow/model.index",
    "tensorflowjs": "tensorflowjs/model.json",
    "tflite": "tflite.tflite",
}
"""Files of the folder `same`, one network as each framework writes it."""
_CONV1 = {"role": "weight", "axes": ["k1", "in", "out"]}
TOLD = {
    ("jax", "misnamed.msgpack"): {"value": _CONV1},
    ("keras", "misnamed2_weights.h5"): {"output": _CONV1},
    ("tensorflow", "misnamed"): {"output": _CONV1},
    ("pytorch", "misnamed.pt"): {"pe": {"role": "position"}},
}
"""What a file does not say, and `--layers` must: three axes of which neither bias nor name tells
whether they are a convolution's."""
BILINEAR = {key: {"bilinear"} for key in ("transformer.pdparams", "checkpoint.pdparams")}
"""Tensors of three axes that are not weight matrices, by their files."""
KERAS_WEIGHTS = ("kernel", "embeddings", "depthwise_kernel")
"""Variables for which a layer of Keras is named."""
DTYPES = {code: (name, storage) for name, (code, storage) in CODES.items()}


@dataclass(frozen=True)
class Run:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Weights:
    """A safetensors file that a converter wrote: codes and types as stored, and the manifest."""

    path: Path
    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]
    manifest: dict[str, Any]

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        """What the source states of each tensor."""
        return self.manifest["tensors"]

    @cached_property
    def layers(self) -> dict[str, Layer]:
        """Layers of htsr by the tensors' names; read them before the file is written anew."""
        return by_tensor(self.path)


def by_tensor(source: Any, overrides: Any = None) -> dict[str, Layer]:
    """Layers of weights by the tensors' names."""
    return {layer.tensor: layer for layer in open_weights(source, overrides).layers}


def parts(layer: Layer) -> dict[str, int]:
    """Sizes of a layer's parts by their names."""
    return {part.name: part.size for part in layer.parts}


def convert(converter: ModuleType, source: Path, *arguments: object) -> Run:
    """Run a converter's command line."""
    add_arguments = getattr(converter, "add_arguments", lambda _: None)
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        argv = [os.fspath(source), *map(str, arguments)]
        code = main(converter.open_model, converter.__doc__, add_arguments, argv)
    return Run(code, out.getvalue(), err.getvalue())


def converted(converter: ModuleType, source: Path, folder: Path, *arguments: object) -> Weights:
    """Convert a file that must be convertible, and read what was written."""
    output = folder / "converted.safetensors"
    run = convert(converter, source, "-o", output, *arguments)
    assert run.code == 0, run.err
    return read(output)


def refused(converter: ModuleType, source: Path, folder: Path, *arguments: object) -> str:
    """Convert a file that must be refused, in one line and with nothing left behind; the line."""
    before = sorted(folder.iterdir())
    run = convert(converter, source, "-o", folder / "refused.safetensors", *arguments)
    assert run.code == 2, run.out
    assert run.err.startswith("error: ")
    assert run.err.count("\n") == 1
    assert sorted(folder.iterdir()) == before
    return run.err


def read(path: Path) -> Weights:
    """Read a safetensors file."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    manifest = json.loads(header.pop("__metadata__")["htsr_manifest"])
    arrays, dtypes = {}, {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtypes[name], storage = DTYPES[entry["dtype"]]
        data = content[start + begin : start + end]
        arrays[name] = np.frombuffer(data, storage).reshape(entry["shape"])
    return Weights(path, arrays, dtypes, manifest)


def fixtures(folder: str | Path) -> list[Path]:
    """Files that a framework wrote, which have their expected weights beside them."""
    paths = (FIXTURES / folder).glob("*.expected.npz")
    return sorted(path.with_name(path.name.removesuffix(".expected.npz")) for path in paths)


def expected(path: Path) -> dict[str, np.ndarray]:
    """What the framework says the weights of a fixture are."""
    with np.load(path.with_name(path.name + ".expected.npz")) as arrays:
        return dict(arrays)


def assert_is_expected(weights: Weights, path: Path) -> None:
    """Compare every number that htsr reads, before scales, with what the framework says."""
    told = TOLD.get((path.parent.name, path.name), {})
    matrices = [layer for layer in weights.layers.values() if len(layer.shape) > 1]
    unclear = {layer.name for layer in matrices if layer.code == "not-understood"}
    assert unclear == told.keys() | BILINEAR.get(path.name, set())
    assert_holds(by_tensor(weights.path, told).values(), expected(path))


def assert_holds(layers: Iterable[Layer], wanted: dict[str, np.ndarray]) -> None:
    """Compare every number of layers in canonical axes; the codes of `wanted` are theirs."""
    found = _by_key(layers, wanted)
    assert sorted(found) == sorted(wanted)
    for name, codes in wanted.items():
        layer = found[name]
        assert np.dtype(CODES[layer.dtype][1]) == codes.dtype, name
        assert layer.shape == codes.shape, name
        values = replace(layer.data, scaling=None)[...]
        if isinstance(layer.data.backing, DerivedTensor):
            # Written down is the weight before its spectral norm, which divides it by one number.
            ratio = np.linalg.norm(values) / np.linalg.norm(codes.astype(float))
            np.testing.assert_allclose(values, ratio * codes.astype(float), rtol=1e-12)
            continue
        assert values.tobytes() == decode(codes, layer.dtype).tobytes(), name


def _by_key(layers: Iterable[Layer], wanted: Container[str]) -> dict[str, Layer]:
    """Layers by their tensors' names, their own, or in Keras by those of their variables."""
    found = {}
    for layer in layers:
        names = layer.tensor, layer.name, *(f"{layer.name}/{leaf}" for leaf in KERAS_WEIGHTS)
        name = next((name for name in names if name in wanted and name not in found), layer.tensor)
        found[name] = layer
    return found
