"""Where the stored codes of a tensor are read from."""

from __future__ import annotations

import math
import os
import shutil
import stat
import weakref
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol, TypeAlias

import numpy as np

from htsr_ref.errors import WeightFileError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.remote.remote_path import RemotePath

    AnyPath: TypeAlias = Path | RemotePath


SPARSE = 4
"""Bytes that are read for one that is wanted, rather than reading in pieces."""

SMALL_READ = 1 << 16
"""Bytes that are read in one piece, however few of them are wanted."""

_CURE = "Name a weight file or a folder with one"


def open_regular(path: AnyPath) -> BinaryIO:
    """Open a file for reading; a pipe or device, which might never end, is refused.

    Raises
    ------
    WeightFileError
        If it is not a regular file or the path cannot be one.
    OSError
        If it is missing or cannot be read.

    Spec: FMT-17, FMT-31.
    """
    if not isinstance(path, Path):
        return path.open()
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise WeightFileError(repr(path), f"no file can have this name ({error})", _CURE) from error
    if not stat.S_ISREG(mode):
        raise WeightFileError(path, "it is not a regular file", _CURE)
    return path.open("rb")


class DamagedFileError(OSError):
    """A file whose content is not what was once written into it."""


class ChangedFileError(OSError):
    """A file that is not what it was when it was opened."""

    def __init__(self, path: AnyPath) -> None:
        super().__init__(f"{path} has changed since it was opened")
        self.path = path


class Backing(Protocol):
    """A tensor's stored codes: nothing is read before `read` or `load`."""

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Codes of a part; one slice of positive step for each stored axis.

        Raises OSError if the file vanished, changed or cannot be read.
        """
        ...

    def load(self) -> Backing:
        """Return a backing that reads parts without reading the file again and again."""
        ...


class HeldFile:
    """A temporary file that stays open as long as anything reads it, and is removed.

    Where the system can, its folder is removed at once, and the file lives on without a name: then
    nothing is left however the process ends. Elsewhere both end with the last reader.

    Spec: FMT-26.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self.file = path.open("rb")
        if os.name == "posix":
            shutil.rmtree(folder, ignore_errors=True)
        self._end = weakref.finalize(self, _close_and_remove, self.file, folder)


def _close_and_remove(file: BinaryIO, folder: Path) -> None:
    file.close()
    shutil.rmtree(folder, ignore_errors=True)


class Stamp(Protocol):
    """A file as it was when its header was read."""

    @property
    def path(self) -> AnyPath:
        """Where it lies."""
        ...

    @property
    def size(self) -> int:
        """Bytes it had."""
        ...

    @property
    def version(self) -> str | None:
        """What tells its content from any other, as a server states it; None for a file at hand."""
        ...

    def open(self) -> BinaryIO:
        """Open the file again; OSError if it is not the one that was stamped."""
        ...

    def check(self, file: BinaryIO) -> None:
        """Refuse an open file that is not as it was when it was stamped."""
        ...


def stamp_of(path: AnyPath, file: BinaryIO) -> Stamp:
    """Stamp of an open file.

    Spec: FMT-13, FMT-32.
    """
    return FileStamp.of(path, file) if isinstance(path, Path) else path.stamp()


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it was when its header was read.

    `held` is the open file, where it may have no name any more.
    """

    path: Path
    size: int
    modified_ns: int
    held: HeldFile | None = field(default=None, compare=False)

    @property
    def version(self) -> None:
        """Time and size do not tell what a file holds."""
        return None

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> FileStamp:
        """Stamp of an open file."""
        return cls(path, *_size_and_time(file))

    def open(self) -> BinaryIO:
        """Open the file again; OSError if it is not the one that was stamped."""
        if self.held is not None:
            return os.fdopen(os.dup(self.held.file.fileno()), "rb")
        file = self.path.open("rb")
        try:
            self.check(file)
        except ChangedFileError:
            file.close()
            raise
        return file

    def check(self, file: BinaryIO) -> None:
        """Refuse an open file that is not as it was when it was stamped.

        Spec: FMT-13.
        """
        if self.held is None and _size_and_time(file) != (self.size, self.modified_ns):
            raise ChangedFileError(self.path)


def _size_and_time(file: BinaryIO) -> tuple[int, int]:
    status = os.fstat(file.fileno())
    return status.st_size, status.st_mtime_ns


@dataclass(frozen=True, eq=False)
class InMemory:
    """Codes in an array.

    Parameters
    ----------
    codes : the array.
    version : of the remote file that they were read from, see `UncompressedArray`.
    """

    codes: NDArray[Any]
    version: str | None = None

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """View of a part."""
        return self.codes[index]

    def load(self) -> InMemory:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class UncompressedArray:
    """Codes that lie uncompressed in a file, at places that its header gives.

    They are read, not mapped into memory: a file that shrinks under a map ends the process.

    Parameters
    ----------
    stamp : the file.
    offset : position of the first byte; need not be aligned.
    shape, storage, order : the array's shape, NumPy type and memory layout.
    strides : bytes from one number to the next along each axis, none negative; instead of `order`.

    Spec: FMT-13, FMT-27.
    """

    stamp: Stamp
    offset: int
    shape: tuple[int, ...]
    storage: str
    order: Literal["C", "F"] = "C"
    strides: tuple[int, ...] | None = None

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """Read a part.

        Raises ChangedFileError if the file is not the one that was opened, before or after.
        """
        dtype = np.dtype(self.storage)
        chosen = [range(*part.indices(size)) for part, size in zip(index, self.shape, strict=True)]
        lengths = tuple(len(places) for places in chosen)
        if 0 in lengths:
            return np.empty(lengths, dtype)
        all_strides = self.strides or _strides(self.shape, dtype.itemsize, self.order)
        offset = self.offset + sum(
            places.start * stride for places, stride in zip(chosen, all_strides, strict=True)
        )
        strides = tuple(
            places.step * stride for places, stride in zip(chosen, all_strides, strict=True)
        )
        with self.stamp.open() as file:
            codes = _read_part(file, self.stamp.path, dtype, offset, lengths, strides)
            self.stamp.check(file)
        return codes

    def load(self) -> InMemory:
        """Read all codes."""
        return InMemory(self.read((slice(None),) * len(self.shape)), self.version)

    @property
    def version(self) -> str | None:
        """What tells codes of a remote file from all others, unread; None for a file at hand.

        Spec: FMT-32.
        """
        version = self.stamp.version
        where = (self.offset, self.shape, self.storage, self.order, self.strides)
        return None if version is None else repr((version, where))


def _strides(shape: tuple[int, ...], size: int, order: Literal["C", "F"]) -> tuple[int, ...]:
    """Bytes from one number to the next along each axis."""
    axes = range(len(shape))
    inner = (shape[axis + 1 :] if order == "C" else shape[:axis] for axis in axes)
    return tuple(size * math.prod(lengths) for lengths in inner)


def _read_part(
    file: BinaryIO,
    path: AnyPath,
    dtype: np.dtype[Any],
    offset: int,
    lengths: tuple[int, ...],
    strides: tuple[int, ...],
) -> NDArray[Any]:
    """Read numbers in one piece, or piece by piece where much lies between them."""
    steps = zip(lengths, strides, strict=True)
    extent = dtype.itemsize + sum((length - 1) * stride for length, stride in steps)
    wanted = dtype.itemsize * math.prod(lengths)
    if extent <= max(SPARSE * wanted, SMALL_READ):
        content = np.empty(extent, np.uint8)
        file.seek(offset)
        # Files opened as binary have it; the type BinaryIO does not say so.
        if file.readinto(content.data) != extent:  # type: ignore[attr-defined]
            raise ChangedFileError(path)
        return np.ndarray(lengths, dtype, content.data, 0, strides)
    axis = max(range(len(lengths)), key=lambda axis: (lengths[axis] > 1) * strides[axis])
    one = (*lengths[:axis], 1, *lengths[axis + 1 :])
    pieces = [
        _read_part(file, path, dtype, offset + place * strides[axis], one, strides)
        for place in range(lengths[axis])
    ]
    return np.concatenate(pieces, axis=axis)
