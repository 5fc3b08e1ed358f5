"""The header of GGUF files, version 2 and 3: metadata, and where the tensors are."""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any

from common.containers import DAMAGED, open_regular
from common.errors import ConversionError

MAX_AXES = 4
MAX_VALUES = 50_000_000
TEXT, ARRAY = 8, 9
NUMBERS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?"}
NUMBERS |= {10: "<Q", 11: "<q", 12: "<d"}


@dataclass(frozen=True)
class Entry:
    """A tensor: its shape, slowest axis first, GGML's number of its type, and where it begins."""

    shape: tuple[int, ...]
    kind: int
    offset: int


@dataclass(frozen=True)
class Header:
    """Metadata without its arrays, and tensors by name."""

    metadata: Mapping[str, Any]
    tensors: Mapping[str, Entry]


def read_header(path: Path) -> Header:
    """Read a file's header.

    Raises
    ------
    ConversionError
        If it is of another version, or not intact.
    """
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as data:
        cursor = _Cursor(data, len(b"GGUF"))
        try:
            version = cursor.number("<I")
            if version not in (2, 3):
                is_swapped = version in (2 << 24, 3 << 24)
                problem = (
                    "its numbers are big-endian" if is_swapped else f"it has version {version}"
                )
                raise ConversionError(problem, "Convert the model again with llama.cpp")
            return _header(cursor)
        except (ValueError, struct.error) as error:
            raise ConversionError(f"its header is damaged ({error})", DAMAGED) from error


class _Cursor:
    def __init__(self, data: mmap, at: int) -> None:
        self.data = data
        self.at = at
        self.count = 0

    def skip(self, size: int) -> int:
        """Pass over bytes; returns where they begin."""
        start = self.at
        if size > len(self.data) - start:
            raise ValueError("it is cut off")
        self.at = start + size
        return start

    def number(self, code: str) -> Any:
        start = self.skip(struct.calcsize(code))
        return struct.unpack(code, self.data[start : self.at])[0]

    def text(self) -> str:
        start = self.skip(self.number("<Q"))
        return self.data[start : self.at].decode()

    def value(self, kind: int, depth: int = 0) -> Any:
        """Read a number or a text; arrays are passed over."""
        self.count += 1
        if self.count > MAX_VALUES:
            raise ValueError(f"it holds more than {MAX_VALUES} values")
        if kind in NUMBERS:
            return self.number(NUMBERS[kind])
        if kind == TEXT:
            return self.text()
        if kind != ARRAY or depth:
            raise ValueError(f"there is no value of type {kind}")
        inner, length = self.number("<I"), self.number("<Q")
        if inner in NUMBERS:
            self.skip(length * struct.calcsize(NUMBERS[inner]))
        else:
            for _ in range(length):
                self.value(inner, depth + 1)
        return None


def _header(cursor: _Cursor) -> Header:
    tensor_count, value_count = cursor.number("<Q"), cursor.number("<Q")
    metadata: dict[str, Any] = {}
    for _ in range(value_count):
        key = cursor.text()
        if key in metadata:
            raise ValueError(f"{key!r} appears twice")
        metadata[key] = cursor.value(cursor.number("<I"))
    tensors: dict[str, Entry] = {}
    for _ in range(tensor_count):
        name, axes = cursor.text(), cursor.number("<I")
        if name in tensors or axes > MAX_AXES:
            raise ValueError(f"the tensor {name!r} appears twice, or has {axes} axes")
        shape = [cursor.number("<Q") for _ in range(axes)]
        tensors[name] = Entry(tuple(reversed(shape)), cursor.number("<I"), cursor.number("<Q"))
    alignment = metadata.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 1 <= alignment <= 2**20:
        raise ValueError(f"the alignment {alignment!r}")
    start = -(-cursor.at // alignment) * alignment
    placed = {
        name: Entry(entry.shape, entry.kind, start + entry.offset)
        for name, entry in tensors.items()
    }
    return Header(metadata, placed)
