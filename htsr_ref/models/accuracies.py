"""Tables of accuracies: reading them, and finding which row a file belongs to."""

import csv
import io
import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePath

from htsr_ref.errors import HtsrError

_NAME_COLUMNS = ("model", "file")
_ACCURACY_COLUMNS = ("accuracy", "test_accuracy")
_DELIMITERS = (",", ";", "\t")
_SUFFIXES = {".json", ".safetensors", ".h5", ".hdf5", ".npz", ".npy"}
NO_SERIES = "all"
"""Name of the only series of a table that names none."""


@dataclass(frozen=True)
class Accuracy:
    """One row: a model's name, its accuracy as written, and the series it belongs to."""

    name: str
    value: float
    series: str


def read_accuracies(
    path: str | os.PathLike[str], column: str | None = None
) -> tuple[Accuracy, ...]:
    """Read a CSV file of accuracies.

    Parameters
    ----------
    path : UTF-8 text; commas, semicolons or tabs between columns. Names are in the column `model`
        or `file`; a column `series` is optional, others are ignored.
    column : that of the accuracies; by default `accuracy`, else `test_accuracy`.

    Raises
    ------
    HtsrError
        The file cannot be read, lacks a column, or a row is not a name and a finite number.

    Spec: TRD-10.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise HtsrError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise HtsrError(f"{path}: is not UTF-8 text. Save it as CSV in UTF-8") from error
    header = text.split("\n", 1)[0]
    found = [delimiter for delimiter in _DELIMITERS if delimiter in header]
    if len(found) != 1:
        raise HtsrError(
            f"{path}: its first line must name columns, such as model,accuracy, with commas, "
            "semicolons or tabs between them"
        )
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=found[0], strict=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        reader.fieldnames = names
        name_column = _column(path, names, _NAME_COLUMNS)
        wanted = (column.strip().lower(),) if column is not None else _ACCURACY_COLUMNS
        accuracy_column = _column(path, names, wanted)
        rows = tuple(
            _row(f"{path}: line {reader.line_num}", row, name_column, accuracy_column)
            for row in reader
        )
    except csv.Error as error:
        raise HtsrError(f"{path}: line {reader.line_num + 1}: is not CSV ({error})") from error
    seen = set()
    for row in rows:
        if row.name in seen:
            raise HtsrError(f"{path}: {row.name!r} is listed twice. Keep one row a model")
        seen.add(row.name)
    return rows


def _column(path: object, names: list[str], wanted: Iterable[str]) -> str:
    for name in wanted:
        if names.count(name) > 1:
            raise HtsrError(f"{path}: two columns are called {name!r}")
        if name in names:
            return name
    raise HtsrError(
        f"{path}: has no column {' or '.join(map(repr, wanted))}, only {', '.join(names)}"
    )


def _row(place: str, row: Mapping[str, str | None], name: str, accuracy: str) -> Accuracy:
    if None in row or None in row.values():
        raise HtsrError(f"{place}: has more or fewer cells than the first line")
    cells = {key: (value or "").strip() for key, value in row.items()}
    series = cells.get("series", NO_SERIES)
    if not cells[name] or not series:
        raise HtsrError(f"{place}: names no {'series' if cells[name] else 'model'}")
    try:
        value = float(cells[accuracy])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise HtsrError(
            f"{place}: accuracy {cells[accuracy]!r} is no number. "
            "Write it with a decimal point and without a unit, such as 0.981"
        )
    return Accuracy(cells[name], value, series)


def match_files(
    files: Iterable[tuple[str, ...]], rows: Iterable[Accuracy]
) -> list[Accuracy | None]:
    """Find the row of each file; None where there is none.

    A row belongs to a file if its name is that of the file, with or without its suffix, below as
    many folders as the row names. Of several such rows, the one with the longest name is taken.

    Parameters
    ----------
    files : all names of each file: its path as given, then what a report calls its source.
    rows : of the table.

    Raises
    ------
    HtsrError
        Two files belong to one row.

    Spec: TRD-11.

    >>> row = Accuracy("b/model", 0.9, "all")
    >>> match_files([("a/b/model.h5",), ("c/model.h5",)], [row])
    [Accuracy(name='b/model', value=0.9, series='all'), None]
    """
    by_name = {PurePath(row.name).as_posix(): row for row in rows}
    matched: list[Accuracy | None] = []
    taken: dict[str, str] = {}
    for names in files:
        endings = (ending for name in names for ending in _endings(PurePath(name)))
        row = next((by_name[ending] for ending in endings if ending in by_name), None)
        if row is not None:
            if row.name in taken:
                raise HtsrError(
                    f"{taken[row.name]} and {names[0]} are both called {row.name!r} in the table "
                    "of accuracies. Name their folders there too"
                )
            taken[row.name] = names[0]
        matched.append(row)
    return matched


def _endings(path: PurePath) -> Iterator[str]:
    """Give the path and its ends, longest first, each before the same without its suffix."""
    for i in range(len(path.parts)):
        ending = PurePath(*path.parts[i:])
        yield ending.as_posix()
        if ending.suffix.lower() in _SUFFIXES:
            yield ending.with_suffix("").as_posix()
