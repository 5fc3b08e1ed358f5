"""Standard output, which may be full, closed, or the file that is written."""

import errno
import os
import sys
from contextlib import suppress
from pathlib import Path

from common.errors import ConversionError


def print_out(text: str) -> None:
    """Print a text at once.

    Raises
    ------
    ConversionError
        If it cannot be written.
    """
    try:
        if sys.stdout is None:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        sys.stdout.write(text)
        sys.stdout.flush()
    except OSError as error:
        # What is left in the buffer is not written again when the process ends.
        if sys.stdout is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise ConversionError(
            f"it cannot be written ({error.strerror})", "Print elsewhere", file="standard output"
        ) from error


def is_standard_output(path: Path) -> bool:
    """Whether a path leads to what standard output is."""
    with suppress(OSError, ValueError, AttributeError):  # there may be none
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    return False
