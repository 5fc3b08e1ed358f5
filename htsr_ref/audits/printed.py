"""Printed numbers, and how far they are rounded."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from htsr_ref.errors import TableError
from htsr_ref.text.csvtext import CsvRow

NO_NUMBER = frozenset({"", "nan", "none", "null", "na", "n/a", "-", "–"})
"""Cells that say that there is no number."""

_LONGEST = 400
"""Characters of a number; binary64 needs fewer."""


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


def read_numbers(path: object, rows: Sequence[CsvRow], column: int, name: str) -> list[Printed]:
    """Read a column of numbers; its longest fraction tells to how many digits it is rounded.

    Parameters
    ----------
    path, name : of the file and the column, for messages.
    rows : of the table.
    column : place of the column in them.

    Raises
    ------
    TableError
        A cell is neither a number nor one of `NO_NUMBER`.

    Spec: AUD-3.
    """
    places = max(_places(row.cells[column]) for row in rows)
    printed = []
    for row in rows:
        text = row.cells[column]
        if text.lower() in NO_NUMBER:
            printed.append(Printed(None))
            continue
        try:
            value = float(text if len(text) <= _LONGEST else "too long")
        except ValueError:
            raise TableError(
                f"{path}: line {row.line}: {name} is {text!r:.60}, which is not a number. Write it "
                "with a decimal point and without a unit"
            ) from None
        exponent = re.search(r"[eE]([+-]?\d+)$", text)
        scale = int(exponent.group(1)) if exponent else 0
        rounding = float(f"5e{scale - places - 1}")
        if math.isinf(rounding) or (math.isinf(value) and "inf" not in text.lower()):
            raise TableError(
                f"{path}: line {row.line}: {name} is {text!r:.60}, which is beyond the range of "
                "binary64. Write inf if that is meant"
            )
        printed.append(Printed(value, rounding))
    return printed


def _places(text: str) -> int:
    """Digits after the decimal point.

    >>> _places("1.250"), _places("12"), _places("1.5e-07")
    (3, 0, 1)
    """
    return len(re.split(r"[eE]", text)[0].partition(".")[2])
