"""Flax's msgpack files: a tree of values, with arrays as places in the file."""

import struct
from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array, open_regular
from common.errors import ConversionError
from common.numbers import CODES
from numpy.typing import NDArray

MAX_VALUES = 1_000_000
MAX_DEPTH = 64
CHUNKED = "__msgpack_chunked_array__"
NDARRAY, COMPLEX, SCALAR = 1, 2, 3
"""Flax's extension types."""


@dataclass(frozen=True)
class Place:
    """An array: where in the file its pieces begin, and how many numbers each has."""

    shape: tuple[int, ...]
    dtype: str
    pieces: tuple[tuple[int, int], ...]

    def read(self, path: Path) -> NDArray[Any]:
        """Read the numbers; mapped unless they lie in several pieces."""
        code = CODES[self.dtype][1]
        pieces = [map_array(path, offset, code, (count,)) for offset, count in self.pieces]
        numbers = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)
        return numbers.reshape(self.shape)


def read_tree(path: Path) -> Any:
    """Read a file's one value.

    Returns
    -------
    The value, of dict, list, str, numbers, None, bytes (which are not read: None) and `Place`.

    Raises
    ------
    ConversionError
        If the file is not such a value, or is too deep or too long.
    """
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        reader = _Reader(data)
        try:
            value = reader.value()
            if reader.at != len(data):
                raise ValueError(f"{len(data) - reader.at} extra bytes")
        except (ValueError, TypeError, KeyError, struct.error) as error:
            raise ConversionError(f"it is not an intact msgpack file ({error})", DAMAGED) from error
    return value


class _Reader:
    def __init__(self, data: mmap) -> None:
        self.data = data
        self.at = 0
        self.end = len(data)
        self.count = 0

    def skip(self, size: int) -> int:
        """Pass over bytes; returns where they begin."""
        start = self.at
        if size > self.end - start:
            raise ValueError("it is cut off")
        self.at = start + size
        return start

    def number(self, code: str) -> Any:
        size = struct.calcsize(code)
        start = self.skip(size)
        return struct.unpack(code, self.data[start : start + size])[0]

    def text(self, size: int) -> str:
        start = self.skip(size)
        return self.data[start : start + size].decode()

    def value(self, depth: int = 0) -> Any:
        self.count += 1
        if depth > MAX_DEPTH or self.count > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values, or nested deeper than {MAX_DEPTH}")
        first = self.number("B")
        if first < 0x80:
            return first
        if first < 0x90:
            return self.map(first & 0x0F, depth)
        if first < 0xA0:
            return self.list(first & 0x0F, depth)
        if first < 0xC0:
            return self.text(first & 0x1F)
        if first >= 0xE0:
            return first - 0x100
        if first in _CONSTANTS:
            return _CONSTANTS[first]
        if first in _NUMBERS:
            return self.number(_NUMBERS[first])
        if first not in _SIZED:
            raise ValueError(f"there is no value of type {first:#x}")
        size, read = _SIZED[first]
        return read(self, self.number(size) if isinstance(size, str) else size, depth)

    def map(self, count: int, depth: int) -> Any:
        found: dict[str, Any] = {}
        for _ in range(count):
            key = self.value(depth + 1)
            if not isinstance(key, str | int) or str(key) in found:
                raise ValueError(f"the key {key!r} is not text, or appears twice")
            found[str(key)] = self.value(depth + 1)
        return _joined(found) if CHUNKED in found else found

    def list(self, count: int, depth: int) -> list[Any]:
        return [self.value(depth + 1) for _ in range(count)]

    def bytes(self, size: int, _: int) -> None:
        self.skip(size)

    def extension(self, size: int, depth: int) -> Any:
        kind = self.number("b")
        end = self.skip(size) + size
        if kind not in (NDARRAY, SCALAR):
            return None
        outer = self.end
        self.at, self.end = end - size, end
        array = self.array()
        if self.at != end:
            raise ValueError("an array has extra bytes")
        self.end = outer
        return array

    def array(self) -> Place:
        """Read (shape, type, numbers) as far as the numbers."""
        if self.number("B") != 0x93:
            raise ValueError("an array does not consist of shape, type and numbers")
        shape, dtype, head = self.value(MAX_DEPTH - 1), self.value(), self.number("B")
        size = self.number({0xC4: ">B", 0xC5: ">H", 0xC6: ">I"}[head])
        _check(shape)
        if dtype in CODES and size != prod(shape) * np.dtype(CODES[dtype][1]).itemsize:
            raise ValueError(f"{size} bytes do not hold {shape} numbers of type {dtype}")
        return Place(tuple(shape), str(dtype), ((self.skip(size), prod(shape)),))


def _check(shape: Any) -> None:
    if not isinstance(shape, list) or len(shape) > 32:
        raise ValueError("a shape is not a list of at most 32 sizes")
    if not all(isinstance(size, int) and 0 <= size < 2**63 for size in shape):
        raise ValueError(f"{shape} is not a shape")


def _joined(chunked: dict[str, Any]) -> Place:
    """Make one array of the flat pieces that Flax cuts arrays of more than 1 GiB into."""
    shape, pieces = (_in_order(chunked[key]) for key in ("shape", "chunks"))
    _check(shape)
    if not pieces or not all(isinstance(piece, Place) for piece in pieces):
        raise ValueError("an array in pieces has none")
    counts = [count for piece in pieces for _, count in piece.pieces]
    if len({piece.dtype for piece in pieces}) > 1 or sum(counts) != prod(shape):
        raise ValueError("the pieces of an array do not fit its shape")
    places = tuple(place for piece in pieces for place in piece.pieces)
    return Place(tuple(shape), pieces[0].dtype, places)


def _in_order(numbered: Any) -> list[Any]:
    """Items of a tuple, which Flax stores as a map from "0", "1", ..."""
    if not isinstance(numbered, dict):
        raise TypeError("an array in pieces is not numbered")
    return [numbered[str(number)] for number in range(len(numbered))]


_CONSTANTS = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = {0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q"}
_NUMBERS |= {0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q"}
_SIZED: dict[int, tuple[str | int, Callable[[_Reader, int, int], Any]]] = {
    0xC4: (">B", _Reader.bytes),
    0xC5: (">H", _Reader.bytes),
    0xC6: (">I", _Reader.bytes),
    0xC7: (">B", _Reader.extension),
    0xC8: (">H", _Reader.extension),
    0xC9: (">I", _Reader.extension),
    0xD4: (1, _Reader.extension),
    0xD5: (2, _Reader.extension),
    0xD6: (4, _Reader.extension),
    0xD7: (8, _Reader.extension),
    0xD8: (16, _Reader.extension),
    0xD9: (">B", lambda reader, size, _: reader.text(size)),
    0xDA: (">H", lambda reader, size, _: reader.text(size)),
    0xDB: (">I", lambda reader, size, _: reader.text(size)),
    0xDC: (">H", _Reader.list),
    0xDD: (">I", _Reader.list),
    0xDE: (">H", _Reader.map),
    0xDF: (">I", _Reader.map),
}
