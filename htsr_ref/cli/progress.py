"""How far long work has come, and how long the rest will take."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

from htsr_ref.cli import output
from htsr_ref.text.apart import shorten
from htsr_ref.text.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from htsr_ref.analysis.analyzing import Progress

SPEED = 1e10
"""Operations a second that are expected until something has been finished."""

TICK, MINUTE = 0.2, 60.0
"""Seconds between two changes of a bar, and two lines where there is none."""


class Amount:
    """Work at a speed that is that of all that has been finished so far.

    Between two reports of progress the time left goes down by the clock, however long one piece
    takes. An amount is in operations where `speed` is.

    Parameters
    ----------
    speed : of the work before anything has been finished; None if it is not known.
    clock : seconds.

    Spec: SCL-27.
    """

    def __init__(
        self, speed: float | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock, self._speed = clock, speed
        self._begun = self._at = clock()
        self.name, self._done, self._total = "", 0.0, 0.0

    def set(self, name: str, done: float, total: float) -> None:
        """Take note of what is at work, of what is done, and of all that is to be done."""
        now = self._clock()
        if done > self._done:
            self._speed, self._at = done / max(now - self._begun, 1e-9), now
        self.name, self._done, self._total = name, done, total

    @property
    def share(self) -> float:
        """What is done, of all there is."""
        return self._done / self._total if self._total else 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begun

    @property
    def left(self) -> float | None:
        """Seconds until all is done; None where that cannot be said."""
        if self._speed is None or not self._total:
            return None
        return max((self._total - self._done) / self._speed - (self._clock() - self._at), 0.0)

    def __str__(self) -> str:
        """Say how long it has taken, and how long it will."""
        left = "" if self.left is None else f", about {duration(self.left)} left"
        return f"{duration(self.elapsed)}{left}"


def duration(seconds: float) -> str:
    """Write a time as people say it.

    >>> duration(7.4), duration(95), duration(7322)
    ('7 s', '1 min 35 s', '2 h 2 min')
    """
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


@contextmanager
def progress_bar(prefix: str = "") -> Iterator[Callable[[Progress], None]]:
    """Show an analysis's progress on standard error; see `amount_bar`."""
    with amount_bar("reading", prefix, SPEED) as show:
        yield lambda step: show(step.layer, step.done, step.total)


@contextmanager
def amount_bar(
    first: str, prefix: str = "", speed: float | None = None
) -> Iterator[Callable[[str, float, float], None]]:
    """Show progress on standard error: a bar on a terminal, elsewhere a line every minute.

    What is yielded is called with the name of what is at work, the amount done and all of it.

    Parameters
    ----------
    first : what is said before the first call.
    prefix : stands before every name.
    speed : amount a second that is expected until something has been finished.

    Spec: SCL-27.
    """
    amount = Amount(speed)
    if output.is_quiet():
        yield amount.set
    elif sys.stderr.isatty():
        with _bar(amount, first, prefix):
            yield amount.set
    else:
        with every(
            MINUTE, lambda: output.fail(f"{prefix}{amount.share:.0%} after {amount}: {amount.name}")
        ):
            yield amount.set


@contextmanager
def _bar(amount: Amount, first: str, prefix: str) -> Iterator[None]:
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TextColumn("{task.fields[times]}"),
        console=Console(stderr=True),
        transient=True,
    ) as bar:
        task = bar.add_task(f"{prefix}{first}", total=1, times="")

        def show() -> None:
            name = shorten(one_line(amount.name), 30) or ("done" if amount.share == 1.0 else first)
            bar.update(task, description=prefix + name, completed=amount.share, times=str(amount))

        with every(TICK, show):
            yield
        show()


@contextmanager
def every(seconds: float, tell: Callable[[], None]) -> Iterator[None]:
    """Call a function at intervals while a block runs, whatever holds the block up."""
    ended = Event()

    def telling() -> None:
        while not ended.wait(seconds):
            tell()

    thread = Thread(target=telling, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
