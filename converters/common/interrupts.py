"""Interrupts while a script is still importing, which takes a while, and after its work.

Only what Python has loaded anyway is imported here, so that scripts can import this first.
"""

import _signal
import os

INTERRUPTED = 130
SAID = "interrupted: nothing was written\n"


def end_at_interrupts() -> None:
    """Let SIGINT end the process in one line, unless it is ignored, as in the background."""
    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _end)


def _end(*_: object) -> None:
    os.write(2, SAID.encode())
    os._exit(INTERRUPTED)
