"""FlatBuffers read field by field, each place compared with the file's size before it is used."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

MAX_TEXT = 4096


def read_number(data: mmap, at: int, code: str) -> int:
    """Read an integer; ValueError if it lies beyond the data."""
    if not 0 <= at <= len(data) - struct.calcsize(code):
        raise ValueError(f"a place, {at}, is beyond the file")
    number: int = struct.unpack_from(code, data, at)[0]
    return number


@dataclass(frozen=True)
class Table:
    """A table at a place of the data; fields are named by their numbers in the schema."""

    data: mmap
    at: int

    @classmethod
    def root(cls, data: mmap) -> "Table":
        """Table that the file begins with."""
        return cls(data, read_number(data, 0, "<I"))

    def number(self, field: int, code: str, default: int = 0) -> int:
        """Integer field."""
        at = self._place(field)
        return default if at is None else read_number(self.data, at, code)

    def table(self, field: int) -> "Table | None":
        """Field that is a table."""
        at = self._place(field)
        return None if at is None else Table(self.data, _follow(self.data, at))

    def tables(self, field: int) -> Iterator["Table"]:
        """Field that is a list of tables."""
        start, length = self.vector(field, 4)
        for place in range(start, start + 4 * length, 4):
            yield Table(self.data, _follow(self.data, place))

    def numbers(self, field: int, code: str, limit: int) -> list[int]:
        """Field that is a list of integers, at most `limit` of them."""
        return [int(number) for number in self._items(field, code, limit)]

    def floats(self, field: int, limit: int) -> list[float]:
        """Field that is a list of float32."""
        return [float(number) for number in self._items(field, "<f", limit)]

    def text(self, field: int) -> str:
        """Field that is a text."""
        start, length = self.vector(field, 1)
        if length > MAX_TEXT:
            raise ValueError(f"a name has {length} characters")
        return self.data[start : start + length].decode()

    def vector(self, field: int, itemsize: int) -> tuple[int, int]:
        """Where a list begins and how many items it has; none if the field is not there."""
        at = self._place(field)
        if at is None:
            return 0, 0
        start = _follow(self.data, at)
        length = read_number(self.data, start, "<I")
        if start + 4 + length * itemsize > len(self.data):
            raise ValueError("a list ends beyond the file")
        return start + 4, length

    def _items(self, field: int, code: str, limit: int) -> tuple[float, ...]:
        start, length = self.vector(field, struct.calcsize(code))
        if length > limit:
            raise ValueError(f"a list has {length} items, more than {limit}")
        return struct.unpack_from(f"<{length}{code[-1]}", self.data, start)

    def _place(self, field: int) -> int | None:
        """Where a field is; None if it has its default."""
        fields = self.at - read_number(self.data, self.at, "<i")
        slot = 4 + 2 * field
        if slot >= read_number(self.data, fields, "<H"):
            return None
        offset = read_number(self.data, fields + slot, "<H")
        return self.at + offset if offset else None


def _follow(data: mmap, at: int) -> int:
    return at + read_number(data, at, "<I")
