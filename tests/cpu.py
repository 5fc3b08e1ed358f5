"""A limit of processor time, which a busy machine does not change as it does time by the clock."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class TooLong(BaseException):
    """Not an `Exception`, so that code under test which catches those does not hide it."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Stop the block with `TooLong` once this process has computed for so many seconds in it."""

    def stop(*_: object) -> None:
        raise TooLong(f"more than {seconds} seconds of processor time")

    before = signal.signal(signal.SIGPROF, stop)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
