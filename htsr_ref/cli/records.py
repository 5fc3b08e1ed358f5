"""What is kept beside the reports in a folder: the model each is of, and what it was made with."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import OutputError, WeightFileError
from htsr_ref.text.checked_lines import checked_line, checked_value
from htsr_ref.text.reading import read_bytes
from htsr_ref.weights.layer import digest_of
from htsr_ref.weights.outputs import writing
from htsr_ref.weights.remote.addresses import is_address, shown_address

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from htsr_ref.weights import Weights

FOLDER = ".htsr"
"""Folder of the records, in that of the reports."""


def claim(out: Path, file: str) -> None:
    """Note whose report an output will be, and refuse to replace that of another model.

    Raises
    ------
    OutputError
        What is there is of another model, or was written by something else.

    Spec: SCL-16.
    """
    model = shown_address(file) if is_address(file) else os.path.realpath(file)
    if not os.path.lexists(out):
        _write(out, {"model": model})
        return
    known = _read(out).get("model")
    if known != model:
        whose = "was not made by such a run" if known is None else f"is the report of {known}"
        raise OutputError(out, f"it {whose}. Remove it, or name another folder with -o")


def note(out: Path, made_with: Mapping[str, Any]) -> None:
    """Note what the report that was just written was made with.

    Spec: SCL-17.
    """
    _write(out, {**_read(out), "report": _digest(out), "made with": dict(made_with)})


def is_made(out: Path, weights: Weights, options: Mapping[str, Any]) -> bool:
    """Whether a report is there, as it was written, and would be written again byte for byte.

    Parameters
    ----------
    out : the report.
    weights : opened, as they are asked for.
    options : what else its numbers depend on.

    Raises
    ------
    WeightFileError
        A file of the weights can no longer be read.

    Spec: SCL-17.
    """
    from htsr_ref.analysis.agreement import digests_of, portable_agreement

    record = _read(out)
    before, digest = record.get("made with"), record.get("report")
    if not isinstance(before, dict) or digest is None or digest != _digest(out):
        return False
    # The weights are read for their digest only if nothing else speaks against it.
    if portable_agreement(weights, options, before.get("weights")) != before:
        return False
    return bool(digests_of(weights) == before["weights"])


def _place(out: Path) -> Path:
    return out.parent / FOLDER / out.name


def _read(out: Path) -> dict[str, Any]:
    """Read a record; one that is missing, damaged or no regular file says nothing."""
    place = _place(out)
    with suppress(OSError, ValueError):
        found = checked_value(read_bytes(place)) if place.is_file() else None
        return found if isinstance(found, dict) else {}
    return {}


def _write(out: Path, record: Mapping[str, Any]) -> None:
    place = _place(out)
    try:
        place.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(place.parent, f"cannot be made ({error.strerror})") from error
    with writing(place) as file:
        file.write(checked_line(record))


def _digest(out: Path) -> str | None:
    """Digest of a report; None of one that is missing or no regular file."""
    with suppress(WeightFileError):
        return digest_of([out]) if out.is_file() else None
    return None
