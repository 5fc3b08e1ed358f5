"""Reader of one safetensors file; trusts no number of its header.

The package of that name would not do: its NumPy functions know no float8, its answers lose the
order of the header (FMT-14), and a tensor must be read in parts through the same door as those of
every other format (FMT-13), with the tensor and a cure named where the file is broken.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.backing import UncompressedArray, open_regular, stamp_of
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.dtypes import DTYPES, SAFETENSORS_CODES, storage_dtype
from htsr_ref.weights.manifest import MANIFEST_KEY, parse_manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.backing import AnyPath

MAX_HEADER = 100_000_000
MAX_NDIM = 32
LARGE_HEADER = 1_000_000
"""Bytes from which on a header must look like one before it is parsed: what JSON makes of empty
lists and objects takes thirty times the memory of the text."""
_TEXT = rb'"(?:[^"\\]++|\\.)*+"'
_SPACE = rb"[ \t\r\n]*+"
_COLON = _SPACE + b":" + _SPACE
_COMMA = _SPACE + rb"(?:," + _SPACE + rb"|(?=\}))"
_VALUE = rb"(?:" + _TEXT + rb"|\[[0-9, \t\r\n]{0,1000}+\])"
_FACTS = rb"\{" + _SPACE + b"(?:" + _TEXT + _COLON + _VALUE + _COMMA + rb"){3}+\}"
_TEXTS = rb"\{" + _SPACE + b"(?:" + _TEXT + _COLON + _TEXT + _COMMA + rb"){0,100000}+\}"
_ENTRIES = b"(?:" + _TEXT + _COLON + b"(?:" + _FACTS + b"|" + _TEXTS + b")" + _COMMA + b")*+"
_LOOKS_LIKE_ONE = re.compile(rb"\{" + _SPACE + _ENTRIES + rb"\}" + _SPACE, re.DOTALL)
_INTACT = "Download or convert the file again"


@dataclass(frozen=True)
class _Entry:
    """One tensor's entry of the header, checked; begin and end count from the data's start."""

    dtype: str
    shape: tuple[int, ...]
    begin: int
    end: int


def read_safetensors(path: AnyPath) -> Container:
    """Read the header of a safetensors file.

    Raises
    ------
    WeightFileError
        If the file breaks a rule of the format.

    Spec: FMT-8, FMT-13.
    """
    with open_regular(path) as file:
        stamp = stamp_of(path, file)
        length = _header_length(path, file.read(8), stamp.size)
        text = file.read(length)
    header = _parse_header(path, text)
    metadata = _metadata(path, header.pop("__metadata__", {}))
    entries = {name: _entry(path, name, value) for name, value in header.items()}
    data_start = 8 + length
    _check_coverage(path, entries, stamp.size - data_start)
    tensors = tuple(
        RawTensor(
            name,
            entry.shape,
            entry.dtype,
            UncompressedArray(
                stamp, data_start + entry.begin, entry.shape, storage_dtype(entry.dtype)
            ),
        )
        for name, entry in entries.items()
    )
    manifest = None
    if MANIFEST_KEY in metadata:
        manifest = parse_manifest(metadata[MANIFEST_KEY], path)
    return Container(
        "safetensors",
        (path,),
        tensors,
        manifest,
        _ties(metadata, entries),
        settings={"metadata": metadata} if metadata else {},
    )


def _header_length(path: AnyPath, first: bytes, file_size: int) -> int:
    if len(first) < 8:
        raise WeightFileError(
            path, f"its {file_size} bytes are too few for a safetensors file", _INTACT
        )
    length = int.from_bytes(first, "little")
    if length > MAX_HEADER:
        raise WeightFileError(
            path,
            f"its header claims {length} bytes; a safetensors header has at most {MAX_HEADER}",
            _INTACT,
        )
    if length > file_size - 8:
        raise WeightFileError(
            path,
            f"its header claims {length} bytes, but only {file_size - 8} follow",
            _INTACT,
        )
    return length


def _parse_header(path: AnyPath, text: bytes) -> dict[str, Any]:
    if not text.startswith(b"{"):
        raise WeightFileError(path, "its safetensors header is not a JSON object", _INTACT)
    if len(text) > LARGE_HEADER and not _LOOKS_LIKE_ONE.fullmatch(text):
        raise WeightFileError(
            path,
            f"its safetensors header of {len(text)} bytes is not valid: an entry has other values "
            "than dtype, shape and data_offsets",
            _INTACT,
        )
    try:
        header: dict[str, Any] = strictjson.loads(text)
    except ValueError as error:
        raise WeightFileError(
            path, f"its safetensors header is not valid: {error}", _INTACT
        ) from error
    return header


def _metadata(path: AnyPath, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
        raise WeightFileError(
            path, "its __metadata__ must map strings to strings", "Write the file again"
        )
    return value


def _entry(path: AnyPath, name: str, value: Any) -> _Entry:
    def refuse(problem: str) -> WeightFileError:
        return WeightFileError(path, problem, _INTACT, name)

    if not isinstance(value, dict) or set(value) != {"dtype", "shape", "data_offsets"}:
        raise refuse("its header entry must have exactly dtype, shape and data_offsets")
    code, shape, offsets = value["dtype"], value["shape"], value["data_offsets"]
    if not isinstance(code, str) or code not in SAFETENSORS_CODES:
        raise refuse(f"there is no safetensors number type {code!r}")
    if not isinstance(shape, list) or not all(_is_size(size) for size in shape):
        raise refuse("its shape must be a list of integers from 0 to 2^63 - 1")
    if len(shape) > MAX_NDIM:
        raise refuse(f"it has {len(shape)} axes, more than {MAX_NDIM}")
    bits = DTYPES[SAFETENSORS_CODES[code]].bits
    # The product without its zeros: what NumPy, too, must be able to address.
    if math.prod(size for size in shape if size) * bits >= 8 * 2**63:
        raise refuse("its shape is too large to be addressed")
    if not isinstance(offsets, list) or len(offsets) != 2 or not all(map(_is_size, offsets)):
        raise refuse("its data_offsets must be two integers from 0 to 2^63 - 1")
    begin, end = offsets
    if begin > end:
        raise refuse(f"its data ends at {end}, before it begins at {begin}")
    if math.prod(shape) * bits != 8 * (end - begin):
        raise refuse(
            f"its data has {end - begin} bytes, which is not the size of {code} numbers "
            f"of shape {shape}"
        )
    return _Entry(SAFETENSORS_CODES[code], tuple(shape), begin, end)


def _is_size(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63


def _check_coverage(path: AnyPath, entries: Mapping[str, _Entry], data_size: int) -> None:
    """Refuse tensors that overlap, leave bytes unused or reach beyond the file."""
    position = 0
    for name, entry in sorted(entries.items(), key=lambda item: (item[1].begin, item[1].end)):
        if entry.end > data_size:
            raise WeightFileError(
                path,
                f"its data ends at {entry.end}, but the file holds {data_size} bytes of data",
                _INTACT,
                name,
            )
        if entry.begin < position:
            raise WeightFileError(path, "its data overlaps that of another", _INTACT, name)
        if entry.begin > position:
            raise WeightFileError(
                path, f"{entry.begin - position} bytes before its data are unused", _INTACT, name
            )
        position = entry.end
    if position < data_size:
        raise WeightFileError(
            path, f"the last {data_size - position} bytes belong to no tensor", _INTACT
        )


def _ties(metadata: Mapping[str, str], entries: Mapping[str, _Entry]) -> dict[str, str]:
    """Names that PyTorch's save_model dropped, with the name that it kept. Spec: FMT-6."""
    return {
        dropped: kept
        for dropped, kept in metadata.items()
        if kept in entries and dropped not in entries and dropped not in ("format", MANIFEST_KEY)
    }
