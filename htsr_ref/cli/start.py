"""The program `htsr`, from its first line: an interrupt or a closed stream ends it in order.

Only what Python has loaded anyway is imported before that is arranged.
"""

import gc
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn

INTERRUPTED = 130
AGAIN_SECONDS = 0.01

NEW_OBJECTS = 50_000
"""New objects after which Python looks for cycles among them: what is imported, and the many small
records of a report, have none, and would be gone over again and again."""


def run() -> "NoReturn":
    """Run the command line as a process; SIGINT ends it with 130 and without a word."""
    # The module `signal` itself imports others, and may be interrupted as well.
    import _signal  # type: ignore[import-not-found]  # it has no stubs

    _signal.signal(_signal.SIGINT, lambda *_: os._exit(INTERRUPTED))
    open_closed_streams()
    gc.set_threshold(NEW_OBJECTS)
    from htsr_ref.cli.main import run as run_command

    interrupts = _Interrupts()
    _signal.signal(_signal.SIGINT, interrupts.raise_one)
    if hasattr(_signal, "setitimer"):
        _signal.signal(_signal.SIGALRM, interrupts.raise_one)
        sys.unraisablehook = interrupts.again
    code: Any = 0
    try:
        run_command()
    except SystemExit as end:
        code = end.code
    except BaseException:
        # Libraries in C make other errors of an interrupt.
        if not interrupts.number:
            raise
        code = INTERRUPTED
    finally:
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    sys.exit(INTERRUPTED if interrupts.number else code)


class _Interrupts:
    """Counts interrupts, and sees to it that none is lost."""

    def __init__(self) -> None:
        self.number = 0

    def raise_one(self, *_: object) -> None:
        """Handle the signal."""
        self.number += 1
        raise KeyboardInterrupt

    def again(self, unraisable: "sys.UnraisableHookArgs") -> None:
        """Interrupt once more where an object's end, or a library in C, swallowed it."""
        import _signal

        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            _signal.setitimer(_signal.ITIMER_REAL, AGAIN_SECONDS)
        else:
            sys.__unraisablehook__(unraisable)


def open_closed_streams() -> None:
    """Put something in the place of standard streams that are closed.

    Else the next file opened would be taken for one. What is printed to a closed standard output
    is an error, what is said to a closed standard error is lost.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        try:
            os.fstat(number)
        except OSError:
            access = os.O_WRONLY if name == "stderr" else os.O_RDONLY
            opened = os.open(os.devnull, access)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
        if getattr(sys, name) is None:
            stream = open(number, mode, encoding="utf-8", closefd=False)  # noqa: SIM115 - it stays
            setattr(sys, name, stream)


if __name__ == "__main__":
    run()
