"""CSV, written and read."""

import csv
import io
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from htsr_ref.errors import TableError
from htsr_ref.text.reading import read_bytes

DELIMITERS = (",", ";", "\t")
"""What may separate the cells of a table that is read."""


@dataclass(frozen=True)
class CsvRow:
    """One row of a table: the line it ends on, from 1, and its cells without outer blanks."""

    line: int
    cells: tuple[str, ...]


@dataclass(frozen=True)
class CsvTable:
    """A table as it is written.

    Attributes
    ----------
    delimiter : what separates its cells.
    columns : cells of its first row; none if the text is empty.
    rows : the others, each with as many cells as the first.
    """

    delimiter: str
    columns: tuple[str, ...]
    rows: tuple[CsvRow, ...]


def read_csv(path: str | os.PathLike[str]) -> CsvTable:
    """Read a file as `parse_csv` reads text.

    Raises
    ------
    TableError
        The file cannot be read, is not UTF-8, or is not CSV.

    Spec: AUD-1, TRD-10.
    """
    try:
        text = read_bytes(path).decode("utf-8-sig")
    except OSError as error:
        raise TableError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise TableError(f"{path}: is not UTF-8 text. Save it as CSV in UTF-8") from error
    return parse_csv(text, str(path))


def parse_csv(text: str, name: str) -> CsvTable:
    r"""Read a table; the delimiter is the one that its first line has most of.

    Rows whose cells are all empty are passed over.

    Parameters
    ----------
    text : the table.
    name : where it comes from, for messages.

    Raises
    ------
    TableError
        A quote is not closed, or a row has another number of cells than the first; names its line.

    Spec: AUD-1, TRD-10.

    >>> parse_csv("model; loss\na;1\n", "x.csv").columns
    ('model', 'loss')
    """
    first = text.split("\n", 1)[0]
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[CsvRow] = []
    try:
        rows.extend(CsvRow(reader.line_num, tuple(map(str.strip, cells))) for cells in reader)
    except csv.Error as error:
        line = rows[-1].line + 1 if rows else 1
        raise TableError(f"{name}: line {line}: is not CSV ({error})") from error
    rows = [row for row in rows if any(row.cells)]
    if not rows:
        return CsvTable(delimiter, (), ())
    columns = rows.pop(0).cells
    for row in rows:
        if len(row.cells) != len(columns):
            cells = "cell" if len(row.cells) == 1 else "cells"
            raise TableError(
                f"{name}: line {row.line}: has {len(row.cells)} {cells}, not {len(columns)}"
            )
    return CsvTable(delimiter, columns, tuple(rows))


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""Write a heading and rows, each ended by a line feed; None is an empty cell.

    A carriage return in a cell is quoted, which `csv` does only where it ends lines itself.

    Spec: RPT-6.

    >>> csv_text(["a", "b"], [{"a": "x\ry", "b": None}])
    'a,b\n"x\ry",\n'
    """
    return "".join(csv_lines(columns, rows))


def csv_lines(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """Write the lines of `csv_text` one by one.

    Spec: RPT-6.
    """
    line = io.StringIO()
    writer = csv.DictWriter(line, columns, lineterminator="\r\n")
    for row in chain([dict(zip(columns, columns, strict=True))], rows):
        writer.writerow(row)
        yield line.getvalue().removesuffix("\r\n") + "\n"
        line.seek(0)
        line.truncate()
