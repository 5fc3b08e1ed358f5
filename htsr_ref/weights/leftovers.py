"""Temporary files and folders: locked while their process lives, removed by the next run if not."""

from __future__ import annotations

import os
import re
import shutil
import stat
import tempfile
import uuid
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from htsr_ref.machine.locks import lock

if TYPE_CHECKING:
    from collections.abc import Iterator

_FILE = re.compile(r"\.htsr-[0-9a-f]{32}\.tmp")
_FOLDER = re.compile(r"htsr-tmp-[0-9a-f]{32}")


def create_beside(target: Path, mode: int) -> tuple[Path, int]:
    """Create a temporary file in the folder of another; those of killed runs are removed.

    Parameters
    ----------
    target : the file that it will replace.
    mode : its permissions, of which the umask takes away.

    Returns
    -------
    tuple of its path and an open descriptor, which holds its lock.

    Raises
    ------
    OSError
        If it cannot be created.

    Spec: FMT-7, FMT-28.
    """
    _remove_abandoned(target.parent, _FILE)
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    while True:
        path = target.with_name(f".htsr-{uuid.uuid4().hex}.tmp")
        descriptor = os.open(path, flags, mode)
        if _is_locked_here(path, descriptor):
            return path, descriptor
        os.close(descriptor)


def is_temporary(name: str) -> bool:
    """Whether a file of this name is one that `create_beside` made."""
    return _FILE.fullmatch(name) is not None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Make a folder among the system's temporary files; those of killed runs are removed.

    It is removed if an error ends the block; else whoever was given it does that.

    Raises
    ------
    OSError
        If it cannot be made.

    Spec: FMT-26, FMT-28.
    """
    home = Path(tempfile.gettempdir())
    _remove_abandoned(home, _FOLDER)
    path = home / f"htsr-tmp-{uuid.uuid4().hex}"
    try:
        path.mkdir(mode=0o700)
        with _lock_of(path):
            yield path
    except BaseException:
        shutil.rmtree(path, ignore_errors=True)
        raise


@contextmanager
def _lock_of(folder: Path) -> Iterator[None]:
    if os.name != "posix":  # a folder cannot be opened there
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        _is_locked_here(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


def _is_locked_here(path: Path, descriptor: int) -> bool:
    """Lock what was opened; false if another process took it for abandoned meanwhile."""
    try:
        return lock(descriptor) and os.path.samestat(path.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
    except OSError:  # Windows
        return True


def _remove_abandoned(folder: Path, names: re.Pattern[str]) -> None:
    """Remove what has such a name, belongs to this user, and is locked by nobody."""
    if os.name != "posix":
        return
    with suppress(OSError), os.scandir(folder) as entries:
        for path in [Path(entry) for entry in entries if names.fullmatch(entry.name)]:
            with suppress(OSError):
                _remove_if_abandoned(path)


def _remove_if_abandoned(path: Path) -> None:
    import fcntl

    # A link is not followed, nor is a pipe waited for.
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            return
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if stat.S_ISDIR(status.st_mode):
            shutil.rmtree(path, ignore_errors=True)
        elif stat.S_ISREG(status.st_mode):
            path.unlink()
    finally:
        os.close(descriptor)
