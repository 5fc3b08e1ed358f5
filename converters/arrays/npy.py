"""NumPy's .npy format, its header matched and never evaluated."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipInfo

import numpy as np
from common.containers import DAMAGED, check_sum, data_offset, map_array, open_regular, read_member
from common.errors import ConversionError
from numpy.typing import NDArray

MAX_HEADER = 10_000
NO_ARRAY = "member that is no array"
_HEADER = re.compile(
    rb"\{'descr': (?:'([^'\n]*)'|(\[.*\])), 'fortran_order': (True|False), "
    rb"'shape': \(((?:\d{1,18},? ?){0,32})\),? ?\}\s*"
)
NUMBER_CODES = re.compile(r"[<>=|]?(f[248]|[iu][1248]|b1|c8)")
"""NumPy's codes of the types that can be written."""


@dataclass(frozen=True)
class Npy:
    """What a header says; `offset` is where the numbers begin.

    `code` is NumPy's of the type; of a structured one, the list of its fields.
    """

    code: str
    shape: tuple[int, ...]
    is_fortran: bool
    offset: int

    @property
    def holds_numbers(self) -> bool:
        """Whether the type is one that can be written."""
        return NUMBER_CODES.fullmatch(self.code) is not None

    @property
    def dtype(self) -> str:
        """NumPy's name of the type."""
        return np.dtype(self.code).name if self.holds_numbers else self.code

    @property
    def size(self) -> int:
        """Bytes of header and numbers."""
        return self.offset + prod(self.shape) * np.dtype(self.code).itemsize


def parse(start: bytes, size: int) -> Npy:
    """Read a header.

    Parameters
    ----------
    start : the first `MAX_HEADER` bytes, or all.
    size : of the whole, which header and numbers must fill.

    Raises
    ------
    ValueError
        If it is not the header of an array, or the sizes differ.
    """
    width = {1: 2, 2: 4, 3: 4}.get(start[6] if len(start) > 6 else 0)
    if start[:6] != b"\x93NUMPY" or width is None:
        raise ValueError("it is not a NumPy file")
    offset = 8 + width + int.from_bytes(start[8 : 8 + width], "little")
    match = _HEADER.fullmatch(start[8 + width : offset]) if offset <= len(start) else None
    if match is None:
        raise ValueError("its NumPy header is not that of a plain array")
    simple, structured, order, lengths = match.groups()
    shape = tuple(int(length) for length in re.findall(rb"\d+", lengths))
    code = (structured if simple is None else simple).decode("utf-8", "replace")
    npy = Npy(code, shape, order == b"True", offset)
    if npy.holds_numbers and npy.size != size:
        raise ValueError(f"it has {size} bytes, not the {npy.size} of its header")
    return npy


def members_of(archive: Mapping[str, ZipInfo]) -> tuple[dict[str, ZipInfo], dict[str, int]]:
    """Arrays of a .npz archive by name, and the number of its other members, if there are any."""
    arrays = {
        name.removesuffix(".npy"): info for name, info in archive.items() if name.endswith(".npy")
    }
    others = len(archive) - len(arrays)
    return arrays, {NO_ARRAY: others} if others else {}


def read_header(path: Path, info: ZipInfo | None = None) -> Npy:
    """Read the header of a file, or of a member of a zip archive."""
    try:
        if info is None:
            with open_regular(path) as file:
                return parse(file.read(MAX_HEADER), path.stat().st_size)
        return parse(read_member(path, info, MAX_HEADER), info.file_size)
    except ValueError as error:
        name = None if info is None else info.filename
        raise ConversionError(str(error), DAMAGED, name, path) from error


def read_array(path: Path, npy: Npy, info: ZipInfo | None = None) -> NDArray[Any]:
    """Read the numbers; they are mapped where they are not compressed."""
    count = (prod(npy.shape),)
    if info is None:
        numbers = map_array(path, npy.offset, npy.code, count)
    elif info.compress_type == ZIP_STORED:
        check_sum(path, info)
        numbers = map_array(path, data_offset(path, info) + npy.offset, npy.code, count)
    else:
        numbers = np.frombuffer(read_member(path, info), npy.code, offset=npy.offset)
    return numbers.reshape(npy.shape, order="F" if npy.is_fortran else "C")
