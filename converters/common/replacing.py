"""Where outputs go: whole under their name or not at all, through links, into pipes and devices."""

import errno
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from common.errors import ConversionError
from common.leftovers import folder_in

_FULL = ("ENOSPC", "EFBIG", "EDQUOT", "EROFS", "EPIPE")
"""Errors that only an output has; not every system knows all."""
_DESCRIPTOR = re.compile(r"/(dev/(stdout|stderr|fd/\d+)|proc/[^/]+/fd/\d+)")
"""Names of files that are open already; what was written to them before must stay.

htsr has the same (weights/outputs.py): scripts run without it, and it imports none of them.
"""


@contextmanager
def replacing(output: Path) -> Iterator[Path]:
    """Yield the path of a temporary file or folder, which becomes the output at the end.

    A file that is replaced keeps its permissions and, where the system allows it, its owner. A
    pipe or device is written into, a file that is open already is continued.

    Raises
    ------
    ConversionError
        If the output cannot be written, or is read-only, even for the administrator.
    """
    try:
        before = output.stat() if output.exists() else None
        if before is not None and not before.st_mode & 0o222:
            raise PermissionError(errno.EACCES, "Permission denied")
        is_open = _DESCRIPTOR.fullmatch(str(output)) is not None
        if before is None or (stat.S_ISREG(before.st_mode) and not is_open):
            yield from _beside(output.resolve(), before)
        else:
            yield from _into(output)
    except OSError as error:
        is_of_output = errno.errorcode.get(error.errno or 0) in _FULL
        if not is_of_output and not (isinstance(error, PermissionError) and error.filename is None):
            raise
        raise ConversionError(
            f"it cannot be written ({error.strerror})", "Name another output", file=output
        ) from error


def _beside(target: Path, before: os.stat_result | None) -> Iterator[Path]:
    with folder_in(target.parent) as folder:
        temporary = folder / "output"
        yield temporary
        if before is not None:
            if os.name == "posix":
                with suppress(OSError):
                    os.chown(temporary, before.st_uid, before.st_gid)
            temporary.chmod(stat.S_IMODE(before.st_mode))
        temporary.replace(target)


def _into(output: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="htsr-") as folder:
        temporary = Path(folder, output.name)
        yield temporary
        mode = "ab" if output.is_file() else "wb"
        with temporary.open("rb") as whole, output.open(mode) as file:
            shutil.copyfileobj(whole, file)
