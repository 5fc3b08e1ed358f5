"""CSV as text."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> str:
    r"""Write a heading and rows, each ended by a line feed; None is an empty cell.

    A carriage return in a cell is quoted, which `csv` does only where it ends lines itself.

    Spec: RPT-6.

    >>> csv_text(["a", "b"], [{"a": "x\ry", "b": None}])
    'a,b\n"x\ry",\n'
    """
    lines = []
    for row in [dict(zip(columns, columns, strict=True)), *rows]:
        line = io.StringIO()
        csv.DictWriter(line, columns, lineterminator="\r\n").writerow(row)
        lines.append(line.getvalue().removesuffix("\r\n") + "\n")
    return "".join(lines)
