"""Where results go: forms, files and terminals."""

from __future__ import annotations

import os
import signal
import sys
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from htsr_ref.errors import HtsrError
from htsr_ref.text.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping


Form = Literal["table", "json", "csv", "markdown"]
SUFFIXES: Mapping[Form, str] = {"json": ".json", "csv": ".csv", "markdown": ".md"}
"""Suffixes of the files that reports are written to, by their form."""

_FORMS = {suffix: form for form, suffix in SUFFIXES.items()}
_PLAIN = ("", ".txt", ".text", ".log")
"""Suffixes of files that can hold any text."""

_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


def be_quiet(wanted: bool) -> bool:
    """Say nothing on standard error but errors from here on, if that is wanted."""
    _QUIET.set(wanted)
    return wanted


def is_quiet() -> bool:
    """Whether nothing but errors is said on standard error."""
    return _QUIET.get()


def choose_form(json: bool, csv: bool, markdown: bool, output: Path | None) -> Form:
    """Form asked for by the options, else by the output's suffix, else a table.

    A suffix of what is not written, or of another form than the one that is asked for, is refused.
    """
    flags: dict[Form, bool] = {"json": json, "csv": csv, "markdown": markdown}
    asked = [form for form, wanted in flags.items() if wanted]
    if len(asked) > 1:
        raise HtsrError(f"choose one of {' and '.join(f'--{form}' for form in asked)}")
    suffix = "" if output is None else output.suffix.lower()
    if suffix not in _PLAIN and suffix not in _FORMS and not _exists_as_stream(output):
        raise HtsrError(
            f"{output}: {suffix} is not written. Name it {', '.join(_FORMS)}, or .txt for a table"
        )
    if not asked:
        return _FORMS.get(suffix, "table")
    if _FORMS.get(suffix, asked[0]) != asked[0]:
        right = SUFFIXES[asked[0]]
        raise HtsrError(f"{output}: --{asked[0]} is no {suffix}. Name it {right}")
    return asked[0]


def _exists_as_stream(output: Path | None) -> bool:
    """Whether an output is a pipe, device or file that is open, whose name means nothing."""
    if output is None or not os.path.exists(output):  # noqa: PTH110 - it raises nothing
        return False
    from htsr_ref.weights.outputs import names_open_file

    return not os.path.isfile(output) or names_open_file(output)  # noqa: PTH113 - as above


def folder_of(output: str | None) -> Path | None:
    """Folder that an output names: it ends in a slash, or is there; None for a file or nothing."""
    if output is None or not (output.endswith(("/", os.sep)) or os.path.isdir(output)):  # noqa: PTH112 - raises nothing
        return None
    return Path(output)


def check_weights_name(output: Path) -> None:
    """Refuse the name of a file that is not written as weights."""
    if output.suffix.lower() not in WEIGHT_SUFFIXES and not _exists_as_stream(output):
        raise HtsrError(
            f"{output}: not the name of a weight file that is written. End it in .safetensors or "
            ".h5"
        )


WEIGHT_SUFFIXES = (".safetensors", ".h5", ".hdf5")
"""Suffixes of weight files that are written."""


def text_of(found: object, form: Form) -> str:
    """Write what was found, any of the records of the interface, in a form that it has."""
    return str(found) if form == "table" else str(getattr(found, f"to_{form}")())


def text_or_json(json: bool, output: Path | None, what: str) -> Form:
    """Form of what is written as text or JSON alone; `what` is the error for any other."""
    form = choose_form(json, False, False, output)
    if form not in ("table", "json"):
        raise HtsrError(f"{output}: {what}")
    return form


def check_writable(output: Path | None, *inputs: str | Path | None) -> None:
    """Refuse an output that cannot be written, before hours are spent on what goes there.

    Nor is a file replaced if the command reads it.
    """
    if output is None:
        return
    from htsr_ref.weights.outputs import target_of

    target_of(output)
    if output.is_file() and any(map(output.samefile, _files_read(inputs))):
        raise HtsrError(f"{output}: the command reads it. Name another file to write to")


def check_figure(plot: Path | None, *inputs: str | Path | None) -> None:
    """Refuse a figure that cannot be drawn or written before anything is computed for it."""
    if plot is not None:
        from htsr_ref.plots.canvas import check_form, require_matplotlib

        check_writable(plot, *inputs)
        check_form(plot)
        require_matplotlib()


def check_folder(folder: Path | None) -> None:
    """Refuse a folder of figures that cannot be made, before anything is computed for it."""
    if folder is not None:
        from htsr_ref.plots.canvas import require_matplotlib

        if folder.exists() and not folder.is_dir():
            raise HtsrError(f"{folder}: it is not a folder. Name one for the figures")
        if not folder.parent.is_dir():
            raise HtsrError(f"{folder}: there is no folder {folder.parent}. Create it first")
        require_matplotlib()


_REPORTS = {*_FORMS, ".txt", ".log"}
"""Suffixes of files in a folder that are no weights, unless they are settings or an index."""


def _files_read(inputs: tuple[str | Path | None, ...]) -> Iterator[Path]:
    """Those of the given files that exist, and what is read with them.

    That is what states the model's settings beside them; and a folder, or the index in one,
    stands for all weights in it.
    """
    for given in inputs:
        # Unlike those of Path, these functions raise nothing, whatever the name.
        if given is None or not os.path.exists(given):  # noqa: PTH110
            continue
        path = Path(given)
        folder = path if path.is_dir() else path.parent
        yield from _settings_in(folder)
        if path.is_dir() or path.name.endswith(".index.json"):
            yield from folder.glob("*.index.json")
            files = folder.rglob("*") if path.is_dir() else folder.glob("*")
            yield from (file for file in files if _may_be_weights(file))
        else:
            yield path


def _settings_in(folder: Path) -> Iterator[Path]:
    from htsr_ref.weights.settings import FILES

    paths = (folder / name for names in FILES.values() for name in names)
    return (path for path in paths if path.is_file())


def _may_be_weights(path: Path) -> bool:
    return path.suffix.lower() not in _REPORTS and path.is_file()


def emit(text: str | Iterable[str], output: Path | None) -> None:
    """Write text, or its pieces, to standard output or to a file, whole or not there at all."""
    pieces = [text] if isinstance(text, str) else text
    if output is None:
        _print(pieces)
        return
    from htsr_ref.weights.outputs import writing

    with writing(output) as file:
        for piece in pieces:
            # A file's name need not be Unicode; escaped, it is valid in JSON, legible elsewhere.
            file.write(piece.encode("utf-8", "backslashreplace"))


def is_standard_output(path: Path) -> bool:
    """Whether a path leads to what standard output is, where nothing else may be printed."""
    with suppress(OSError, ValueError):  # it may be no file of the system's
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    return False


def _print(pieces: Iterable[str]) -> None:
    try:
        for piece in pieces:
            sys.stdout.write(piece)
        sys.stdout.flush()
    except BrokenPipeError:
        raise  # The reader, such as `head`, has enough; typer ends the program quietly.
    except OSError as error:
        drop_standard_output()
        raise HtsrError(f"standard output: cannot be written ({error.strerror})") from error


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let a request to end, or the end of the terminal, remove temporary files as an error does."""

    def end(number: int, _: object) -> None:
        raise SystemExit(128 + number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    # Who ignores a signal, as nohup does, goes on ignoring it.
    changed = [number for number in numbers if signal.getsignal(number) == signal.SIG_DFL]
    for number in changed:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)


def drop_standard_output() -> None:
    """Keep what is left in the buffer of standard output from being written again at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def fail(message: str) -> None:
    """Say on standard error, in one line, what is wrong or was found; errors are always said."""
    if is_quiet() and not message.startswith("error: "):
        return
    if "://" in message:
        from htsr_ref.weights.remote.addresses import without_secrets

        message = without_secrets(message)
    typer.echo(f"htsr: {one_line(message)}", err=True)
