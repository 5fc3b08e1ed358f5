"""Eigenvalues of X = c·WᵀW, with what the arithmetic can and cannot tell."""

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import Pool, WeightMatrix, matrix_from_array
from htsr_ref.layers.normalization import FACTORS
from htsr_ref.spectra.solvers import (
    Solver,
    SolverChoice,
    solver_errors,
    solver_of,
    zero_threshold,
)
from htsr_ref.spectra.store import SpectrumStore, solve

UNIT_ROUNDOFF = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float8_e4m3fn": 2.0**-4,
    "float8_e5m2": 2.0**-3,
}
"""Relative rounding error of each stored float type; integers are exact (SPC-6)."""


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of X = scale·WᵀW for one weight matrix W.

    Attributes
    ----------
    eigenvalues : (M,) float64, ascending, non-negative; those that cannot be told from zero are 0.
    N, M : shape of W, N ≥ M.
    scale : the factor c.
    solver : "gram" or "svd".
    unit_roundoff : relative rounding error of W's entries as stored; where W is computed from
        what is stored, the Frobenius norm of its rounding error over that of W.

    Spec: SPC-1, SPC-5.
    """

    eigenvalues: NDArray[np.float64]
    N: int
    M: int
    scale: float
    solver: Solver
    unit_roundoff: float

    @property
    def aspect_ratio(self) -> float:
        """Q = N/M ≥ 1."""
        return self.N / self.M

    @property
    def lambda_max(self) -> float:
        """Largest eigenvalue."""
        return float(self.eigenvalues[-1])

    @property
    def minima(self) -> tuple[float, ...]:
        """Smallest eigenvalue of each matrix that the spectrum is put together from."""
        return (float(self.eigenvalues[0]),)

    @cached_property
    def positive(self) -> NDArray[np.float64]:
        """Eigenvalues that do not count as zero, ascending."""
        return self.eigenvalues[self.num_zero :]

    @cached_property
    def num_zero(self) -> int:
        """Number of eigenvalues that count as zero."""
        return int(self.eigenvalues.searchsorted(0.0, side="right"))

    @cached_property
    def error_bounds(self) -> NDArray[np.float64]:
        """Bound on the error of each eigenvalue, (M,) float64.

        Spec: SPC-4.
        """
        errors = solver_errors(self.eigenvalues, self.N, self.solver)
        moved = 2 if self.solver == "gram" else 4
        errors[: self.num_zero] = moved * zero_threshold(self.lambda_max, self.N, self.solver)
        return errors

    @property
    def most_rows(self) -> int:
        """N, of several matrices the largest."""
        return self.N

    @property
    def storage_error(self) -> float:
        """Bound on what rounding independent entries of W moves a singular value by, over ‖W‖_F.

        Spec: SPC-6. Source: Weyl's inequality.
        """
        spread = min(1.0, 1.0 / math.sqrt(self.N) + 1.0 / math.sqrt(self.M))
        return self.unit_roundoff * spread

    @cached_property
    def resolution(self) -> float:
        """Difference from the largest eigenvalue that storage and solver can account for.

        Spec: PL-7.
        """
        total = float(self.eigenvalues.sum())
        moved = self.storage_error * math.sqrt(total)  # √λ_max by storage, in units of √λ
        storage = 2 * moved * math.sqrt(self.lambda_max) + moved**2
        return 2 * (storage + float(self.error_bounds[-1]))

    @cached_property
    def resolved(self) -> NDArray[np.bool_]:
        """Which eigenvalues rounding the entries of W does not explain, (M,) bool.

        Spec: SPC-6. Source: Weyl's inequality.
        """
        storage = self.storage_error**2 * float(self.eigenvalues.sum())
        solver = zero_threshold(self.lambda_max, self.N, self.solver)
        return self.eigenvalues > max(storage, solver)

    @property
    def rank(self) -> int:
        """Number of singular values that rounding the entries of W does not explain.

        Spec: SPC-6.
        """
        return int(np.count_nonzero(self.resolved))


@dataclass(frozen=True)
class PooledSpectrum(Spectrum):
    """Eigenvalues of several matrices put together, ascending; N and M as reported for the pool.

    Attributes
    ----------
    members : the spectra of the matrices.

    Spec: SPC-12.
    """

    members: tuple[Spectrum, ...]

    @property
    def minima(self) -> tuple[float, ...]:
        """Smallest eigenvalue of each matrix."""
        return tuple(float(member.eigenvalues[0]) for member in self.members)

    @cached_property
    def error_bounds(self) -> NDArray[np.float64]:
        """Bound on the error of each eigenvalue: that of its own matrix."""
        return np.concatenate([member.error_bounds for member in self.members])[self._order]

    @property
    def most_rows(self) -> int:
        """Largest N of the matrices."""
        return max(member.N for member in self.members)

    @cached_property
    def resolution(self) -> float:
        """The coarsest of the matrices' own."""
        return max(member.resolution for member in self.members)

    @cached_property
    def resolved(self) -> NDArray[np.bool_]:
        """Which eigenvalues rounding their own matrix does not explain."""
        return np.concatenate([member.resolved for member in self.members])[self._order]

    @property
    def _order(self) -> NDArray[np.intp]:
        """Places of the ascending eigenvalues among those of all matrices, one after another."""
        return np.concatenate([m.eigenvalues for m in self.members]).argsort(kind="stable")


def spectrum(
    W: ArrayLike | WeightMatrix | Pool,
    *,
    normalization: str = "1/N",
    solver: SolverChoice = "auto",
    clamp: bool = True,
    store: SpectrumStore | None = None,
    rounding: Sequence[float] | None = None,
) -> Spectrum:
    """Eigenvalues of X = c·WᵀW.

    Parameters
    ----------
    W : (rows, columns) real array, a `WeightMatrix` or a `Pool`; transposed if it is wider than
        tall.
    normalization : the factor c: "1/N", "none" (1), or another name of `FACTORS`.
    solver : "gram" (eigenvalues of WᵀW), "svd" (squared singular values) or "auto".
    clamp : whether eigenvalues that cannot be told from zero are set to 0, or only negative ones.
    store : where eigenvalues of weight matrices are kept; those of an array are not.
    rounding : None if W is stored itself. Otherwise for each matrix of W, or the only one, a bound
        on the Frobenius norm of its rounding error, in units of W: for a difference of stored
        matrices the sum, over the two, of unit roundoff times norm.

    Returns
    -------
    Spectrum

    Raises
    ------
    LayerError
        W is not a matrix, it holds a NaN or an infinity (`NonFiniteError`), or its eigenvalues
        leave the range of float64.

    Spec: SPC-1, SPC-2, SPC-3, SPC-5, SPC-6, SPC-7, SPC-12. Source: Martin & Mahoney, SDM 2020,
    section 2.

    >>> spectrum(np.diag([2.0, 4.0])).eigenvalues
    array([2., 8.])
    """
    if not isinstance(W, WeightMatrix | Pool):
        W, store = matrix_from_array(W), None
    scale = FACTORS[normalization](W)
    members = tuple(_spectrum_of(matrix, scale, solver, clamp, store) for matrix in W.members)
    if rounding is not None:
        members = tuple(_with_rounding(*pair) for pair in zip(members, rounding, strict=True))
    if isinstance(W, WeightMatrix):
        return members[0]
    eigenvalues = np.sort(np.concatenate([member.eigenvalues for member in members]))
    eigenvalues.flags.writeable = False
    if not _adds_up(eigenvalues):
        raise LayerError(
            f"the eigenvalues of {len(members)} matrices, put together with the factor "
            f"{scale:.3g}, add up to more than float64 holds. Rescale them"
        )
    first = members[0]
    return PooledSpectrum(eigenvalues, W.N, W.M, scale, first.solver, first.unit_roundoff, members)


def _spectrum_of(
    matrix: WeightMatrix,
    scale: float,
    solver: SolverChoice,
    clamp: bool,
    store: SpectrumStore | None,
) -> Spectrum:
    chosen = solver_of(matrix, solver)
    solved = solve(matrix, chosen, store)
    with np.errstate(over="ignore"):
        eigenvalues = solved.eigenvalues * scale
    threshold = zero_threshold(float(eigenvalues[-1]), matrix.N, chosen)
    adds_up = _adds_up(solved.eigenvalues) and _adds_up(eigenvalues)
    if solved.peak > 0 and not (adds_up and threshold >= sys.float_info.min):
        raise LayerError(
            f"entries up to {solved.peak:.3g} and the factor {scale:.3g} give eigenvalues outside "
            "the range of float64. Rescale the matrix"
        )
    eigenvalues[eigenvalues <= (threshold if clamp else 0.0)] = 0.0
    eigenvalues.flags.writeable = False
    return Spectrum(
        eigenvalues,
        matrix.N,
        matrix.M,
        scale,
        chosen,
        UNIT_ROUNDOFF.get(matrix.data.dtype, 2.0**-53),
    )


def _with_rounding(eigen: Spectrum, error: float) -> Spectrum:
    """Replace the rounding error of the stored type by a bound on the norm of another one.

    Spec: SPC-6.
    """
    norm = math.sqrt(float(eigen.eigenvalues.sum()) / eigen.scale)
    return replace(eigen, unit_roundoff=error / norm) if norm else eigen


def rounding_of(matrix: WeightMatrix | Pool) -> tuple[float, ...] | None:
    """Bounds on the norms of the rounding errors of sums and differences of stored matrices.

    Returns
    -------
    One for each matrix, as `spectrum` takes them; None of a matrix that is stored itself.

    Spec: SPC-6, DER-10.
    """
    if not any(member.terms() for member in matrix.members):
        return None
    return tuple(
        sum(
            UNIT_ROUNDOFF.get(term.data.dtype, 2.0**-53) * _frobenius_norm(term)
            for term in member.terms()
        )
        for member in matrix.members
    )


def _frobenius_norm(matrix: WeightMatrix) -> float:
    return math.sqrt(sum(float(np.square(block).sum()) for block in matrix.blocks()))


def _adds_up(eigenvalues: NDArray[np.float64]) -> bool:
    """Whether the sum of the eigenvalues is a finite number.

    Spec: SPC-7.
    """
    with np.errstate(over="ignore"):
        return math.isfinite(float(eigenvalues.sum()))
