"""Whether a printed number is ours."""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from htsr_ref.audits.dialects import Dialect, Numbers
from htsr_ref.audits.matching import Pair
from htsr_ref.audits.printed import Printed
from htsr_ref.audits.tables import TheirRow
from htsr_ref.conventions import Convention
from htsr_ref.reports.report import LayerReport
from htsr_ref.spectra.solvers import solver_error


@dataclass(frozen=True)
class Compared:
    """A row beside our numbers.

    Attributes
    ----------
    row : theirs.
    label : our name of the matrix; empty for the means of a layer.
    ours : our numbers by column; None if we have none for this row.
    reason : why we have none.
    noise : for some columns, the differences that solvers alone account for.
    precision : relative difference up to which a number is reproduced.
    """

    row: TheirRow
    label: str
    ours: Numbers | None
    reason: str | None
    noise: dict[str, float]
    precision: float = 1e-6

    def reproduces(self, column: str) -> bool:
        """Whether our number of a column is theirs."""
        if self.ours is None:
            return False
        noise = self.noise.get(column, 0.0)
        return agree(self.row.cells[column], self.ours[column], noise, self.precision)

    def reproduced(self) -> Iterator[tuple[float, float]]:
        """Pairs of their numbers and ours that are the same."""
        for column, printed in self.row.cells.items():
            ours = None if self.ours is None else self.ours[column]
            if self.reproduces(column) and printed.value is not None and ours is not None:
                yield printed.value, ours


def agree(theirs: Printed, ours: float | None, noise: float = 0.0, precision: float = 1e-6) -> bool:
    """Whether a number is the printed one: to a precision, or after rounding to its digits.

    Parameters
    ----------
    theirs : the printed number.
    ours : our number; None if it is undefined.
    noise : absolute difference that is allowed besides.
    precision : relative difference that is allowed.

    Spec: AUD-7.

    >>> agree(Printed(1.25, 0.005), 1.2501), agree(Printed(1.25), 1.2501)
    (True, False)
    """
    if theirs.value is None or ours is None or not math.isfinite(theirs.value):
        return theirs.value == ours
    allowed = max(precision * abs(ours), theirs.rounding * (1 + 1e-9), noise)
    return math.isfinite(ours) and abs(theirs.value - ours) <= allowed


def compare_rows(
    pair: Pair, layer: LayerReport, dialect: Dialect, convention: Convention
) -> tuple[Compared, ...]:
    """Put our numbers beside the rows of one layer.

    Rows and matrices are paired by label where the rows have labels, else in order; a single row
    beside several matrices is compared with their means.

    Spec: AUD-6.
    """
    failed = convention.failed_alpha
    if layer.skipped is not None:
        return tuple(Compared(row, "", None, layer.skipped, {}) for row in pair.rows)
    noise = _noise(layer) | dict.fromkeys(dialect.logarithms, dialect.precision)
    precision = dialect.precision
    matrices = {matrix.label: matrix for matrix in layer.matrices}
    if len(pair.rows) == len(layer.matrices):
        labels = [row.label for row in pair.rows]
        if set(labels) != set(matrices):
            labels = list(matrices)
        return tuple(
            Compared(
                row, label, dialect.numbers(layer, matrices[label], failed), None, noise, precision
            )
            for row, label in zip(pair.rows, map(str, labels), strict=True)
        )
    if len(pair.rows) == 1:
        means = dialect.of_layer(layer, failed)
        return (Compared(pair.rows[0], "", means, None, noise, precision),)
    reason = f"{len(pair.rows)} rows there, {len(layer.matrices)} matrices here"
    return tuple(Compared(row, "", None, reason, {}) for row in pair.rows)


def _noise(layer: LayerReport) -> dict[str, float]:
    """Errors of the smallest singular value, which solvers know only relative to the largest.

    Spec: AUD-7, SPC-4.
    """
    error = max(solver_error(matrix.N) for matrix in layer.matrices)
    largest = max(matrix.lambda_max for matrix in layer.matrices)
    gram = any(matrix.solver == "gram" for matrix in layer.matrices)
    return {
        "sv_min": error * math.sqrt(largest),
        "lambda_min": (error if gram else error**2) * largest,
    }


def digits(pairs: Iterable[tuple[float, float]]) -> int:
    """Count the digits to which pairs of numbers agree, at most 15.

    >>> digits([(1.0, 1.0), (2.0, 2.00001)])
    5
    """
    worst = max((abs(t - o) / max(abs(t), abs(o)) for t, o in pairs if t != o), default=0.0)
    return 15 if worst == 0 else max(0, min(15, math.floor(-math.log10(worst))))
