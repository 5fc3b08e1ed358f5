"""Where in their files the numbers of tensors lie, for a reader that needs no copy of them."""

import os
import zipfile
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

from common.containers import open_regular, place_of, start_of, zip_members
from common.source import Tensor

Member = tuple[int, int, int]
"""Start, size and CRC-32 of the bytes of a member that is not compressed."""


def places_of(tensors: Sequence[Tensor]) -> dict[str, dict[str, Any]]:
    """Places of the tensors that lie in a file as they are; no number is read.

    Returns
    -------
    dict by name: file, its size and time of modification in ns, offset in bytes, dtype, shape,
    strides in bytes, and start, size and checksum of the archive's member that holds them, where
    one is stated. Numbers are little-endian.
    """
    members_of = cache(_members)
    found = {}
    for tensor in tensors:
        array = tensor.read() if tensor.is_mapped else None
        place = None if array is None or array.size == 0 else place_of(array)
        if array is None or place is None or min(array.strides, default=0) < 0:
            continue
        file, offset = place
        status = file.stat()
        found[tensor.name] = {
            "file": os.fspath(file),
            "size": status.st_size,
            "modified_ns": status.st_mtime_ns,
            "offset": offset,
            "dtype": tensor.dtype,
            "shape": list(array.shape),
            "strides": list(array.strides),
            "member": _member_at(members_of(file), offset),
        }
    return found


def _members(path: Path) -> list[Member]:
    """Members of a zip archive whose checksum is stated; of any other file none."""
    with open_regular(path) as file:
        if file.read(4) != b"PK\x03\x04":
            return []
        return sorted(
            (start_of(file, info), info.file_size, info.CRC)
            for info in zip_members(path).values()
            if info.compress_type == zipfile.ZIP_STORED and info.CRC
        )


def _member_at(members: list[Member], offset: int) -> Member | None:
    at = bisect_right(members, (offset + 1,)) - 1
    if at < 0 or offset >= members[at][0] + members[at][1]:
        return None
    return members[at]
