"""Where the stored codes of a tensor are read from."""

from __future__ import annotations

import math
import mmap
import os
import shutil
import stat
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

import numpy as np

from htsr_ref.errors import WeightFileError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


_CURE = "Name a weight file or a folder with one"


def open_regular(path: Path) -> BinaryIO:
    """Open a file for reading; a pipe or device, which might never end, is refused.

    Raises
    ------
    WeightFileError
        If it is not a regular file or the path cannot be one.
    OSError
        If it is missing or cannot be read.

    Spec: FMT-17.
    """
    try:
        mode = path.stat().st_mode
    except ValueError as error:
        raise WeightFileError(repr(path), f"no file can have this name ({error})", _CURE) from error
    if not stat.S_ISREG(mode):
        raise WeightFileError(path, "it is not a regular file", _CURE)
    return path.open("rb")


class DamagedFileError(OSError):
    """A file whose content is not what was once written into it."""


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


@dataclass(frozen=True, slots=True)
class FileStamp:
    """A file as it was when its header was read.

    `held` is the open file, where it may have no name any more.
    """

    path: Path
    size: int
    modified_ns: int
    held: HeldFile | None = field(default=None, compare=False)

    @classmethod
    def of(cls, path: Path, file: BinaryIO) -> FileStamp:
        """Stamp of an open file."""
        status = os.fstat(file.fileno())
        return cls(path, status.st_size, status.st_mtime_ns)

    def open(self) -> BinaryIO:
        """Open the file again; OSError if it is not the one that was stamped."""
        if self.held is not None:
            return os.fdopen(os.dup(self.held.file.fileno()), "rb")
        file = self.path.open("rb")
        if FileStamp.of(self.path, file) != self:
            file.close()
            raise OSError(f"{self.path} has changed since it was opened")
        return file


@dataclass(frozen=True, eq=False)
class InMemory:
    """Codes in an array."""

    codes: NDArray[Any]

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """View of a part."""
        return self.codes[index]

    def load(self) -> InMemory:
        """Itself."""
        return self


@dataclass(frozen=True, slots=True)
class MappedArray:
    """Codes that lie uncompressed in a file.

    The file is mapped for one access and unmapped after it, so that the pages read do not pile
    up over a large file.

    Parameters
    ----------
    stamp : the file.
    offset : position of the first byte; need not be aligned.
    shape, storage, order : the array's shape, NumPy type and memory layout.
    strides : bytes from one number to the next along each axis, none negative; instead of `order`.

    Spec: FMT-13, FMT-27.
    """

    stamp: FileStamp
    offset: int
    shape: tuple[int, ...]
    storage: str
    order: Literal["C", "F"] = "C"
    strides: tuple[int, ...] | None = None

    def read(self, index: tuple[slice, ...]) -> NDArray[Any]:
        """View of a part of the map, which lives as long as the view."""
        dtype = np.dtype(self.storage)
        count = math.prod(self.shape)
        if count == 0:
            return np.empty(self.shape, dtype)[index]
        size = count * dtype.itemsize
        if self.strides is not None:
            steps = zip(self.shape, self.strides, strict=True)
            size = dtype.itemsize + sum((length - 1) * step for length, step in steps)
        inside_page = self.offset % mmap.ALLOCATIONGRANULARITY
        with self.stamp.open() as file:
            pages = mmap.mmap(
                file.fileno(),
                inside_page + size,
                access=mmap.ACCESS_READ,
                offset=self.offset - inside_page,
            )
        if self.strides is not None:
            return np.ndarray(self.shape, dtype, pages, inside_page, self.strides)[index]
        flat = np.frombuffer(pages, dtype, count, inside_page)
        return flat.reshape(self.shape, order=self.order)[index]

    def load(self) -> MappedArray:
        """Itself: the system's page cache holds what was read."""
        return self
