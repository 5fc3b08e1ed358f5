"""Reader of safetensors headers; believes no number of theirs."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from _containers import DAMAGED, open_regular
from _errors import ConversionError
from _numbers import CODES
from _strict_json import loads

MAX_HEADER = 100_000_000
BITS = {"F4": 4, "F6_E2M3": 6, "F6_E3M2": 6}
"""Types that cannot be written, but whose size is known."""
_NAMES = {code: (name, int(storage[-1]) * 8) for name, (code, storage) in CODES.items()}


@dataclass(frozen=True)
class Entry:
    """A tensor of the header; `begin` counts from the start of the file."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    begin: int


def read_header(path: Path) -> tuple[list[Entry], Mapping[str, str]]:
    """Read the header of a safetensors file.

    Returns
    -------
    tuple of the tensors in the header's order, and the metadata.

    Raises
    ------
    ConversionError
        If the file breaks a rule of the format.
    """
    size = path.stat().st_size
    with open_regular(path) as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(MAX_HEADER, size - 8):
            raise ConversionError(f"its header claims {length} bytes", DAMAGED, file=path)
        header = loads(file.read(length), "its header")
    if not isinstance(header, dict):
        raise ConversionError("its header is no JSON object", DAMAGED, file=path)
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(v, str) for v in metadata.values()):
        raise ConversionError("its metadata are no strings", DAMAGED, file=path)
    start = 8 + length
    try:
        spans = {name: _span(value) for name, value in header.items()}
        _check_coverage(spans.values(), size - start)
        entries = [
            Entry(name, _type(value)[0], tuple(value["shape"]), start + spans[name][0])
            for name, value in header.items()
        ]
    except (ValueError, KeyError, TypeError) as error:
        raise ConversionError(f"its header is damaged ({error})", DAMAGED, file=path) from error
    return entries, metadata


def _type(value: Any) -> tuple[str, int]:
    code = value["dtype"]
    return (code, BITS[code]) if code in BITS else _NAMES[code]


def _span(value: Any) -> tuple[int, int]:
    begin, end = value["data_offsets"]
    shape = value["shape"]
    if not isinstance(shape, list) or len(shape) > 32:
        raise ValueError("a shape is no list of at most 32 lengths")
    if not all(type(n) is int and 0 <= n < 2**63 for n in (*shape, begin, end)):
        raise ValueError("a length or an offset is no count")
    if prod(shape) * _type(value)[1] != 8 * (end - begin):
        raise ValueError(f"{end - begin} bytes for the shape {shape}")
    return begin, end


def _check_coverage(spans: Any, size: int) -> None:
    position = 0
    for begin, end in sorted(spans):
        if begin != position:
            raise ValueError("tensors overlap or leave a hole")
        position = end
    if position != size:
        raise ValueError(f"{size} bytes of data, but tensors of {position}")
