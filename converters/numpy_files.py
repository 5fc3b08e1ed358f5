# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert NumPy (.npy, .npz), scikit-learn (skops) and MATLAB (.mat) files to a weight file.

h5py is needed for MATLAB files of version 7.3 and for --format hdf5. Pickles are never read.
"""

import argparse
import re
import sys
from collections import Counter
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

import _matlab as matlab
import _matlab_hdf5 as matlab_hdf5
import _skops as skops
import numpy as np
from _conditions import Model
from _containers import open_regular, read_member, zip_members
from _errors import ConversionError
from _export import main
from _layout import SPATIAL, Meaning
from _model import Source, Tensor
from _npy import read_array, read_header
from _rules import decide
from _sniff import refuse, sniff
from _strict_json import loads
from numpy.typing import NDArray

NOT_NUMBERS = "array that does not hold real numbers"
PRIVATE = "private attribute"


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read the headers of a file's arrays."""
    word, description = sniff(path)
    if word == "npy":
        return _numpy(path, {path.stem: None})
    if word == "zip":
        members = zip_members(path)
        if "schema.json" in members:
            return _skops(path, members)
        if members and all(name.endswith(".npy") for name in members):
            return _numpy(path, {name.removesuffix(".npy"): members[name] for name in members})
        raise ConversionError(
            "it is a zip archive, but neither .npz nor skops", "Use pytorch.py or keras_files.py"
        )
    if word == "matlab":
        return _matlab(path)
    if word == "hdf5" and _starts_with(path, b"MATLAB 7"):
        return _matlab_hdf5(path)
    raise refuse(path, word, description)


def _numpy(path: Path, members: Mapping[str, ZipInfo | None]) -> Source:
    headers = {name: read_header(path, info) for name, info in members.items()}
    model = Model({name: npy.shape for name, npy in headers.items()})
    tensors = [
        Tensor(
            name,
            npy.shape,
            npy.dtype,
            partial(read_array, path, npy, members[name]),
            _kernel(name, len(npy.shape)) or decide(name, npy.shape, npy.dtype, model),
        )
        for name, npy in headers.items()
        if npy.holds_numbers
    ]
    return _source(path, "numpy", tensors, len(headers) - len(tensors))


def _kernel(name: str, ndim: int) -> Meaning | None:
    """Meaning of what Keras and Flax call a kernel, which is (k..., in, out)."""
    if re.split("[./]", name)[-1] != "kernel" or not 2 <= ndim <= 5:
        return None
    kind = "linear" if ndim == 2 else "conv"
    return Meaning(kind, "kernel (k, in, out)", (*SPATIAL[: ndim - 2], "in", "out"), inferred=True)


def _skops(path: Path, members: Mapping[str, ZipInfo]) -> Source:
    schema = loads(read_member(path, members["schema.json"]), "schema.json")
    tensors: list[Tensor] = []
    dropped: Counter[str] = Counter()
    holders: dict[str, str] = {}
    for name, file in skops.arrays(schema):
        if file not in members:
            raise ConversionError(f"its member {file!r} is missing", "Save it again", name)
        npy = read_header(path, members[file])
        meaning = skops.meaning(name, len(npy.shape))
        if not npy.holds_numbers or meaning is None:
            dropped[PRIVATE if meaning is None else NOT_NUMBERS] += 1
            continue
        read = partial(read_array, path, npy, members[file])
        same_as = _tie(holders, file, name)
        tensors.append(Tensor(name, npy.shape, npy.dtype, read, meaning, same_as))
    return Source("scikit-learn", path.name, tensors, [path], dropped)


def _matlab(path: Path) -> Source:
    found = {a.name: (a.shape, a.code, a.at) for a in matlab.arrays(path)}
    shapes = {name: shape for name, (shape, _, _) in found.items()}
    variables = _Variables(path)
    tensors = []
    for name, (shape, code, at) in found.items():
        if code:
            read = partial(variables.read, name, code, at)
            meaning = _matlab_meaning(name, shapes)
            tensors.append(Tensor(name, shape, np.dtype(code).name, read, meaning))
    return _source(path, "matlab", tensors, len(found) - len(tensors))


class _Variables:
    """Reads arrays, and keeps the variable that was read last: a struct is inflated as a whole."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at = 0
        self._arrays: dict[str, NDArray[Any]] = {}

    def read(self, name: str, code: str, at: int) -> NDArray[Any]:
        """Numbers of an array of the variable that begins at a place of the file."""
        if at != self._at:
            self._arrays, self._at = {}, 0  # before the next one is inflated
            found = matlab.variable(self._path, at)
            self._arrays, self._at = {array.name: array.numbers for array in found}, at
        return self._arrays[name].astype(code, copy=False)


def _matlab_hdf5(path: Path) -> Source:
    found = matlab_hdf5.read_shapes(path)
    shapes = {name: shape for name, (_, shape, _) in found.items()}
    tensors = []
    holders: dict[str, str] = {}
    for name, (place, shape, dtype) in found.items():
        if dtype:
            read = partial(matlab_hdf5.read_array, path, place, dtype)
            meaning, same_as = _matlab_meaning(name, shapes), _tie(holders, place, name)
            tensors.append(Tensor(name, shape, dtype, read, meaning, same_as))
    return _source(path, "matlab", tensors, len(found) - len(tensors))


def _matlab_meaning(name: str, shapes: Mapping[str, tuple[int, ...]]) -> Meaning:
    """Meaning of an array: convolutions are (k..., in, out), matrices (out, in)."""
    shape = shapes[name]
    stem, _, leaf = name.rpartition(".")
    recurrent = shapes.get(f"{stem}.RecurrentWeights" if stem else "RecurrentWeights")
    if len(shape) == 2:
        if 1 in shape:
            return Meaning("other", "vector", inferred=True)
        if leaf in ("InputWeights", "RecurrentWeights") and recurrent is not None:
            gates = {4: ("i", "f", "g", "o"), 3: ("r", "z", "n")}.get(shape[0] // recurrent[-1], ())
            parts = tuple((gate, recurrent[-1]) for gate in gates)
            fits = sum(size for _, size in parts) == shape[0]
            rule = "MATLAB recurrent weights"
            return Meaning(
                "recurrent", rule, ("out", "in"), inferred=True, parts=parts if fits else ()
            )
        return Meaning("linear", "MATLAB matrix (out, in)", ("out", "in"), inferred=True)
    axes = (*SPATIAL[: len(shape) - 2], "in", "out")
    if len(axes) != len(shape):
        return Meaning("other", "more than 5 axes", inferred=True)
    return Meaning("conv", "MATLAB array (k, in, out)", axes, inferred=True)


def _tie(holders: dict[str, str], place: str, name: str) -> str | None:
    """Name of the tensor that was first found at a place; None if it is this one."""
    holder = holders.setdefault(place, name)
    return holder if holder != name else None


def _source(path: Path, framework: str, tensors: list[Tensor], dropped: int) -> Source:
    return Source(framework, path.name, tensors, [path], {NOT_NUMBERS: dropped} if dropped else {})


def _starts_with(path: Path, signature: bytes) -> bool:
    with open_regular(path) as file:
        return file.read(len(signature)) == signature


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
