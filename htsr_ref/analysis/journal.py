"""Finished layers, kept in a file until the report of all of them is written."""

import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event, Thread
from time import monotonic
from typing import Any

from htsr_ref.analysis.agreement import difference
from htsr_ref.errors import JournalError
from htsr_ref.machine.locks import lock
from htsr_ref.reports.reading import rebuilt_layer
from htsr_ref.reports.report import LayerReport
from htsr_ref.text.checked_lines import MARK, checked_line, checked_value

PATIENCE = 3.0
"""Seconds of work before anything is written: less is sooner done again than resumed."""

SYNC_SECONDS = 5.0
"""Seconds after which what was written goes to the disk."""


class Journal:
    """Reports of finished layers.

    Attributes
    ----------
    path : the file.
    kept : what an earlier run of the same work has finished, by place in the source.
    count : layers that the file holds.

    Spec: SCL-9.
    """

    def __init__(
        self,
        path: Path,
        descriptor: int,
        header: Mapping[str, Any],
        kept: Mapping[int, LayerReport],
    ) -> None:
        self.path = path
        self.kept = kept
        self.count = len(kept)
        self._descriptor = descriptor
        self._header = b"" if kept else checked_line(header)
        self._waiting: list[tuple[int, LayerReport]] = []
        self._begin = monotonic() + PATIENCE
        self._is_removed = False
        self._ended = Event()
        self._syncing: Thread | None = None

    def keep(self, place: int, report: LayerReport) -> None:
        """Keep what came of a layer.

        Raises
        ------
        JournalError
            It cannot be written.
        """
        self._waiting.append((place, report))
        if monotonic() < self._begin:
            return
        lines = [checked_line({"place": at, "report": found}) for at, found in self._waiting]
        left = memoryview(self._header + b"".join(lines))
        with _named(self.path):
            while left:
                left = left[os.write(self._descriptor, left) :]
        self.count += len(self._waiting)
        self._header = b""
        self._waiting.clear()
        if self._syncing is None:
            self._syncing = Thread(target=self._sync, daemon=True)
            self._syncing.start()

    def remove(self) -> None:
        """Have the file removed at the end, since the report is written."""
        self._is_removed = True

    def close(self) -> None:
        """End; a file that holds nothing is removed as well."""
        self._ended.set()
        if self._syncing is not None:
            self._syncing.join()
        with suppress(OSError):
            if self._is_removed or os.fstat(self._descriptor).st_size == 0:
                self.path.unlink()
        os.close(self._descriptor)

    def _sync(self) -> None:
        """Bring what was written to the disk now and then, and at the end unless it is removed."""
        with suppress(OSError):  # A disk that fails is found when the report is written.
            folder = os.open(self.path.parent, os.O_RDONLY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        is_last = False
        while not is_last:
            is_last = self._ended.wait(SYNC_SECONDS)
            if not self._is_removed:
                with suppress(OSError):
                    os.fsync(self._descriptor)


@contextmanager
def open_journal(path: Path, header: Mapping[str, Any], *, resume: bool) -> Iterator[Journal]:
    """Open a journal, or make it.

    Parameters
    ----------
    path : the file.
    header : what the numbers of every layer depend on, see `agreement`.
    resume : whether to go on with what it holds.

    Raises
    ------
    JournalError
        Another run uses it; it is of other work; it holds layers and is not to be resumed; or
        it cannot be made, or is something else.

    Spec: SCL-9, SCL-10, SCL-11.
    """
    with _named(path):
        descriptor = _opened(path)
    try:
        with _named(path):
            kept, end = _read(path, descriptor, header, resume=resume)
            os.ftruncate(descriptor, end)
            os.lseek(descriptor, 0, os.SEEK_END)
    except BaseException:
        os.close(descriptor)
        raise
    journal = Journal(path, descriptor, header, kept)
    try:
        yield journal
    finally:
        journal.close()


def _opened(path: Path) -> int:
    """Open and lock; a file that another run removes meanwhile is left to it."""
    flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    while True:
        descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
        is_ours = False
        try:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise JournalError(path, "it is not a regular file. Move it away")
            if not lock(descriptor):
                raise JournalError(path, "another run is writing it. Wait for its end")
            with suppress(FileNotFoundError):
                is_ours = os.path.samestat(path.stat(), os.fstat(descriptor))
        finally:
            if not is_ours:
                os.close(descriptor)
        if is_ours:
            return descriptor


def _read(
    path: Path, descriptor: int, header: Mapping[str, Any], *, resume: bool
) -> tuple[dict[int, LayerReport], int]:
    """Read the layers that a file holds, and where its last whole line ends; 0 without layers."""
    kept: dict[int, LayerReport] = {}
    with os.fdopen(os.dup(descriptor), "rb") as file:
        first = file.readline()
        end = len(first)
        if not first.endswith(b"\n") and (first.startswith(MARK) or MARK.startswith(first)):
            return {}, 0
        try:
            before = checked_value(first)
        except ValueError:
            problem = "it is not a journal, or damaged in its first line. Remove it to begin anew"
            raise JournalError(path, problem) from None
        for line in file:
            end += len(line) if line.endswith(b"\n") else 0
            with suppress(ValueError, TypeError, KeyError):  # A damaged line is a layer to do.
                record = checked_value(line)
                kept[record["place"]] = rebuilt_layer(record["report"])
    if not kept:
        return {}, 0
    cure = "or remove it to begin anew"
    if not resume:
        held = f"it holds {len(kept)} finished layers of a run that was ended"
        raise JournalError(path, f"{held}. Add --resume to go on with them, {cure}")
    if (found := difference(before, header)) is not None:
        raise JournalError(path, f"{found}. Give what it was made with, {cure}")
    return kept, end


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Let an error of the system name the journal."""
    try:
        yield
    except OSError as error:
        problem = f"cannot be written ({error.strerror or error})"
        raise JournalError(path, problem) from error
