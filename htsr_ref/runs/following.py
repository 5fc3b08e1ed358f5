"""Following a run: its checkpoints are analyzed as they appear, once they are written."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.conventions import DEFAULT, get_convention
from htsr_ref.errors import HtsrError
from htsr_ref.models.asking import called
from htsr_ref.runs.checkpoint import Checkpoint
from htsr_ref.runs.looking import Look, Stamp, look, stamp_of
from htsr_ref.runs.steps import in_order, step_of
from htsr_ref.weights.remote.addresses import is_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.conventions import Convention
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice

INTERVAL = 2.0
"""Seconds between two looks."""

LONGEST = 86_400
"""The most of them: a day."""


def watch(
    places: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    convention: Convention | str = DEFAULT,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice = "auto",
    jobs: int | None = None,
    max_memory: int | None = None,
    interval: float = INTERVAL,
    once: bool = False,
    left_out: Sequence[str | os.PathLike[str]] = (),
    notice: Callable[[str], None] | None = None,
    progress: Callable[[str, Progress], None] | None = None,
) -> Iterator[Checkpoint]:
    """Analyze the checkpoints of a training run as they appear.

    Parameters
    ----------
    places : a folder whose files and folders are checkpoints, a pattern of paths, or several.
    convention, layers, include, exclude, solver, jobs, max_memory : as for `analyze`.
    interval : seconds between two looks; a checkpoint counts if it is the same in both.
    once : end after two looks. Else it goes on for ever; leave the loop to end it.
    left_out : paths that are no checkpoints.
    notice : called with what a person should know, such as that a file cannot be read.
    progress : called with the name of a checkpoint and how far its analysis has come.

    Yields
    ------
    Checkpoint, in the order of their steps as far as they are there at the same time.

    Raises
    ------
    HtsrError
        There is no place, one is an address or, with `once`, not there; or the interval is none.

    Spec: WCH-1, WCH-3.
    """
    given = [places] if isinstance(places, (str, os.PathLike)) else list(places)
    if not given:
        raise HtsrError("there is no place to watch. Name a folder, a pattern or a file")
    if not 0 <= interval <= LONGEST:
        raise HtsrError(f"interval {interval!r}: give seconds, from 0 to {LONGEST:,}")
    for place in given:
        if is_address(place):
            raise HtsrError(f"{place}: an address cannot be watched. Name a folder of this machine")
    analyzed = partial(
        analyze,
        convention=get_convention(convention),
        layers=layers,
        include=include,
        exclude=exclude,
        solver=solver,
        jobs=jobs,
        max_memory=max_memory,
    )

    def report_of(path: str, name: str) -> Report:
        show = None if progress is None else partial(progress, name)
        return called(analyzed(path, progress=show), name)

    follower = _Follower(
        tuple(os.fspath(place) for place in given),
        report_of,
        notice or (lambda _: None),
        frozenset(os.path.realpath(path) for path in left_out),
    )
    return follower.follow(interval, once=once)


@dataclass
class _Follower:
    """What is known of the places that are watched."""

    places: tuple[str, ...]
    report_of: Callable[[str, str], Report]
    notice: Callable[[str], None]
    left_out: frozenset[str]
    settled: dict[str, Stamp] = field(default_factory=dict)
    """States in which paths were analyzed."""
    refused: dict[str, Stamp] = field(default_factory=dict)
    """States in which they could not be."""
    digests: dict[str, str | None] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def follow(self, interval: float, *, once: bool) -> Iterator[Checkpoint]:
        before = look(self.places, self.settled)
        if once and before.missing:
            raise HtsrError(f"{before.missing[0]}: it is not there. Check the path")
        self.tell((), before.missing)
        while True:
            time.sleep(interval)
            now = look(self.places, self.settled)
            self.tell(before.missing, now.missing)
            yield from self.settled_checkpoints(before, now)
            if once:
                return
            before = now

    def tell(self, before: Sequence[str], now: Sequence[str]) -> None:
        """Say which places have gone or come back."""
        for place in now:
            if place not in before:
                self.notice(f"{place}: it is not there, or cannot be read; waiting for it")
        for place in before:
            if place not in now:
                self.notice(f"{place}: it is there now")

    def settled_checkpoints(self, before: Look, now: Look) -> Iterator[Checkpoint]:
        """Analyze what two looks found in one state that is new."""
        ready = [
            _Ready(path, now.names[path], step_of(now.names[path]), stamp)
            for path, stamp in now.found.items()
            if before.found.get(path) == stamp
            and stamp not in (self.settled.get(path), self.refused.get(path))
            and os.path.realpath(path) not in self.left_out
        ]
        for item in in_order(ready)[1]:
            report = self.analyzed(item)
            if report is not None:
                yield Checkpoint(item.name, item.step, item.changed, report)

    def analyzed(self, item: _Ready) -> Report | None:
        """Analyze a checkpoint; None if it cannot be read, has changed, or holds nothing new.

        Spec: WCH-3.
        """
        error = report = None
        try:
            report = self.report_of(item.path, item.name)
        except HtsrError as found:
            error = found
        if stamp_of(item.path) != item.stamp:
            return None  # It was written, or removed, meanwhile: the next looks decide.
        if report is None:
            self.refused[item.path] = item.stamp
            if item.path not in self.told:
                self.told.add(item.path)
                self.notice(f"not read: {error}. It is tried again when it changes")
            return None
        self.settled[item.path] = item.stamp
        digest = report.source.sha256
        is_new = digest is None or digest != self.digests.get(item.path)
        self.digests[item.path] = digest
        return report if is_new else None


@dataclass(frozen=True)
class _Ready:
    """A checkpoint that two looks found in one state."""

    path: str
    name: str
    step: int | None
    stamp: Stamp

    @property
    def changed(self) -> int:
        return self.stamp.changed
