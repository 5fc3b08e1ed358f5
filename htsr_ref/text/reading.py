"""Text and other small files, read whole but never without end."""

import errno
import os
from pathlib import Path
from typing import IO

MOST_BYTES = 2**28
"""No file of text that is read is longer."""


def read_bytes(path: str | os.PathLike[str]) -> bytes:
    """Read a whole file, which may be a pipe.

    Raises
    ------
    OSError
        It cannot be read, no file can have this name, or it has more than `MOST_BYTES`; its
        `strerror` says which.

    Spec: RPT-10.
    """
    try:
        with Path(path).open("rb") as file:
            return read_rest(file)
    except ValueError as error:
        raise OSError(errno.EINVAL, f"no file can have this name: {error}") from error


def read_rest(file: IO[bytes]) -> bytes:
    """Read what is left of an open file.

    Raises
    ------
    OSError
        More than `MOST_BYTES` are left.

    Spec: RPT-10.
    """
    content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise OSError(errno.EFBIG, f"it is longer than {MOST_BYTES // 2**20} MiB")
    return content
