"""Universality classes of matrices with heavy-tailed entries, P(|w| > t) ~ t^-μ.

What theory says of infinite matrices, and what the fit finds in finite ones: the latter is a
measured table, `alpha_of_mu.csv`, made by `spec/experiments/universality.py`.
"""

import csv
import math
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import RegularGridInterpolator

from htsr_ref.errors import HtsrError

Array = NDArray[np.float64]

UniversalityClass = Literal["VHT", "border VHT/MHT", "MHT", "border MHT/WHT", "WHT"]

FIGURES = ("median", "q25", "q75", "q025", "q975", "median_error")
"""Columns of the table that are interpolated."""

MU_STEP = 0.001
"""Resolution of the tail index in `mu_of_alpha`."""


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
    asymptotic : α of the infinite matrix, μ/2 + 1; None from μ = 4 on, where no tail remains.

    Spec: RMT-43, RMT-44.
    """

    median: float
    lower_quartile: float
    upper_quartile: float
    low95: float
    high95: float
    monte_carlo_error: float
    asymptotic: float | None


@dataclass(frozen=True)
class MuInterval:
    """The tail indices with which a fitted α agrees; None where the table ends before they do.

    Spec: RMT-45.
    """

    low: float | None
    high: float | None


def universality_class(mu: float) -> UniversalityClass:
    """Class of a matrix by the tail index of its entries.

    Parameters
    ----------
    mu : tail index, P(|w| > t) ~ t^-μ.

    Returns
    -------
    "VHT" (very), "MHT" (moderately) or "WHT" (weakly heavy-tailed), or the border between two.

    Raises
    ------
    UniversalityError
        μ is not a positive finite number.

    Spec: RMT-40. Source: Martin & Mahoney, SDM 2020, section 2.

    >>> universality_class(1.5), universality_class(2.0), universality_class(3.0)
    ('VHT', 'border VHT/MHT', 'MHT')
    """
    _check_mu(mu)
    if mu < 2:
        return "VHT"
    if mu == 2:
        return "border VHT/MHT"
    if mu < 4:
        return "MHT"
    return "border MHT/WHT" if mu == 4 else "WHT"


def asymptotic_alpha(mu: float) -> float | None:
    """Exponent μ/2 + 1 of the eigenvalues of the infinite matrix; None for μ ≥ 4.

    Spec: RMT-41. Source: Martin & Mahoney, SDM 2020, section 2.

    >>> asymptotic_alpha(1.5)
    1.75
    """
    _check_mu(mu)
    return mu / 2 + 1 if mu < 4 else None


def lambda_max_exponent(mu: float) -> float:
    """Exponent of N in λ_max ~ N^(4/μ - 1), X = WᵀW/N and Q = 1; 0 for μ ≥ 4, an edge.

    Spec: RMT-42. Source: Martin & Mahoney, SDM 2020, section 2; Biroli, Bouchaud & Potters,
    Europhys. Lett. 78, 2007.

    >>> lambda_max_exponent(1.0)
    3.0
    """
    _check_mu(mu)
    return max(4 / mu - 1, 0.0)


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

    >>> expected_alpha(1.0, 200, 100).asymptotic
    1.5
    """
    _check_mu(mu)
    median, q25, q75, q025, q975, error = (float(x) for x in _figures(np.array([mu]), N, M)[0])
    return ExpectedAlpha(median, q25, q75, q025, q975, error, asymptotic_alpha(mu))


def mu_of_alpha(alpha: float, N: int, M: int) -> MuInterval:
    """Find the tail indices for which a fitted α lies within the central 95 %, to 0.001.

    Parameters
    ----------
    alpha : fitted exponent, by the convention `paper`.
    N, M : shape of the matrix, N ≥ M.

    Returns
    -------
    MuInterval, the smallest that holds every such μ; open where μ at the table's end is one.

    Raises
    ------
    UniversalityError
        There is no such μ in the table, or N or Q lies outside it.

    Spec: RMT-45.

    >>> mu_of_alpha(8.0, 100, 100).high is None
    True
    """
    first, last = _table().grid[0][[0, -1]]
    mus = np.linspace(first, last, 1 + round((last - first) / MU_STEP))
    _, _, _, q025, q975, _ = _figures(mus, N, M).T
    (agreeing,) = np.nonzero((q025 <= alpha) & (alpha <= q975))
    if not agreeing.size:
        raise UniversalityError(
            f"alpha = {alpha:g} of a {N}x{M} matrix agrees with no mu from {first:g} to {last:g}"
        )
    low, high = int(agreeing[0]), int(agreeing[-1])
    return MuInterval(
        float(mus[low]) if low > 0 else None,
        float(mus[high]) if high < mus.size - 1 else None,
    )


@cache
def _table() -> RegularGridInterpolator:
    """Read the table; its axes are μ, ln N and ln Q, all of whose combinations occur."""
    text = files("htsr_ref.randommatrix").joinpath("alpha_of_mu.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    figures = {_cell(row): [float(row[name]) for name in FIGURES] for row in rows}
    mus, log_Ns, log_Qs = (sorted(set(axis)) for axis in zip(*figures, strict=True))
    values = [[[figures[mu, n, q] for q in log_Qs] for n in log_Ns] for mu in mus]
    return RegularGridInterpolator((mus, log_Ns, log_Qs), np.array(values))


def _cell(row: dict[str, str]) -> tuple[float, float, float]:
    """Coordinates of a row: μ, ln N, ln Q."""
    N, M = int(row["N"]), int(row["M"])
    return float(row["mu"]), math.log(N), math.log(N / M)


def _figures(mus: Array, N: int, M: int) -> Array:
    """Interpolate all figures at (n,) tail indices for one shape, (n, figures)."""
    if not N >= M >= 1:
        raise UniversalityError(f"{N}x{M} is no shape of a matrix with N >= M >= 1")
    table = _table()
    shape = math.log(N), math.log(N / M)
    points = np.array([(mu, *shape) for mu in mus])
    inside = [
        axis[0] <= at.min() and at.max() <= axis[-1]
        for axis, at in zip(table.grid, points.T, strict=True)
    ]
    if not all(inside):
        mu_axis, log_Ns, log_Qs = table.grid
        raise UniversalityError(
            f"the table of alpha has mu from {mu_axis[0]:g} to {mu_axis[-1]:g}, N from "
            f"{math.exp(log_Ns[0]):.0f} to {math.exp(log_Ns[-1]):.0f} and N/M up to "
            f"{math.exp(log_Qs[-1]):.0f}: mu = {mus[0]:g} and {N}x{M} is outside"
        )
    figures: Array = table(points)
    return figures


def _check_mu(mu: float) -> None:
    if not (math.isfinite(mu) and mu > 0):
        raise UniversalityError(f"mu is {mu}: a tail index is a positive number")
