"""`htsr cache`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import options, output
from htsr_ref.errors import HtsrError
from htsr_ref.text.lines import count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.spectra.cache_folder import Entry

EPILOG = "Example: htsr cache spectra"


def cache(
    folder: Annotated[
        Path, typer.Argument(metavar="DIR", envvar="HTSR_CACHE", help="The folder of --cache.")
    ],
    clear: Annotated[bool, typer.Option("--clear", help="Remove all spectra.")] = False,
    limit: Annotated[
        str | None,
        typer.Option(
            "--limit",
            metavar="SIZE",
            help="Remove the spectra that were not used the longest, until the others take at "
            "most so much, such as 500M.",
        ),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Say how many spectra a folder of --cache holds, and remove all or the oldest.

    They hold nothing that cannot be computed again. No other file in the folder is touched.
    """
    if clear and limit is not None:
        raise HtsrError("--clear removes all, --limit some. Choose one")
    most = 0 if clear else None
    if limit is not None:
        most = options.bytes_of(limit, "--limit")

    from htsr_ref.spectra.cache_folder import open_folder

    found = open_folder(folder, is_made=False)
    if most is not None:
        removed = found.trim(most)
        output.fail(f"removed: {count(len(removed), 'file')}, {_size(removed)}")
    left = found.entries()
    output.emit(_listed(left), None)
    if most is not None and sum(entry.size for entry in left) > most:
        raise HtsrError(f"{folder}: not all of that could be removed. Check the permissions in it")


def _listed(entries: "Sequence[Entry]") -> str:
    lines = [f"spectra     {len(entries)}", f"size        {_size(entries)}"]
    if entries:
        lines += [f"oldest use  {_time(entries[0].used)}", f"newest use  {_time(entries[-1].used)}"]
    return "\n".join(lines) + "\n"


def _size(entries: "Sequence[Entry]") -> str:
    """Size of files together.

    >>> _size([])
    '0.000 MB'
    """
    return f"{sum(entry.size for entry in entries) / 1e6:,.3f} MB"


def _time(seconds: float) -> str:
    """Time of a clock that is the same everywhere, whatever time a file claims.

    >>> _time(0.0), _time(1e12)
    ('1970-01-01 00:00 UTC', '1e+12 s after 1970')
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (ValueError, OverflowError, OSError):  # No calendar goes so far.
        return f"{seconds:g} s after 1970"
