"""Where results go: forms, files and terminals."""

from __future__ import annotations

import errno
import os
import re
import sys
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

import typer

from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from htsr_ref.analysis import Progress

Form = Literal["table", "json", "csv", "markdown"]
_SUFFIXES: dict[str, Form] = {".json": "json", ".csv": "csv", ".md": "markdown"}


def choose_form(json: bool, csv: bool, markdown: bool, output: Path | None) -> Form:
    """Form asked for by the options, else by the output's suffix, else a table."""
    flags: dict[Form, bool] = {"json": json, "csv": csv, "markdown": markdown}
    asked = [form for form, wanted in flags.items() if wanted]
    if len(asked) > 1:
        raise HtsrError(f"choose one of {' and '.join(f'--{form}' for form in asked)}")
    if asked:
        return asked[0]
    return _SUFFIXES.get(output.suffix, "table") if output is not None else "table"


def check_writable(output: Path | None) -> None:
    """Refuse an output that cannot be written, before hours are spent on what goes there."""
    if output is None:
        return
    try:
        if output.is_dir():
            raise HtsrError(f"{output}: it is a folder. Name a file in it")
        if not output.parent.is_dir():
            raise HtsrError(f"{output}: there is no folder {output.parent}. Create it first")
        if not os.access(output.parent, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "Permission denied")
    except OSError as error:
        raise HtsrError(f"{output}: cannot be written ({error.strerror})") from error


def emit(text: str, output: Path | None) -> None:
    """Write text to standard output, or to a file that is whole or not there at all."""
    if output is None:
        _print(text)
        return
    try:
        if output.exists() and not output.is_file():
            _write(text, output)  # A pipe or device, such as /dev/null, must stay what it is.
        else:
            _replace(text, output.resolve())
    except OSError as error:
        raise HtsrError(f"{output}: cannot be written ({error.strerror})") from error


def _print(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # The reader, such as `head`, has enough; typer ends the program quietly.
    except OSError as error:
        # What is left in the buffer must not be tried again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise HtsrError(f"standard output: cannot be written ({error.strerror})") from error


def _replace(text: str, path: Path) -> None:
    temporary = path.with_name(f".htsr-{uuid.uuid4().hex}.tmp")
    try:
        _write(text, temporary)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _write(text: str, path: Path) -> None:
    # A file's name need not be Unicode; escaped, it is valid in JSON and legible elsewhere.
    path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")


def fail(message: str) -> None:
    """Say on standard error, in one line, what is wrong or was found."""
    typer.echo(f"htsr: {one_line(message)}", err=True)


@contextmanager
def progress_bar(prefix: str = "") -> Iterator[Callable[[Progress], None]]:
    """Show progress with the time left on standard error, if that is a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bar

    with Bar(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        disable=not sys.stderr.isatty(),
    ) as bar:
        task = bar.add_task(f"{prefix}reading")

        def show(step: Progress) -> None:
            bar.update(
                task,
                description=prefix + (shorten(one_line(step.layer), 30) or "done"),
                completed=step.done,
                total=step.total or 1,
            )

        yield show


def one_line(text: str) -> str:
    r"""Escape what does not print: names of tensors come from strangers.

    >>> print(one_line("\x1b[31mred\n"))
    \x1b[31mred\n
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shorten(name: str, width: int) -> str:
    """Shorten a name: its leading words to their initials, then, if need be, its middle.

    Numbers stay, as they tell the layers of a model apart.

    >>> shorten("model.layers.10.self_attn.q_proj", 24)
    'm.l.10.self_attn.q_proj'
    """
    words = re.split("([./])", name)
    excess = len(name) - width
    for i, word in enumerate(words[:-1]):
        if excess > 0 and word.isalpha():
            words[i] = word[0]
            excess -= len(word) - 1
    return middle_cut("".join(words), width)


def middle_cut(text: str, width: int) -> str:
    """Shorten a text in the middle.

    >>> middle_cut("3 to 5 axes (out, in, k)", 16)
    '3 to 5 a… in, k)'
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"
