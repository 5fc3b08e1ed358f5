"""Folders for outputs in the making: locked while their process lives, removed by the next if not.

They have the names of htsr's temporary files, so that it removes them, too. How a lock tells what
is abandoned is written there once more (weights/leftovers.py): scripts run without htsr, which
imports none of them, and a lock must be held by the process that writes.
"""

import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_NAME = re.compile(r"\.htsr-[0-9a-f]{32}\.tmp")


@contextmanager
def folder_in(place: Path) -> Iterator[Path]:
    """Yield a new folder in another, which is removed at the end; so are those of killed runs.

    Raises
    ------
    OSError
        If it cannot be made.
    """
    _remove_abandoned(place)
    folder, descriptor = _new(place)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _new(place: Path) -> tuple[Path, int | None]:
    """Make a folder; its lock is None where there are none, and where nothing is removed either."""
    while True:
        folder = place / f".htsr-{uuid.uuid4().hex}.tmp"
        folder.mkdir(mode=0o700)
        if os.name != "posix":  # a folder cannot be opened there
            return folder, None
        try:
            return folder, _locked(folder)
        except (BlockingIOError, FileNotFoundError):  # another run took it for abandoned
            continue
        except OSError:
            return folder, None


def _locked(folder: Path) -> int:
    """Descriptor of a folder that no other process has locked, and of no link to one."""
    import fcntl

    descriptor = os.open(folder, os.O_RDONLY | os.O_NOFOLLOW | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        folder.lstat()
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _remove_abandoned(place: Path) -> None:
    if os.name != "posix":
        return
    with suppress(OSError), os.scandir(place) as entries:
        for folder in [Path(entry) for entry in entries if _NAME.fullmatch(entry.name)]:
            with suppress(OSError):
                _remove_if_abandoned(folder)


def _remove_if_abandoned(folder: Path) -> None:
    descriptor = _locked(folder)
    try:
        if os.fstat(descriptor).st_uid == os.geteuid():
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)
