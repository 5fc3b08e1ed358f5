# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert NumPy (.npy, .npz), scikit-learn (skops) and MATLAB (.mat) files to a weight file.

h5py is needed for MATLAB files of version 7.3 and for --format hdf5. Pickles are never read.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

import numpy as np
from arrays import matlab, skops
from arrays.npy import members_of, read_array, read_header
from common.containers import open_regular, read_member, zip_members
from common.errors import ConversionError
from common.export import main
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from common.strict_json import loads
from hdf5 import matlab as matlab_hdf5
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
        arrays, others = members_of(members)
        if arrays:
            source = _numpy(path, arrays)
            return replace(source, dropped={**source.dropped, **others})
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
    tensors = [
        Tensor(name, npy.shape, npy.dtype, partial(read_array, path, npy, members[name]))
        for name, npy in headers.items()
        if npy.holds_numbers
    ]
    return _source(path, "numpy", tensors, len(headers) - len(tensors))


def _skops(path: Path, members: Mapping[str, ZipInfo]) -> Source:
    schema = loads(read_member(path, members["schema.json"]), "schema.json")
    tensors: list[Tensor] = []
    dropped: Counter[str] = Counter()
    holders: dict[str, str] = {}
    for name, file in skops.arrays(schema):
        if file not in members:
            raise ConversionError(f"its member {file!r} is missing", "Save it again", name)
        npy = read_header(path, members[file])
        facts = skops.facts(name, len(npy.shape))
        if not npy.holds_numbers or facts is None:
            dropped[PRIVATE if facts is None else NOT_NUMBERS] += 1
            continue
        read = partial(read_array, path, npy, members[file])
        same_as = _tie(holders, file, name)
        tensors.append(Tensor(name, npy.shape, npy.dtype, read, facts, same_as))
    return Source("scikit-learn", path.name, tensors, [path], dropped)


def _matlab(path: Path) -> Source:
    found = {a.name: (a.shape, a.code, a.at) for a in matlab.arrays(path)}
    variables = _Variables(path)
    tensors = []
    for name, (shape, code, at) in found.items():
        if code:
            read = partial(variables.read, name, code, at)
            tensors.append(Tensor(name, shape, np.dtype(code).name, read))
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
    tensors = []
    holders: dict[str, str] = {}
    for name, (place, shape, dtype) in found.items():
        if dtype:
            read = partial(matlab_hdf5.read_array, path, place, dtype)
            same_as = _tie(holders, place, name)
            tensors.append(Tensor(name, shape, dtype, read, same_as=same_as))
    return _source(path, "matlab", tensors, len(found) - len(tensors))


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
