"""Reader of .npz archives."""

from __future__ import annotations

import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import (
    Backing,
    DamagedFileError,
    FileStamp,
    InMemory,
    UncompressedArray,
)
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.numpy_file import NpyHeader, check_size, read_npy_header

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

MAX_RATIO = 1032
"""What deflate can compress at most: 258 bytes into two bits. Spec: FMT-11."""

_LOCAL_HEADER = 30
_BLOCK = 1 << 20
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class CompressedMember:
    """An array in a compressed member, which must be read whole to get at a part."""

    stamp: FileStamp
    member: str
    header: NpyHeader

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Part of the array."""
        return self.load().read(index)

    def load(self) -> InMemory:
        """Return the array in memory."""
        try:
            with self.stamp.open() as file, zipfile.ZipFile(file) as archive:
                content = archive.read(self.member)
            check_size(self.header, len(content))
        except _DAMAGED as error:
            raise DamagedFileError(f"{self.stamp.path} is damaged ({error})") from error
        array = np.frombuffer(content, self.header.dtype, offset=self.header.offset)
        return InMemory(array.reshape(self.header.shape, order=self.header.order))


@dataclass(frozen=True)
class Checksum:
    """CRC-32 of the bytes of a member that is not compressed.

    Parameters
    ----------
    stamp : the archive.
    start, size : position and number of the member's bytes.
    stated : their CRC-32, as the archive states it.

    Spec: FMT-11.
    """

    stamp: FileStamp
    start: int
    size: int
    stated: int

    @cached_property
    def is_met(self) -> bool:
        """Whether the bytes have it; they are read once, however often it is asked."""
        crc, left = 0, self.size
        with self.stamp.open() as file:
            file.seek(self.start)
            while left and (block := file.read(min(left, _BLOCK))):
                crc = zlib.crc32(block, crc)
                left -= len(block)
        return crc == self.stated


@dataclass(frozen=True)
class StoredMember:
    """An array in a member that is not compressed: read in parts, once its checksum was compared.

    Parameters
    ----------
    array : the array in the file.
    checksum : that of the member.

    Spec: FMT-11, FMT-13.
    """

    array: UncompressedArray
    checksum: Checksum

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Part of the array."""
        if not self.checksum.is_met:
            raise DamagedFileError(f"{self.array.stamp.path} is damaged (Bad CRC-32)")
        return self.array.read(index)

    def load(self) -> StoredMember:
        """Itself: no more than the parts that are asked for is read."""
        return self


def read_npz(path: Path) -> Container:
    """Read the headers of all arrays of a .npz archive; other members are left out and counted.

    Raises
    ------
    WeightFileError
        If the archive is damaged, encrypted or compressed by anything but deflate, if a member
        is not an array of numbers or text, or is larger than deflate could have made it.

    Spec: FMT-11.
    """
    with path.open("rb") as file:
        stamp = FileStamp.of(path, file)
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                arrays = [member for member in members if member.filename.endswith(".npy")]
                tensors = tuple(_member(path, stamp, archive, member) for member in arrays)
        except _DAMAGED as error:
            raise WeightFileError(
                path,
                f"it is a damaged zip archive ({str(error) or 'it ends too early'})",
                "Save or download it again",
            ) from error
    if len({tensor.name for tensor in tensors}) < len(tensors):
        raise WeightFileError(path, "two of its arrays have the same name", "Save it again")
    others = len(members) - len(arrays)
    warnings = (f"left out: {others} x member that is no array",) if others else ()
    return Container("npz", (path,), tensors, warnings=warnings)


def _member(
    path: Path, stamp: FileStamp, archive: zipfile.ZipFile, member: zipfile.ZipInfo
) -> RawTensor:
    name = member.filename.removesuffix(".npy")

    def refuse(problem: str) -> WeightFileError:
        return WeightFileError(path, problem, "Save the arrays again with numpy.savez", name)

    if member.flag_bits & 1:
        raise refuse("it is encrypted")
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise refuse("it is compressed by a method other than deflate")
    if member.compress_size > stamp.size:
        raise refuse(f"it claims {member.compress_size} of the file's {stamp.size} bytes")
    is_stored = member.compress_type == zipfile.ZIP_STORED
    if member.file_size > member.compress_size * (1 if is_stored else MAX_RATIO):
        raise refuse(
            f"it claims to unpack {member.compress_size} bytes to {member.file_size}, "
            "more than its compression allows"
        )
    try:
        with archive.open(member) as stream:
            header = read_npy_header(stream)
        check_size(header, member.file_size)
    except ValueError as error:
        raise refuse(str(error)) from error
    backing: Backing = CompressedMember(stamp, member.filename, header)
    if is_stored:
        start = _content_start(path, member)
        if start + header.end > stamp.size:
            raise refuse("it reaches beyond the end of the file")
        array = UncompressedArray(
            stamp, start + header.offset, header.shape, header.dtype.str, header.order
        )
        backing = StoredMember(array, Checksum(stamp, start, header.end, member.CRC))
    return RawTensor(name, header.shape, header.dtype.name, backing)


def _content_start(path: Path, member: zipfile.ZipInfo) -> int:
    """Position of a member's content, after its local header, name and extra field."""
    with path.open("rb") as file:
        file.seek(member.header_offset)
        local = file.read(_LOCAL_HEADER)
    name_length = int.from_bytes(local[26:28], "little")
    extra_length = int.from_bytes(local[28:30], "little")
    return member.header_offset + _LOCAL_HEADER + name_length + extra_length
