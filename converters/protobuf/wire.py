"""Protocol buffers, read field by field without a schema."""

from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

Buffer = bytes | mmap


class Field(NamedTuple):
    """A field of a message.

    Parameters
    ----------
    number : as the schema numbers it.
    value : of an integer, as 64 bits without sign.
    start, end : where its bytes are: a message, a text, packed numbers.
    """

    number: int
    value: int
    start: int
    end: int


def fields(data: Buffer, start: int, end: int) -> Iterator[Field]:
    """Fields of the message in bytes [start, end).

    Raises
    ------
    ValueError
        If a field reaches beyond the end, or has no known type.

    >>> list(fields(bytes([8, 150, 1]), 0, 3))
    [Field(number=1, value=150, start=1, end=3)]
    """
    at = start
    while at < end:
        key, at = varint(data, at, end)
        number, wire = key >> 3, key & 7
        value, begin = 0, at
        if wire == 0:
            value, at = varint(data, at, end)
        elif wire == 2:
            size, begin = varint(data, at, end)
            at = begin + size
        elif wire in (1, 5):
            at += 8 if wire == 1 else 4
        else:
            raise ValueError(f"a field has the type {wire}")
        if at > end:
            raise ValueError("a field reaches beyond its message")
        yield Field(number, value, begin, at)


def varint(data: Buffer, at: int, end: int) -> tuple[int, int]:
    """Integer of variable length, and where it ends."""
    value = 0
    for shift in range(0, 70, 7):
        if at >= end:
            break
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value & (2**64 - 1), at
    raise ValueError("an integer has no end")


def integers(data: Buffer, field: Field) -> Iterator[int]:
    """Signed integers of a repeated field, packed or not."""
    at = field.start
    while at < field.end:
        value, at = varint(data, at, field.end)
        yield signed(value)


def signed(value: int) -> int:
    """Read an integer of 64 bits as one with a sign."""
    return value - 2**64 if value >= 2**63 else value
