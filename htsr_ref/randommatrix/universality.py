"""What the fit finds in finite matrices with heavy-tailed entries, P(|w| > t) ~ t^-μ.

A measured table, `alpha_of_mu.csv`, made by `spec/experiments/universality.py`.
"""

import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from scipy.interpolate import RegularGridInterpolator

from htsr_ref.errors import HtsrError
from htsr_ref.text.csvtext import parse_csv

FIGURES = ("median", "q25", "q75", "q025", "q975", "median_error")
"""Columns of the table that are interpolated."""


class UniversalityError(HtsrError):
    """A tail index that does not exist, or a question that the table does not answer."""


@dataclass(frozen=True)
class ExpectedAlpha:
    """What the fit finds in matrices of independent Pareto entries.

    Attributes
    ----------
    median, lower_quartile, upper_quartile : of the fitted α over matrices.
    low95, high95 : the central 95 % of the fitted α.
    monte_carlo_error : standard error of the median, by the simulation.

    Spec: RMT-43, RMT-44.
    """

    median: float
    lower_quartile: float
    upper_quartile: float
    low95: float
    high95: float
    monte_carlo_error: float


def expected_alpha(mu: float, N: int, M: int) -> ExpectedAlpha:
    """Interpolate the table of fitted exponents, linearly in μ, ln N and ln Q.

    Parameters
    ----------
    mu : tail index of the entries.
    N, M : shape of the matrix, N ≥ M.

    Raises
    ------
    UniversalityError
        μ, N or Q = N/M lies outside the table, which is not extrapolated.

    Spec: RMT-43, RMT-44.

    >>> expected_alpha(1.0, 200, 100).median
    1.4485
    """
    if not (math.isfinite(mu) and mu > 0):
        raise UniversalityError(f"mu is {mu}: a tail index is a positive number")
    if not N >= M >= 1:
        raise UniversalityError(f"{N}x{M} is not the shape of a matrix with N >= M >= 1")
    table = _table()
    point = (mu, math.log(N), math.log(N / M))
    if not all(axis[0] <= at <= axis[-1] for axis, at in zip(table.grid, point, strict=True)):
        mus, log_Ns, log_Qs = table.grid
        raise UniversalityError(
            f"the table of alpha has mu from {mus[0]:g} to {mus[-1]:g}, N from "
            f"{math.exp(log_Ns[0]):.0f} to {math.exp(log_Ns[-1]):.0f} and N/M up to "
            f"{math.exp(log_Qs[-1]):.0f}: mu = {mu:g} and {N}x{M} is outside"
        )
    return ExpectedAlpha(*(float(figure) for figure in table([point])[0]))


@cache
def _table() -> RegularGridInterpolator:
    """Read the table; its axes are μ, ln N and ln Q, all of whose combinations occur."""
    text = files("htsr_ref.randommatrix").joinpath("alpha_of_mu.csv").read_text(encoding="utf-8")
    table = parse_csv(text, "alpha_of_mu.csv")
    rows = [dict(zip(table.columns, row.cells, strict=True)) for row in table.rows]
    figures = {_cell(row): [float(row[name]) for name in FIGURES] for row in rows}
    mus, log_Ns, log_Qs = (sorted(set(axis)) for axis in zip(*figures, strict=True))
    values = [[[figures[mu, n, q] for q in log_Qs] for n in log_Ns] for mu in mus]
    return RegularGridInterpolator((mus, log_Ns, log_Qs), np.array(values))


def _cell(row: dict[str, str]) -> tuple[float, float, float]:
    """Coordinates of a row: μ, ln N, ln Q."""
    N, M = int(row["N"]), int(row["M"])
    return float(row["mu"]), math.log(N), math.log(N / M)
