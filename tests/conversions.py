"""Converters run in this process, and what they write, read without htsr_ref."""

import io
import json
import os
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
from common.export import main
from common.numbers import CODES

FIXTURES = Path(__file__).parent / "converters" / "fixtures"
CONVERTERS = {
    "gguf": "gguf_files",
    "huggingface": "huggingface",
    "jax": "jax_files",
    "keras": "keras_files",
    "numpy": "numpy_files",
    "onnx": "onnx_files",
    "paddle": "paddle_files",
    "pytorch": "pytorch",
    "tensorflow": "tensorflow_files",
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
    "tflite": "tflite.tflite",
}
"""Files of the folder `same`, one network as each framework writes it."""
DTYPES = {code: (name, storage) for name, (code, storage) in CODES.items()}


@dataclass(frozen=True)
class Run:
    """Exit code and what was printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class Weights:
    """A safetensors file: codes and types of its tensors, and the manifest."""

    arrays: dict[str, np.ndarray]
    dtypes: dict[str, str]
    manifest: dict[str, Any]

    @property
    def entries(self) -> dict[str, dict[str, Any]]:
        return self.manifest["tensors"]


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
    return Weights(arrays, dtypes, manifest)


def fixtures(folder: str | Path) -> list[Path]:
    """Files that a framework wrote, which have their expected weights beside them."""
    paths = (FIXTURES / folder).glob("*.expected.npz")
    return sorted(path.with_name(path.name.removesuffix(".expected.npz")) for path in paths)


def expected(path: Path) -> dict[str, np.ndarray]:
    """What the framework says the weights of a fixture are."""
    with np.load(path.with_name(path.name + ".expected.npz")) as arrays:
        return dict(arrays)


def assert_is_expected(weights: Weights, path: Path) -> None:
    """Compare every number's code with what the framework says."""
    wanted = expected(path)
    holders = {name: entry.get("same_as", name) for name, entry in weights.entries.items()}
    assert holders.keys() == wanted.keys()
    for name, array in wanted.items():
        found = weights.arrays[holders[name]]
        assert found.dtype == array.dtype, name
        assert found.shape == array.shape, name
        assert found.tobytes() == array.tobytes(), name
