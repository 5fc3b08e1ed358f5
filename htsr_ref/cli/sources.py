"""The models that a command is given: paths, patterns that no shell expanded, lists in files."""

from __future__ import annotations

import glob
import os
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.cli import output
from htsr_ref.errors import HtsrError
from htsr_ref.text.reading import read_bytes, read_rest

if TYPE_CHECKING:
    from collections.abc import Sequence

STANDARD_INPUT = "-"
"""In place of a file's name: a list on standard input."""


@dataclass(frozen=True)
class Given:
    """A model as it was given.

    Attributes
    ----------
    file : its path or address.
    line : where a list names it, for messages; empty if the command line does.
    """

    file: str
    line: str = ""


def given_models(files: list[str], manifest: str | None) -> list[Given]:
    """Collect the models of a command line and of a list, each once, in their order.

    Raises
    ------
    HtsrError
        There is none, or the list cannot be read.

    Spec: SCL-14, SCL-15.
    """
    named = [model for file in files for model in _matching(file)]
    named += [] if manifest is None else read_list(manifest)
    if not named:
        raise HtsrError(
            f"{manifest}: the list names no model"
            if manifest is not None
            else "no model is given. Usage: `htsr analyze --help` shows it"
        )
    found: dict[str, Given] = {}
    for model in named:
        found.setdefault(model.file, model)
    return [found[file] for file in each_once(list(found))]


def each_once(files: Sequence[str]) -> list[str]:
    """Drop files that were given before, and say so."""
    kept: dict[str, str] = {}
    for file in files:
        # No file has a name with a null byte: whoever opens it says so.
        place = file if "\0" in file else os.path.realpath(file)
        if place in kept:
            output.fail(f"{file}: given twice; it is counted once")
        kept.setdefault(place, file)
    return list(kept.values())


def read_list(path: str) -> list[Given]:
    """Read a list of models: one a line, relative to the list; # begins a comment.

    Raises
    ------
    HtsrError
        It cannot be read, is too long, or a line cannot be the name of a file.

    Spec: SCL-15.
    """
    name = "standard input" if path == STANDARD_INPUT else path
    try:
        content = read_rest(sys.stdin.buffer) if path == STANDARD_INPUT else read_bytes(path)
    except OSError as error:
        raise HtsrError(f"{name}: cannot be read ({error.strerror})") from error
    folder = "" if path == STANDARD_INPUT else os.path.dirname(path)  # noqa: PTH120 - "" stays ""
    found = []
    for number, raw in enumerate(content.removeprefix(b"\xef\xbb\xbf").split(b"\n"), 1):
        text = os.fsdecode(raw).strip()
        where = f"{name}: line {number}"
        if "\0" in text:
            raise HtsrError(
                f"{where}: it holds a null byte, as no name of a file does. Save the list as UTF-8 "
                "text, one model a line"
            )
        if text and not text.startswith("#"):
            found += _matching(text, folder, where)
    return found


def _matching(text: str, folder: str = "", line: str = "") -> list[Given]:
    """Expand a pattern in a folder; what matches nothing, or exists as it is, stays."""
    from htsr_ref.weights.remote.addresses import is_address

    if is_address(text):
        return [Given(text, line)]
    found = [text]
    if glob.has_magic(text) and not os.path.lexists(os.path.join(folder, text)):  # noqa: PTH118 - as below
        found = sorted(glob.glob(text, root_dir=folder or None, recursive=True)) or found  # noqa: PTH207 - as a shell does
    return [Given(os.path.join(folder, name), line) for name in found]  # noqa: PTH118 - ./ stays
