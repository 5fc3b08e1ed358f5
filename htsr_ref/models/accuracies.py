"""Tables of accuracies: reading them, and finding which row a file belongs to."""

import math
import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath

from htsr_ref.errors import HtsrError, TableError
from htsr_ref.text.csvtext import DELIMITERS, CsvTable, read_csv
from htsr_ref.text.nearest import one_of

_NAME_COLUMNS = ("model", "file")
_ACCURACY_COLUMNS = ("accuracy", "test_accuracy")
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
    TableError
        The file cannot be read, lacks a column, or a row is not a name and a finite number.

    Spec: TRD-10.
    """
    table = read_csv(path)
    _check_columns(path, table)
    names = [name.lower() for name in table.columns]
    name_column = _column(path, names, _NAME_COLUMNS)
    wanted = (column.strip().lower(),) if column is not None else _ACCURACY_COLUMNS
    accuracy_column = _column(path, names, wanted)
    places = [f"{path}: line {row.line}" for row in table.rows]
    named = [dict(zip(names, row.cells, strict=True)) for row in table.rows]
    rows = tuple(
        _row(place, cells, name_column, accuracy_column)
        for place, cells in zip(places, named, strict=True)
    )
    seen = set()
    for row in rows:
        if row.name in seen:
            raise TableError(f"{path}: {row.name!r} is listed twice. Keep one row per model")
        seen.add(row.name)
    return rows


def _check_columns(path: object, table: CsvTable) -> None:
    others = set(DELIMITERS) - {table.delimiter}
    mixed = any(mark in name for name in table.columns for mark in others)
    if len(table.columns) < 2 or mixed:
        raise TableError(
            f"{path}: its first line must name columns, such as model,accuracy, with commas, "
            "semicolons or tabs between them"
        )


def _column(path: object, names: list[str], wanted: Iterable[str]) -> str:
    for name in wanted:
        if names.count(name) > 1:
            raise TableError(f"{path}: two columns are called {name!r}")
        if name in names:
            return name
    asked = list(wanted)
    raise TableError(
        f"{path}: has no column {' or '.join(map(repr, asked))}. "
        f"{one_of(asked[0], names, 'Columns')}"
    )


def _row(place: str, cells: Mapping[str, str], name: str, accuracy: str) -> Accuracy:
    series = cells.get("series", NO_SERIES)
    if not cells[name] or not series:
        raise TableError(f"{place}: names no {'series' if cells[name] else 'model'}")
    try:
        value = float(cells[accuracy])
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        raise TableError(
            f"{place}: accuracy {cells[accuracy]!r} is not a number. "
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
