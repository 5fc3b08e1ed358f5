"""Reading tables of other people's numbers."""

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from htsr_ref.audits.columns import IDENTITY, meanings
from htsr_ref.audits.dialects import OURS, Dialect
from htsr_ref.audits.printed import Printed, read_numbers
from htsr_ref.conventions import Convention
from htsr_ref.errors import TableError
from htsr_ref.reports.report import Report
from htsr_ref.spectra.solvers import Solver
from htsr_ref.text.csvtext import CsvRow, CsvTable, read_csv


@dataclass(frozen=True)
class TheirRow:
    """One row: what says which layer it belongs to, and its numbers by column.

    Attributes
    ----------
    place : where it stands, such as "line 3".
    name : the layer's name; None if the table has no names.
    layer_id : the layer's number; None if it has none.
    label : name of the matrix within its layer; None if it has none.
    shape : (N, M), N ≥ M; None if it has none.
    cells : the numbers.
    """

    place: str
    name: str | None
    layer_id: int | None
    label: str | None
    shape: tuple[int, int] | None
    cells: Mapping[str, Printed]

    def holds_more_than(self, columns: Collection[str]) -> bool:
        """Whether any column other than these holds a number."""
        return any(cell.value is not None for c, cell in self.cells.items() if c not in columns)


@dataclass(frozen=True)
class TheirTable:
    """A table of somebody else's numbers.

    Attributes
    ----------
    name : of the file.
    dialect : what its columns mean.
    convention : the one that the table itself names.
    solver : the one that a report of ours names for all its matrices; None otherwise.
    rows : in their order.
    left_out : columns that are not compared.

    Spec: AUD-1.
    """

    name: str
    dialect: Dialect
    convention: Convention | None
    solver: Solver | None
    rows: tuple[TheirRow, ...]
    left_out: tuple[str, ...]


def read_table(
    path: str | os.PathLike[str], mapping: Mapping[str, str] | None = None
) -> TheirTable:
    """Read a table of WeightWatcher, a report of ours, or any CSV file with a mapping.

    Parameters
    ----------
    path : a JSON report, or CSV in UTF-8 with commas, semicolons or tabs.
    mapping : for columns of any CSV file, what they are: a number of our reports, or `layer`,
        `label`, `layer_id`, `N`, `M`. The other columns are recognized by their names.

    Raises
    ------
    TableError
        The file cannot be read, its columns are unknown, or a cell is not a number.

    Spec: AUD-1, AUD-2.
    """
    if Path(path).suffix == ".json":
        if mapping:
            raise TableError(f"{path}: columns are mapped in CSV files only. Leave out the map")
        return _from_report(Report.load(path), str(path))
    table = read_csv(path)
    _check_columns(path, table)
    dialect, names = meanings(path, table.columns, mapping or {})
    return _from_csv(path, table.columns, table.rows, dialect, names)


def _check_columns(path: object, table: CsvTable) -> None:
    if not table.rows:
        raise TableError(f"{path}: holds no table. Give column names and at least one row")
    for column in table.columns:
        if column and table.columns.count(column) > 1:
            raise TableError(f"{path}: two columns are called {column!r}")


def _from_csv(
    path: object,
    header: Sequence[str],
    records: Sequence[CsvRow],
    dialect: Dialect,
    names: Mapping[str, str],
) -> TheirTable:
    by_name = {name: header.index(column) for column, name in names.items()}
    counted: dict[int, int] = {}
    if "level" in by_name:  # Other rows hold means over the rows of slices.
        level = by_name["level"]
        if "layer_id" not in by_name:
            counted = _count_layers(records, level)
        records = [record for record in records if record.cells[level].endswith("SLICE")]
    compared = [name for name in by_name if name in dialect.quantities]
    columns = {name: read_numbers(path, records, by_name[name], name) for name in compared}
    rows = []
    for i, record in enumerate(records):
        text = {name: record.cells[by_name[name]] for name in IDENTITY if name in by_name}
        sides = [columns[name][i].value for name in ("N", "M") if name in columns]
        rows.append(
            TheirRow(
                place=f"line {record.line}",
                name=text.get("layer") or None,
                layer_id=_whole(text.get("layer_id"), counted.get(record.line)),
                label=text.get("label"),
                shape=_shape(sides),
                cells={name: columns[name][i] for name in compared},
            )
        )
    left_out = [c for c in header if c and names.get(c) not in (*compared, *IDENTITY)]
    # Layers that a tool skipped often leave a bare row.
    filled = tuple(row for row in rows if row.holds_more_than(dialect.bare))
    if not filled:
        raise TableError(f"{path}: no row holds a number")
    column = by_name.get("solver")
    solver = None if column is None else _solver(record.cells[column] for record in records)
    return TheirTable(str(path), dialect, None, solver, filled, tuple(left_out))


def _solver(names: Iterable[str]) -> Solver | None:
    """Find the solver of all matrices; None if they have several."""
    used = set(names)
    return "gram" if used == {"gram"} else "svd" if used == {"svd"} else None


def _shape(sides: Iterable[float | None]) -> tuple[int, int] | None:
    sizes = sorted(int(side) for side in sides if side is not None and math.isfinite(side))
    return (sizes[1], sizes[0]) if len(sizes) == 2 else None


def _count_layers(records: Iterable[CsvRow], level: int) -> dict[int, int]:
    """Count the layers of a table that puts a row of means after the slices of each.

    Without such rows nothing tells where a layer ends, and none is numbered.

    Spec: AUD-2.
    """
    numbers: dict[int, int] = {}
    layer = 0
    for record in records:
        numbers[record.line] = layer
        layer += record.cells[level].endswith("LAYER")
    return numbers if layer else {}


def _whole(text: str | None, otherwise: int | None) -> int | None:
    """Read a whole number, also one that a data frame has made 3.0."""
    try:
        number = float(text or "")
    except ValueError:
        return otherwise
    return int(number) if number.is_integer() else otherwise


def _from_report(report: Report, name: str) -> TheirTable:
    rows = tuple(
        TheirRow(
            place=f"layer {layer.name!r}",
            name=layer.name,
            layer_id=None,
            label=matrix.label,
            shape=(max(matrix.N, matrix.M), min(matrix.N, matrix.M)),
            cells={
                column: Printed(value)
                for column, value in OURS.numbers(layer, matrix, None).items()
            },
        )
        for layer in report.analyzed()
        for matrix in layer.matrices
    )
    if not rows:
        raise TableError(f"{name}: this report analyzes no layer")
    solver = _solver(matrix.solver for layer in report.layers for matrix in layer.matrices)
    return TheirTable(name, OURS, report.convention, solver, rows, ())
