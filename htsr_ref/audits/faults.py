"""Known faults of other tools, where a table shows them."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from htsr_ref.audits.dialects import WEIGHTWATCHER, WEIGHTWATCHER_2020, Dialect
from htsr_ref.audits.verdict import Compared, agree
from htsr_ref.conventions import Convention
from htsr_ref.reports.report import LayerReport, MatrixReport

Returned = dict[str, float | None]
"""What a faulty tool returns, by column; None for NaN."""


def _zero_matrix(matrix: MatrixReport) -> Returned:
    """F-WW-2: logarithms of zero, and the power of zero to a failure's exponent of −1."""
    if matrix.lambda_max > 0:
        return {}
    return {
        "log_norm": -math.inf,
        "log_spectral_norm": -math.inf,
        "alpha_weighted": math.inf,
        "log_alpha_norm": math.inf,
    }


def _equal_eigenvalues(matrix: MatrixReport) -> Returned:
    """F-WW-4: an infinite exponent of the two largest eigenvalues, which are equal."""
    if matrix.xmin is not None or matrix.lambda_max == 0:
        return {}
    log_max = math.log10(matrix.lambda_max)
    return {
        "alpha": math.inf,
        "sigma": math.inf,
        "xmin": matrix.lambda_max,
        "xmax": matrix.lambda_max,
        "D": 0.5,
        "num_pl_spikes": matrix.num_eigenvalues,
        "alpha_weighted": math.copysign(math.inf, log_max) if log_max else None,
        "log_alpha_norm": (
            math.copysign(math.inf, log_max) if log_max else math.log10(matrix.num_eigenvalues)
        ),
    }


def _negative_error(matrix: MatrixReport) -> Returned:
    """F-WW-5: the error of a fit of fewer than 8 eigenvalues, whose exponent is not yet known."""
    return {} if matrix.tail_size is None else {"sigma": -1 / math.sqrt(matrix.tail_size)}


@dataclass(frozen=True)
class FaultyChoice:
    """A fault that is a value of a field: it spoils the numbers that the right value changes.

    Attributes
    ----------
    field, faulty, right : the field, its value and the right one.
    quantities : the numbers of a matrix that count.
    """

    field: str
    faulty: str | float
    right: str
    quantities: frozenset[str]


MOST_MISSED = 0.1
"""Greatest share of λ_max that one random direction misses: 9 % of a square Gaussian matrix's."""

_RANDOMIZED = "F-WW-41"


def _misses_largest(theirs: float | None, ours: float | None, column: str) -> bool:
    """F-WW-41: λ_max in one random direction after seven power iterations, never above it."""
    if theirs is None or ours is None or not math.isfinite(theirs):
        return False
    if column == "log_spectral_norm":
        return 0 <= ours - theirs <= -math.log10(1 - MOST_MISSED)
    return column == "spectral_norm" and 0 <= ours - theirs <= MOST_MISSED * ours


CHOICES: Mapping[str, FaultyChoice] = MappingProxyType(
    {
        "F-WW-6": FaultyChoice(
            "eigenvalue_floor",
            1e-5,
            "relative",
            frozenset(
                {
                    "alpha",
                    "alpha_stderr",
                    "xmin",
                    "ks_distance",
                    "tail_size",
                    "weighted_alpha",
                    "log10_alpha_norm",
                }
            ),
        ),
        "F-WW-15": FaultyChoice("rank", "matrix-rank", "rounding", frozenset({"rank"})),
        "F-WW-16": FaultyChoice("orientation", "toggled", "tall", frozenset({"N", "M", "Q"})),
        "F-WW-17": FaultyChoice("lambda_min", "greatest", "least", frozenset({"lambda_min"})),
    }
)
"""Faults that a convention carries out.

Spec: AUD-8.
"""

RETURNED: Mapping[str, Callable[[MatrixReport], Returned]] = MappingProxyType(
    {
        "F-WW-2": _zero_matrix,
        "F-WW-4": _equal_eigenvalues,
        "F-WW-5": _negative_error,
    }
)
"""What WeightWatcher returns for a matrix that meets the condition of a fault.

Spec: AUD-8.
"""


TITLES: Mapping[str, str] = MappingProxyType(
    {
        "F-WW-2": "norms and alpha of a zero matrix",
        "F-WW-4": "infinite alpha of equal eigenvalues",
        "F-WW-5": "negative standard error",
        "F-WW-6": "floor of 1e-5 on any scale",
        "F-WW-15": "rank of rounded weights",
        "F-WW-16": "N and M exchanged",
        "F-WW-17": "largest of the least singular values",
        _RANDOMIZED: "λmax from one random direction",
    }
)
"""What each fault is that an audit knows, in a few words."""


def faulty_choices(convention: Convention, dialect: Dialect) -> dict[str, Convention]:
    """Conventions in which one faulty choice is put right, by the number of the fault.

    Spec: AUD-8.
    """
    if dialect.name != WEIGHTWATCHER.name:
        return {}
    return {
        fault: convention.override({choice.field: choice.right})
        for fault, choice in CHOICES.items()
        if getattr(convention, choice.field) == choice.faulty
    }


def fault_of(compared: Compared, column: str, layer: LayerReport, dialect: Dialect) -> str | None:
    """Find the known fault that a number of WeightWatcher's shows.

    Parameters
    ----------
    compared : the row.
    column : the number.
    layer : the layer under the convention of the comparison.
    dialect : of the table.

    Spec: AUD-8, AUD-30.
    """
    theirs = compared.row.cells[column]
    if dialect.name == WEIGHTWATCHER_2020.name and compared.ours is not None:
        missed = _misses_largest(theirs.value, compared.ours[column], column)
        return _RANDOMIZED if missed and not compared.reproduces(column) else None
    if dialect.name != WEIGHTWATCHER.name or len(layer.matrices) != 1:
        return None
    for fault, returned in RETURNED.items():
        values = returned(layer.matrices[0])
        if column in values and agree(theirs, values[column]):
            return fault
    return None
