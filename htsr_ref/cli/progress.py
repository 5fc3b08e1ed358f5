"""How far long work has come, and how long the rest will take."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread

SPEED = 1e10
"""Operations a second that are expected until something has been finished."""


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
