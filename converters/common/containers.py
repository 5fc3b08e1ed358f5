"""Files and zip archives from strangers, opened without trust in what they claim."""

import mmap
import os
import stat
import struct
import sys
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from common.errors import ConversionError, shown
from numpy.typing import NDArray

MAX_RATIO = 1032
"""The most that deflate can compress."""
MAX_COPIES = 4
"""What shares bytes may not fill the disk: it has at most so many times the file's bytes."""
DAMAGED = "Download or save it again"
BLOCK = 2**16
"""Bytes that are read and inflated at a time."""
_MAPPING = (
    {"flags": mmap.MAP_SHARED, "prot": mmap.PROT_READ}
    if os.name == "posix"
    else {"access": mmap.ACCESS_READ}
)
_POPULATE_READ = 22
"""What Linux calls MADV_POPULATE_READ."""


class FileMap(mmap.mmap):
    """A stretch of a file in memory that knows where it lies."""

    path: Path
    start: int


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or a device, which could block, is refused."""
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ConversionError("it is not a regular file", "Name a file", file=path)
    return os.fdopen(descriptor, "rb")


def read_at_most(path: Path, limit: int, offset: int = 0) -> bytes:
    """Read from an offset to the file's end, or `limit` bytes; never ask memory for more.

    A plain `read(limit)` takes that much memory, however short the file is.
    """
    with open_regular(path) as file:
        left = os.fstat(file.fileno()).st_size - offset
        file.seek(offset)
        return file.read(max(0, min(left, limit)))


def check_copies(path: Path, total: int, what: str = "arrays") -> None:
    """Refuse a file whose arrays have many more bytes in all than it has itself."""
    if total > MAX_COPIES * path.stat().st_size:
        raise ConversionError(f"its {what} overlap and claim {total} bytes", "Save it again")


def map_array(path: Path, offset: int, dtype: str, shape: tuple[int, ...]) -> NDArray[Any]:
    """Numbers of a file, mapped into memory until the array is dropped."""
    size = prod(shape) * np.dtype(dtype).itemsize
    if size == 0:
        return np.empty(shape, dtype)
    lead = offset % mmap.ALLOCATIONGRANULARITY
    with open_regular(path) as file:
        if offset + size > os.fstat(file.fileno()).st_size:
            raise ConversionError("its numbers end beyond the file", DAMAGED, file=path)
        content = FileMap(file.fileno(), lead + size, offset=offset - lead, **_MAPPING)
    content.path, content.start = path, offset - lead
    return np.frombuffer(content, dtype, offset=lead).reshape(shape)


def fetch(array: NDArray[Any]) -> None:
    """Read all pages of a mapped array at once: one by one they take longer than the copying."""
    base = _map_of(array)
    if base is not None and sys.platform == "linux":
        with suppress(OSError):  # Linux before 5.14 cannot
            base.madvise(_POPULATE_READ)


def place_of(array: NDArray[Any]) -> tuple[Path, int] | None:
    """File and offset of an array's first number; None if it is not a view of a mapped file."""
    base = _map_of(array)
    if base is None:
        return None
    return base.path, base.start + array.ctypes.data - np.frombuffer(base, "u1").ctypes.data


def _map_of(array: NDArray[Any]) -> FileMap | None:
    base: Any = array
    while base is not None and not isinstance(base, FileMap):
        base = base.obj if isinstance(base, memoryview) else getattr(base, "base", None)
    return base


def zip_members(path: Path) -> Mapping[str, zipfile.ZipInfo]:
    """Members of a zip archive by name, none of which claims more than it can hold.

    Raises
    ------
    ConversionError
        If the archive is damaged, encrypted or a bomb.
    """
    size = path.stat().st_size
    members = {}
    try:
        with open_regular(path) as file, zipfile.ZipFile(file) as archive:
            infos = archive.infolist()
            stated = _count(file, size)
    except (zipfile.BadZipFile, ValueError, NotImplementedError, struct.error, EOFError) as error:
        raise ConversionError(f"it is not an intact zip archive ({error})", DAMAGED) from error
    if len(infos) != stated:
        raise ConversionError(f"its directory has {len(infos)} members of {stated}", DAMAGED)
    for info in infos:
        if info.filename in members:
            raise ConversionError(f"its member {shown(info.filename)!r} appears twice", DAMAGED)
        if info.flag_bits & 1:
            raise ConversionError("it is encrypted", "Decrypt it first")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ConversionError(
                f"its member {shown(info.filename)!r} is neither stored nor deflated",
                "Zip it again",
            )
        ratio = 1 if info.compress_type == zipfile.ZIP_STORED else MAX_RATIO
        if info.compress_size > size or info.file_size > ratio * info.compress_size:
            raise ConversionError(
                f"its member {shown(info.filename)!r} claims {info.file_size} bytes", DAMAGED
            )
        members[info.filename] = info
    _check_apart(infos)
    return members


def _check_apart(infos: Sequence[zipfile.ZipInfo]) -> None:
    """Refuse members that share bytes, of which a small file could have any number."""
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise ConversionError(f"its member {shown(info.filename)!r} overlaps another", DAMAGED)
        end = info.header_offset + 30 + info.compress_size


def _count(file: BinaryIO, size: int) -> int:
    """Count of members that the end of an archive states; Python does not compare it."""
    file.seek(max(size - 2**16, 0))
    end = file.read()
    at = end.rfind(b"PK\x06\x06")
    if at >= 0:
        return int(struct.unpack_from("<Q", end, at + 32)[0])
    return int(struct.unpack_from("<H", end, end.rfind(b"PK\x05\x06") + 10)[0])


def data_offset(path: Path, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a member that is not compressed begin."""
    if info.compress_type != zipfile.ZIP_STORED:
        raise ConversionError(
            f"its member {shown(info.filename)!r} is compressed", "Zip it without"
        )
    with open_regular(path) as file:
        return start_of(file, info)


def start_of(file: BinaryIO, info: zipfile.ZipInfo) -> int:
    """Where the bytes of a member begin, compressed or not."""
    file.seek(info.header_offset)
    header = file.read(30)
    if len(header) < 30 or header[:4] != b"PK\x03\x04":
        raise ConversionError(f"its member {shown(info.filename)!r} has no header", DAMAGED)
    name, extra = struct.unpack("<HH", header[26:30])
    offset = info.header_offset + 30 + int(name) + int(extra)
    if offset + info.compress_size > os.fstat(file.fileno()).st_size:
        raise ConversionError(f"its member {shown(info.filename)!r} ends beyond the file", DAMAGED)
    return offset


def read_member(path: Path, info: zipfile.ZipInfo, limit: int | None = None) -> bytes:
    """Bytes of a member, the first `limit` or all; all are checked against the checksum.

    PyTorch can be told to write no checksum: 0.
    """
    wanted = info.file_size if limit is None else min(limit, info.file_size)
    with open_regular(path) as file:
        file.seek(start_of(file, info))
        try:
            if info.compress_type == zipfile.ZIP_STORED:
                content = file.read(min(wanted, info.compress_size))
            else:
                content = _inflated(file, info.compress_size, wanted)
        except zlib.error as error:
            raise _damaged(info) from error
    if len(content) < wanted:
        raise _damaged(info)
    is_whole = wanted == info.file_size
    if is_whole and info.CRC not in (0, zlib.crc32(content)):
        raise _damaged(info)
    return content


def _inflated(file: BinaryIO, size: int, wanted: int) -> bytes:
    """At most so many bytes of what is compressed in the next `size` bytes of a file."""
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    pieces = []
    while wanted > 0 and size > 0 and not inflater.eof:
        block = file.read(min(size, BLOCK))
        size = size - len(block) if block else 0
        while block and wanted > 0:
            pieces.append(inflater.decompress(block, min(wanted, BLOCK)))
            wanted -= len(pieces[-1])
            block = inflater.unconsumed_tail
    return b"".join(pieces)


def _damaged(info: zipfile.ZipInfo) -> ConversionError:
    return ConversionError(f"its member {shown(info.filename)!r} is damaged", DAMAGED)


def check_sum(path: Path, info: zipfile.ZipInfo) -> None:
    """Compare a member that is not compressed with its checksum; none is written as 0."""
    numbers = map_array(path, data_offset(path, info), "u1", (info.file_size,))
    fetch(numbers)
    if info.CRC not in (0, zlib.crc32(numbers.data)):
        problem = f"its member {shown(info.filename)!r} does not have the checksum stated"
        raise ConversionError(problem, DAMAGED)
