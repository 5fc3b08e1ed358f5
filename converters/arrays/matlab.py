"""MATLAB files of version 5 to 7.2: arrays of numbers, also those within cells and structs.

Format: MathWorks, "MAT-File Format", Level 5.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, MAX_RATIO, map_array, open_regular
from common.errors import ConversionError
from common.names import NameBudget, width
from numpy.typing import NDArray

HEADER = 128
MAX_DEPTH = 32
MATRIX, COMPRESSED = 14, 15
CELL, STRUCT, OBJECT = 1, 2, 3
LOGICAL, COMPLEX = 0x200, 0x800
_STORED = {1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8"}
_STORED |= {12: "i8", 13: "u8"}
_CLASSES = {6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4"}
_CLASSES |= {14: "i8", 15: "u8"}


@dataclass(frozen=True)
class MatArray:
    """An array of numbers.

    Parameters
    ----------
    name : as one would write it in MATLAB: net.LW{2}.
    code : NumPy's type of its class; "" if it does not hold real numbers.
    at : where in the file its variable begins.
    """

    name: str
    shape: tuple[int, ...]
    code: str
    at: int
    numbers: NDArray[Any]


def arrays(path: Path) -> Iterator[MatArray]:
    """All arrays of a file; keep no more of one than its name, shape and `at`.

    What belongs to objects and function handles has no name, and is passed over.

    Raises
    ------
    ConversionError
        If the file is damaged.
    """
    position = HEADER
    while position < path.stat().st_size:
        yield from (array for array in variable(path, position) if array.name)
        position += 8 + _size(path, position)


def variable(path: Path, at: int) -> Iterator[MatArray]:
    """Arrays of the variable that begins at a place of the file."""
    order = _order(path)
    try:
        content = memoryview(map_array(path, at, "u1", (8 + _size(path, at),)).data)
        kind, data = _take(_elements(content, order))
        if kind == COMPRESSED:
            inflater = zlib.decompressobj()
            inflated = inflater.decompress(data, MAX_RATIO * len(data) + 64)
            if not inflater.eof:
                raise ValueError("a compressed variable has no end")
            kind, data = _take(_elements(memoryview(inflated), order))
        if kind == MATRIX:
            yield from _arrays(data, order, "", at, 0, NameBudget())
    except (ValueError, KeyError, struct.error, zlib.error) as error:
        raise ConversionError(f"it is damaged ({error})", DAMAGED) from error


def _size(path: Path, at: int) -> int:
    """Bytes of the variable that begins at a place of the file, after its tag."""
    with open_regular(path) as file:
        file.seek(at)
        tag = file.read(8)
    if len(tag) < 8:
        raise ConversionError("it ends too early", DAMAGED)
    return int(struct.unpack(_order(path) + "II", tag)[1])


def _order(path: Path) -> str:
    with open_regular(path) as file:
        mark = file.read(HEADER)[126:]
    if mark not in (b"IM", b"MI"):
        raise ConversionError("it is not a MATLAB file of version 5", DAMAGED)
    return "<" if mark == b"IM" else ">"


def _elements(content: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    position = 0
    while position < len(content):
        kind, size = struct.unpack_from(order + "II", content, position)
        if kind >> 16:  # a small element, whose data lie in the tag
            kind, size = kind & 0xFFFF, kind >> 16
            start, end = position + 4, position + 8
            if size > 4:
                raise ValueError(f"a small element of {size} bytes")
        else:
            start = position + 8
            end = start + size + (-size % 8 if kind != COMPRESSED else 0)
        if start + size > len(content):
            raise ValueError("an element ends beyond its container")
        yield kind, content[start : start + size]
        position = end


def _take(elements: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
    element = next(elements, None)
    if element is None:
        raise ValueError("an element is missing")
    return element


def _text(content: bytes | memoryview) -> str:
    return bytes(content).decode("utf-8", "replace")


def _arrays(
    content: memoryview, order: str, prefix: str, at: int, depth: int, budget: NameBudget
) -> Iterator[MatArray]:
    if depth > MAX_DEPTH:
        raise ValueError(f"it is nested deeper than {MAX_DEPTH}")
    if not content:
        return
    elements = _elements(content, order)
    flags = struct.unpack_from(order + "I", _take(elements)[1])[0]
    shape = tuple(int(n) for n in np.frombuffer(_take(elements)[1], order + "i4"))
    if min(shape, default=0) < 0:
        raise ValueError(f"an array of shape {shape}")
    name = prefix + _text(_take(elements)[1])
    budget.spend(width(name))
    kind = flags & 0xFF
    if kind == CELL:
        for number in range(1, prod(shape) + 1):
            label = f"{name}{{{number}}}"
            yield from _arrays(_take(elements)[1], order, label, at, depth + 1, budget)
    elif kind in (STRUCT, OBJECT):
        if kind == OBJECT:
            _take(elements)
        size = max(struct.unpack_from(order + "i", _take(elements)[1])[0], 1)
        text = bytes(_take(elements)[1])
        fields = [_text(text[i : i + size].split(b"\0")[0]) for i in range(0, len(text), size)]
        for number in range(1, prod(shape) + 1 if fields else 0):
            index = f"({number})" if prod(shape) > 1 else ""
            for field in fields:
                label = f"{name}{index}.{field}"
                yield from _arrays(_take(elements)[1], order, label, at, depth + 1, budget)
    elif kind in _CLASSES:
        stored, data = _take(elements)
        numbers = np.frombuffer(data, order + _STORED[stored])
        if len(numbers) != prod(shape):
            raise ValueError(f"{len(numbers)} numbers in an array of shape {shape}")
        code = "" if flags & COMPLEX else "b1" if flags & LOGICAL else _CLASSES[kind]
        yield MatArray(name, shape, code, at, numbers.reshape(shape, order="F"))
