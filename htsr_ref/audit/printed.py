"""CSV files of printed numbers: cells, and how far they are rounded."""

import csv
import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from htsr_ref.errors import TableError

NO_NUMBER = frozenset({"", "nan", "none", "null", "na", "n/a", "-", "–"})
"""Cells that say that there is no number."""

_DELIMITERS = (",", ";", "\t")


@dataclass(frozen=True)
class Printed:
    """A number as a table prints it.

    Attributes
    ----------
    value : the number; infinite where the table says so, None where it has none.
    rounding : half a unit of the last digit that its column prints; 0 for exact numbers.

    Spec: AUD-3.
    """

    value: float | None
    rounding: float = 0.0


@dataclass(frozen=True)
class Record:
    """One line of a CSV file: its number and its cells."""

    line: int
    cells: tuple[str, ...]


def read_csv(path: str | os.PathLike[str]) -> tuple[Record, list[Record]]:
    """Read the header and the lines below it; commas, semicolons or tabs separate cells.

    Raises
    ------
    TableError
        The file cannot be read, or is no table.

    Spec: AUD-1.
    """
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not UTF-8 text. Save it as CSV in UTF-8") from error
    first = text.split("\n", 1)[0]
    delimiter = max(_DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        records = [
            Record(reader.line_num, tuple(cell.strip() for cell in cells)) for cells in reader
        ]
    except csv.Error as error:
        raise TableError(f"{path}: line {reader.line_num + 1}: is not CSV ({error})") from error
    records = [record for record in records if any(record.cells)]
    if len(records) < 2:
        raise TableError(f"{path}: holds no table: a line of column names and a row at least")
    header, *rows = records
    names = header.cells
    for column in names:
        if column and names.count(column) > 1:
            raise TableError(f"{path}: two columns are called {column!r}")
    for row in rows:
        if len(row.cells) != len(names):
            raise TableError(
                f"{path}: line {row.line}: has {len(row.cells)} cells, not {len(names)}"
            )
    return header, rows


def read_numbers(path: object, records: Sequence[Record], column: int, name: str) -> list[Printed]:
    """Read a column of numbers; its longest fraction tells to how many digits it is rounded.

    Parameters
    ----------
    path, name : of the file and the column, for messages.
    records : the lines.
    column : place of the column in them.

    Raises
    ------
    TableError
        A cell is neither a number nor one of `NO_NUMBER`.

    Spec: AUD-3.
    """
    places = max(_places(record.cells[column]) for record in records)
    printed = []
    for record in records:
        text = record.cells[column]
        if text.lower() in NO_NUMBER:
            printed.append(Printed(None))
            continue
        try:
            value = float(text)
        except ValueError:
            raise TableError(
                f"{path}: line {record.line}: {name} is {text!r}, which is no number. Write it "
                "with a decimal point and without a unit"
            ) from None
        exponent = re.search(r"[eE]([+-]?\d+)$", text)
        scale = int(exponent.group(1)) if exponent else 0
        printed.append(Printed(value, 0.5 * 10.0 ** (scale - places)))
    return printed


def _places(text: str) -> int:
    """Digits after the decimal point.

    >>> _places("1.250"), _places("12"), _places("1.5e-07")
    (3, 0, 1)
    """
    return len(re.split(r"[eE]", text)[0].partition(".")[2])
