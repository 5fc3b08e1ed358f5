"""A folder of spectra that outlives a run: what it holds, and what goes when it is full."""

from __future__ import annotations

import os
import re
import stat
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from htsr_ref.errors import CacheError, OutputError
from htsr_ref.weights.leftovers import is_temporary
from htsr_ref.weights.outputs import writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

LIMIT = 10 * 10**9
"""Bytes that the spectra of a cache take at most, unless another number is asked for (SCL-23)."""

KEPT_SHARE = 0.9
"""Share of the limit that is left when spectra have to go, so that the next ones need not."""

TAG = "CACHEDIR.TAG"
"""Name by which backups know a cache: https://bford.info/cachedir/."""

CONTENT = (
    b"Signature: 8a477f597d28d172789f06886806bc55\n"
    b"# Spectra of weight matrices, kept by htsr-ref. All of it can be computed again;\n"
    b"# `htsr cache` lists and removes it.\n"
)
"""What the tag of a cache of spectra holds."""

Place = tuple[Path, int]
"""Path and limit of a cache, by which another process finds it."""

_FOLDER = re.compile(r"[0-9a-f]{2}")
_ENTRY = re.compile(r"[0-9a-f]{64}\.spectrum")


@dataclass(frozen=True)
class Entry:
    """A file of a cache.

    Attributes
    ----------
    path : the file.
    size : its bytes.
    used : when it was written or last read, in seconds since 1970.
    """

    path: Path
    size: int
    used: float


class CacheFolder:
    """Files under names of 64 hexadecimal digits, of which the oldest used go first.

    Several processes, and several threads of each, may use a folder at once.

    Parameters
    ----------
    path : a folder that is a cache; see `open_folder`.
    limit : bytes that its files take at most.

    Spec: SCL-22, SCL-23.
    """

    def __init__(self, path: Path, limit: int = LIMIT) -> None:
        self.path = path
        self.limit = limit
        self._held: int | None = None
        self._lock = Lock()

    def has(self, name: str, size: int) -> bool:
        """Whether there is a file of this name and size."""
        try:
            status = self._place(name).lstat()
        except OSError:
            return False
        return stat.S_ISREG(status.st_mode) and status.st_size == size

    def read(self, name: str, size: int) -> bytes | None:
        """Return the content of a file; None if there is none of this size that can be read."""
        flags = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
        place = self._place(name)
        try:
            if place.parent.is_symlink():
                return None
            descriptor = os.open(place, flags | getattr(os, "O_BINARY", 0))
            with os.fdopen(descriptor, "rb") as file:
                status = os.fstat(file.fileno())
                if not stat.S_ISREG(status.st_mode) or status.st_size != size:
                    return None
                return file.read(size)
        except OSError:
            return None

    def touch(self, name: str) -> None:
        """Note that a file was used now."""
        with suppress(OSError):  # It may be another user's.
            os.utime(self._place(name))

    def write(self, name: str, content: bytes) -> None:
        """Write a file, whole or not at all, and remove others where there are too many.

        Raises
        ------
        OutputError
            It cannot be written.
        OSError
            Its folder cannot be made.
        """
        if len(content) > self.limit:
            return
        place = self._place(name)
        # Links lead out of the cache, and pipes to whoever: nothing is written through them.
        _remove_unless(stat.S_ISDIR, place.parent)
        place.parent.mkdir(exist_ok=True)
        _remove_unless(stat.S_ISREG, place)
        with writing(place) as file:
            file.write(content)
        with self._lock:
            if self._held is not None:
                self._held += len(content)
            # Other processes write and remove as well: what is held is counted before any goes.
            if self._held is None or self._held > self.limit:
                self._held = _size(self._found())
                if self._held > self.limit:
                    self._held -= _size(self.trim(int(KEPT_SHARE * self.limit)))

    def entries(self) -> list[Entry]:
        """Files of the cache, the oldest used first."""
        return sorted(self._found(), key=lambda entry: (entry.used, entry.path))

    def trim(self, limit: int) -> list[Entry]:
        """Remove the oldest used files until the others take at most that many bytes.

        Returns
        -------
        Those that were removed.
        """
        entries = self.entries()
        held = _size(entries)
        removed = []
        for entry in entries:
            if held <= limit:
                break
            with suppress(OSError):  # It may be another user's.
                entry.path.unlink(missing_ok=True)  # Another process may have removed it.
                held -= entry.size
                removed.append(entry)
        return removed

    def _found(self) -> Iterator[Entry]:
        """Files that are spectra by their place and name; nothing else here is ever touched."""
        for folder in _inside(self.path, _FOLDER):
            for file in _inside(Path(folder.path), _ENTRY):
                with suppress(OSError):  # Another process may have removed it.
                    status = file.stat(follow_symlinks=False)
                    if stat.S_ISREG(status.st_mode) and file.name.startswith(folder.name):
                        yield Entry(Path(file.path), status.st_size, status.st_mtime)

    def _place(self, name: str) -> Path:
        return self.path / name[:2] / f"{name}.spectrum"


def open_folder(path: Path, limit: int = LIMIT, *, is_made: bool = True) -> CacheFolder:
    """Open a cache; a folder that is empty or not there yet is made one if that is wanted.

    Raises
    ------
    CacheError
        It is not a cache, and not to be made one; or it cannot be read or made.

    Spec: SCL-22.
    """
    tag = path / TAG
    try:
        if is_made and not path.exists():
            path.mkdir(exist_ok=True)
        if not path.is_dir():
            raise CacheError(path, "there is no such folder. Name that of a cache")
        if is_made and all(map(is_temporary, os.listdir(path))):  # noqa: PTH208 - names
            with writing(tag) as file:
                file.write(CONTENT)
        if tag.is_file() and tag.stat().st_size == len(CONTENT) and tag.read_bytes() == CONTENT:
            return CacheFolder(path, limit)
    except (OSError, OutputError) as error:
        raise CacheError(path, f"it cannot be used as a cache ({cause_of(error)})") from error
    problem = "it is not a cache of spectra"
    cure = "an empty folder, or one that is not there yet" if is_made else "one that is"
    raise CacheError(path, f"{problem}. Name {cure}")


def cause_of(error: OSError | OutputError) -> str:
    """Say what the system said."""
    cause = error.__cause__ if isinstance(error, OutputError) else error
    return getattr(cause, "strerror", None) or str(error)


def _size(entries: Iterable[Entry]) -> int:
    return sum(entry.size for entry in entries)


def _remove_unless(is_right: Callable[[int], bool], path: Path) -> None:
    """Remove what is there if it is of the wrong kind."""
    with suppress(FileNotFoundError):
        if not is_right(path.lstat().st_mode):
            path.unlink()


def _inside(folder: Path, names: re.Pattern[str]) -> list[os.DirEntry[str]]:
    """Contents of a folder with such names, no links; none of one that cannot be read."""
    with suppress(OSError), os.scandir(folder) as found:
        return [item for item in found if names.fullmatch(item.name) and not item.is_symlink()]
    return []
