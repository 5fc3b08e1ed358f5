"""What could be a checkpoint in the places that are watched, and whether it has changed."""

from __future__ import annotations

import glob
import os
import re
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

MOST_INSIDE = 10_000
"""Files of a folder; one with more is no checkpoint."""

DEEPEST = 8
"""Folders below a folder that is a checkpoint."""

_NO_WEIGHTS = frozenset(
    {
        *(".json", ".jsonl", ".csv", ".tsv", ".md", ".txt", ".log", ".yaml", ".yml", ".toml"),
        *(".ini", ".cfg", ".py", ".sh", ".ipynb", ".html", ".png", ".jpg", ".svg", ".pdf"),
        *(".lock", ".tmp", ".temp", ".part", ".partial", ".incomplete", ".swp", ".journal"),
    }
)
"""Suffixes of what a training run writes beside its checkpoints, or has not finished."""
_PASSED_OVER = re.compile(
    r"[.~].*|.*~|tmp-.*|.*\.tfevents\..*|.*\.orbax-checkpoint-tmp.*|.*\.data-\d{5}-of-\d{5}",
    re.DOTALL,
)
"""Names of hidden and unfinished files, of logs, and of parts that an index names."""


@dataclass(frozen=True)
class Stamp:
    """State of a file or folder: as long as it is the same, the content is taken for the same.

    Attributes
    ----------
    own : size, time of modification and time of change, of the file or folder itself.
    inside : the same of all files in a folder, after their paths; None for a file.
    """

    own: tuple[int, int, int]
    inside: tuple[tuple[str, int, int, int], ...] | None = None

    @property
    def changed(self) -> int:
        """Nanoseconds since 1970 at which the content last changed."""
        return max([self.own[1], *(modified for _, _, modified, _ in self.inside or ())])


@dataclass(frozen=True)
class Look:
    """What was there at one moment.

    Attributes
    ----------
    found : state of each path that could be a checkpoint.
    names : what each is called, below the place where it was found.
    missing : places that are not there.
    """

    found: dict[str, Stamp]
    names: dict[str, str]
    missing: tuple[str, ...]


def look(places: Sequence[str], known: Mapping[str, Stamp]) -> Look:
    """Find what could be a checkpoint.

    Parameters
    ----------
    places : folders, whose files and folders are looked at; files; patterns of `glob`.
    known : states of checkpoints that need no second look inside as long as they themselves have
        not changed.

    Spec: WCH-1, WCH-3.
    """
    found: dict[str, Stamp] = {}
    names: dict[str, str] = {}
    missing = []
    for place in places:
        paths = _in_place(place)
        if paths is None:
            missing.append(place)
            continue
        for path, name in paths:
            stamp = stamp_of(path, known.get(path))
            if stamp is not None:
                found[path] = stamp
                names[path] = name if len(places) == 1 else path
    return Look(found, names, tuple(missing))


def _in_place(place: str) -> list[tuple[str, str]] | None:
    """Paths that a place stands for, with their names below it; None if it is not there."""
    try:
        with os.scandir(place) as entries:
            # A link names what has, or will have, its place elsewhere.
            return [
                (entry.path, entry.name)
                for entry in entries
                if _may_be_weights(entry.name) and not entry.is_symlink()
            ]
    except (OSError, ValueError):
        pass
    if os.path.isfile(place):  # noqa: PTH113 - it raises nothing
        return [(place, os.path.basename(place))]  # noqa: PTH119 - text is all that is needed
    if not glob.has_magic(place):
        return None
    fixed = os.path.dirname(re.split(r"[*?[]", place, maxsplit=1)[0])  # noqa: PTH120 - may be empty
    return [
        (path, os.path.relpath(path, fixed or "."))
        for path in glob.glob(place)  # noqa: PTH207 - the pattern is whole
        if _may_be_weights(os.path.basename(path))  # noqa: PTH119 - text is all that is needed
    ]


def _may_be_weights(name: str) -> bool:
    suffix = os.path.splitext(name)[1].lower()  # noqa: PTH122 - for thousands of names a look
    return suffix not in _NO_WEIGHTS and not _PASSED_OVER.fullmatch(name)


def stamp_of(path: str, known: Stamp | None = None) -> Stamp | None:
    """State of a regular file, or of a folder that is not empty; None for all else.

    A folder that itself is as it was when `known` was taken is taken to be as it was inside.
    """
    try:
        status = os.stat(path)  # noqa: PTH116 - a hot path
        own = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
        if stat.S_ISREG(status.st_mode):
            return Stamp(own)
        if not stat.S_ISDIR(status.st_mode):
            return None
        if known is not None and known.own == own:
            return known
        inside = tuple(sorted(_inside(path, "", [MOST_INSIDE])))
        return Stamp(own, inside) if inside else None
    except (OSError, ValueError, _TooMuchError):
        return None


class _TooMuchError(Exception):
    """More files than a checkpoint has."""


def _inside(folder: str, above: str, left: list[int]) -> Iterator[tuple[str, int, int, int]]:
    if above.count("/") > DEEPEST:
        raise _TooMuchError
    with os.scandir(folder) as entries:
        for entry in entries:
            left[0] -= 1
            if left[0] < 0:
                raise _TooMuchError
            if entry.is_dir(follow_symlinks=False):
                yield from _inside(entry.path, f"{above}{entry.name}/", left)
            else:
                status = entry.stat(follow_symlinks=False)
                times = (status.st_size, status.st_mtime_ns, status.st_ctime_ns)
                yield (f"{above}{entry.name}", *times)
