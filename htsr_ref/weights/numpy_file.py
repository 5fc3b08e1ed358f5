"""Reader of .npy files, and of the .npy headers inside .npz archives."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.text.lines import in_utf8
from htsr_ref.weights.backing import FileStamp, UncompressedArray
from htsr_ref.weights.container import Container, RawTensor

if TYPE_CHECKING:
    from pathlib import Path

MAX_HEADER = 10_000
MAX_NDIM = 32
_MAGIC = b"\x93NUMPY"
_ITEM = r"'(\w+)'\s*:\s*('[^'\\]*'|True|False|\([\d\s,]*\))\s*"
_HEADER = re.compile(rf"\{{\s*{_ITEM},\s*{_ITEM},\s*{_ITEM},?\s*\}}\s*")
_TYPE = re.compile(r"[<>|=]?[biufcSUVO]\d{0,9}")


class Readable(Protocol):
    """A binary stream."""

    def read(self, size: int, /) -> bytes:
        """Read up to `size` bytes."""
        ...


@dataclass(frozen=True)
class NpyHeader:
    """Header of a .npy stream; `offset` is the position of the data."""

    dtype: np.dtype[np.generic]
    order: Literal["C", "F"]
    shape: tuple[int, ...]
    offset: int

    @property
    def end(self) -> int:
        """Position after the data."""
        return self.offset + math.prod(self.shape) * self.dtype.itemsize


def read_npy(path: Path) -> Container:
    """Read the header of a .npy file; the tensor is named after the file.

    Raises
    ------
    WeightFileError
        If the file breaks a rule of the format or holds Python objects.

    Spec: FMT-11.
    """
    with path.open("rb") as file:
        stamp = FileStamp.of(path, file)
        try:
            header = read_npy_header(file)
            check_size(header, stamp.size)
        except ValueError as error:
            raise WeightFileError(path, str(error), "Save the array again as numbers") from error
    backing = UncompressedArray(stamp, header.offset, header.shape, header.dtype.str, header.order)
    tensor = RawTensor(in_utf8(path.stem), header.shape, header.dtype.name, backing)
    return Container("npy", (path,), (tensor,))


def read_npy_header(stream: Readable) -> NpyHeader:
    """Parse a header without evaluating it.

    Raises
    ------
    ValueError
        If it is not the header of an array of numbers or text.
    """
    start = stream.read(8)
    if len(start) < 8 or not start.startswith(_MAGIC):
        raise ValueError("it does not start like a .npy file")
    if start[6] not in (1, 2, 3):
        raise ValueError(f"there is no version {start[6]} of .npy")
    width = 2 if start[6] == 1 else 4
    length = int.from_bytes(stream.read(width), "little")
    if length > MAX_HEADER:
        raise ValueError(f"its .npy header claims {length} bytes, more than {MAX_HEADER}")
    text = stream.read(length)
    match = _HEADER.fullmatch(text.decode("latin-1"))
    fields = (
        {} if match is None else dict(zip(match.groups()[::2], match.groups()[1::2], strict=True))
    )
    if len(text) < length or set(fields) != {"descr", "fortran_order", "shape"}:
        raise ValueError("its .npy header is not that of a plain array")
    return NpyHeader(
        _dtype(fields["descr"]),
        "F" if fields["fortran_order"] == "True" else "C",
        _shape(fields["shape"]),
        8 + width + length,
    )


def check_size(header: NpyHeader, size: int) -> None:
    """Check a header against the size of its stream; ValueError if they disagree."""
    if header.end != size:
        raise ValueError(f"its header announces {header.end} bytes in all, but there are {size}")


def _dtype(text: str) -> np.dtype[np.generic]:
    descr = text.strip("'")
    if _TYPE.fullmatch(descr) is None:
        raise ValueError(f"there is no number type {descr!r}")
    try:
        dtype: np.dtype[np.generic] = np.dtype(descr)
    except (TypeError, ValueError) as error:
        raise ValueError(f"there is no number type {descr!r}") from error
    if dtype.hasobject:
        raise ValueError("it holds pickled Python objects, which are never loaded")
    return dtype


def _shape(text: str) -> tuple[int, ...]:
    if re.fullmatch(r"\(\s*(\d+\s*,\s*)*(\d+\s*)?\)", text) is None:
        raise ValueError(f"there is no shape {text!r}")
    digits = re.findall(r"\d+", text)
    if len(digits) > MAX_NDIM:
        raise ValueError(f"it has {len(digits)} axes, more than {MAX_NDIM}")
    if any(len(number) > 19 for number in digits):
        raise ValueError("its shape is too large to be addressed")
    shape = tuple(map(int, digits))
    if math.prod(size for size in shape if size) >= 2**60:
        raise ValueError("its shape is too large to be addressed")
    return shape
