"""The one place where files are written: whole under their name or not at all."""

from __future__ import annotations

import errno
import os
import re
import shutil
import stat
import tempfile
from contextlib import contextmanager, suppress
from io import FileIO
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import OutputError
from htsr_ref.weights.leftovers import create_beside

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_DESCRIPTOR = re.compile(r"/(dev/(stdout|stderr|fd/\d+)|proc/[^/]+/fd/\d+)")
"""Names of files that are open already; what was written to them before must stay."""


class Output:
    """What is being written; an error of the system names it.

    Parameters
    ----------
    path : the output as the user named it.
    descriptor : open for writing.
    is_file : whether it can be read and written at any place.
    """

    def __init__(self, path: Path, descriptor: int, *, is_file: bool) -> None:
        self.path = path
        self.descriptor = descriptor
        self.is_file = is_file

    def write(self, content: Any) -> None:
        """Write all bytes of a contiguous buffer.

        Raises
        ------
        OutputError
            If they cannot be written.
        """
        left = memoryview(content).cast("B")
        with _named(self.path):
            while left:
                left = left[os.write(self.descriptor, left) :]

    @contextmanager
    def for_hdf5(self) -> Iterator[FileForHdf5]:
        """Yield a file for the HDF5 library, which goes back and forth in it.

        Raises
        ------
        OutputError
            If anything cannot be written.
        """
        if self.is_file:
            with self._watched(self.descriptor) as file:
                yield file
            return
        with tempfile.TemporaryFile() as whole:
            with self._watched(whole.fileno()) as file:
                yield file
            whole.seek(0)
            shutil.copyfileobj(whole, self)

    @contextmanager
    def _watched(self, descriptor: int) -> Iterator[FileForHdf5]:
        file = FileForHdf5(descriptor)
        file.truncate(0)
        try:
            yield file
        finally:
            if file.error is not None:
                raise _unwritable(self.path, file.error) from file.error


class FileForHdf5(FileIO):
    """A file that keeps its first error to itself and takes the rest for written.

    The HDF5 library cannot close a file that it could not write: it fails again, or crashes when
    the program ends.

    Parameters
    ----------
    descriptor : open for reading and writing.

    Attributes
    ----------
    error : what went wrong first.
    """

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor, "r+b", closefd=False)
        self.error: OSError | None = None

    def check(self) -> None:
        """Raise the error, if there was one."""
        if self.error is not None:
            raise self.error

    def write(self, content: Any) -> int:
        """Write all bytes of a buffer."""
        left = memoryview(content).cast("B")
        size = len(left)
        with self._kept():
            self.check()
            while left:
                left = left[super().write(left) :]
        return size

    def truncate(self, size: int | None = None) -> int:
        """Give the file a size."""
        with self._kept():
            self.check()
            super().truncate(size)
        return size or 0

    @contextmanager
    def _kept(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            self.error = self.error or error


@contextmanager
def writing(path: Path) -> Iterator[Output]:
    """Yield what is written to, which appears under its name at the end, if all goes well.

    A file that is replaced keeps its permissions and, where the system allows it, its owner; links
    are followed. A pipe or device is written into.

    Raises
    ------
    OutputError
        If the output cannot be written.

    Spec: FMT-7.
    """
    target = target_of(path)
    if target is None:
        with _into(path) as output:
            yield output
        return
    with _named(path):
        before = _status(target)
        mode = 0o666 if before is None else stat.S_IMODE(before.st_mode)
        temporary, descriptor = create_beside(target, mode)
    # Until the file has its name its lock is held, or another run would take it for abandoned;
    # closing tells whether everything was written, and comes before.
    held = os.dup(descriptor) if os.name == "posix" else None
    try:
        try:
            if before is not None:
                with _named(path):
                    _keep_owner_and_permissions(temporary, before)
            yield Output(path, descriptor, is_file=True)
        finally:
            with _named(path):
                os.close(descriptor)
        with _named(path):
            temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
        if held is not None:
            os.close(held)


def target_of(path: Path) -> Path | None:
    """File that an output makes or replaces; None for a pipe or device, which is written into.

    Raises
    ------
    OutputError
        If it cannot be written: a folder, a file without permission or one that is read-only,
        even for the administrator.

    Spec: FMT-7.
    """
    with _named(path):
        there = _status(path)
        if there is not None and stat.S_ISDIR(there.st_mode):
            raise OutputError(path, "it is a folder. Name a file in it")
        is_file = there is None or stat.S_ISREG(there.st_mode)
        if not is_file or names_open_file(path):
            if not os.access(path, os.W_OK):
                raise PermissionError(errno.EACCES, "Permission denied")
            return None
        target = path.resolve()
        if not target.parent.is_dir():
            raise OutputError(path, f"there is no folder {target.parent}. Create it first")
        # One that is read-only could be replaced, but its owner did not want it to be.
        is_writable = os.access(path, os.W_OK) or _status(path) is None  # it may have gone
        is_kept = there is not None and not (there.st_mode & 0o222 and is_writable)
        if is_kept or not os.access(target.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
        return target


def names_open_file(path: Path) -> bool:
    """Whether a path is a name that the system gives a file which is open already.

    >>> from pathlib import Path
    >>> names_open_file(Path("/dev/fd/3")), names_open_file(Path("/dev/null"))
    (True, False)
    """
    return _DESCRIPTOR.fullmatch(str(path)) is not None


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system name the output."""
    try:
        yield
    except OSError as error:
        raise _unwritable(path, error) from error


def _unwritable(path: Path, error: OSError) -> OutputError:
    return OutputError(path, f"cannot be written ({error.strerror or error})")


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _keep_owner_and_permissions(file: Path, before: os.stat_result) -> None:
    if os.name == "posix":
        with suppress(OSError):
            os.chown(file, before.st_uid, before.st_gid)
    file.chmod(stat.S_IMODE(before.st_mode))


@contextmanager
def _into(path: Path) -> Iterator[Output]:
    """Write into what is there; a file that was opened before is continued."""
    flags = os.O_WRONLY | getattr(os, "O_BINARY", 0)
    flags |= os.O_APPEND if path.is_file() else 0
    with _named(path):
        descriptor = os.open(path, flags)
    try:
        yield Output(path, descriptor, is_file=False)
    finally:
        with _named(path):
            os.close(descriptor)
