"""Tensors that are read where they lie in a framework's own file."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.backing import Backing, FileStamp, UncompressedArray
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.dtypes import storage_dtype
from htsr_ref.weights.npz_file import Checksum, StoredMember

if TYPE_CHECKING:
    from collections.abc import Mapping


def read_places(answer: Mapping[str, Mapping[str, Any]]) -> dict[str, RawTensor]:
    """Tensors at the places that a script says.

    A file that changes afterwards is noticed when it is read, and the checksum of an archive's
    member is compared once, before the first part of it is read.

    Parameters
    ----------
    answer : by name the file, its size and time of modification in ns, offset in bytes, dtype,
        shape, strides in bytes, and start, size and CRC-32 of the archive's member, if any.

    Spec: FMT-11, FMT-27.
    """
    checksum_of = cache(Checksum)
    found = {}
    for name, place in answer.items():
        stamp = FileStamp(Path(place["file"]), place["size"], place["modified_ns"])
        shape, dtype = tuple(place["shape"]), place["dtype"]
        array = UncompressedArray(
            stamp, place["offset"], shape, storage_dtype(dtype), strides=tuple(place["strides"])
        )
        backing: Backing = array
        if place["member"] is not None:
            backing = StoredMember(array, checksum_of(stamp, *place["member"]))
        found[name] = RawTensor(name, shape, dtype, backing)
    return found
