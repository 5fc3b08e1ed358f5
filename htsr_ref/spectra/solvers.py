"""The two ways to the eigenvalues of WᵀW, in units of the weights as they are, and their errors."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import WeightMatrix
from htsr_ref.spectra.openblas import find_syrk, find_two_stage

Solver = Literal["gram", "svd"]
SolverChoice = Literal["auto", "gram", "svd"]

TWO_STAGE_SIZE = 2560
"""Columns from which on the reduction to tridiagonal form takes two stages (SPC-14)."""

_WIDE = frozenset({"float64", "int64", "uint64"})


class NonFiniteError(LayerError):
    """A matrix with a NaN or an infinite entry."""


@dataclass(frozen=True, eq=False)
class Solved:
    """What a solver finds, before any convention scales it.

    Attributes
    ----------
    eigenvalues : (M,) float64, those of WᵀW, ascending.
    peak : largest entry of |W|.
    """

    eigenvalues: NDArray[np.float64]
    peak: float


def choose_solver(dtype: str, solver: SolverChoice = "auto") -> Solver:
    """Resolve "auto": gram for stored types of at most 32 bits, svd for wider ones.

    Spec: SPC-3.

    >>> choose_solver("bfloat16"), choose_solver("float64")
    ('gram', 'svd')
    """
    if solver != "auto":
        return solver
    return "svd" if dtype in _WIDE else "gram"


def solver_of(matrix: WeightMatrix, solver: SolverChoice = "auto") -> Solver:
    """Resolve "auto" for a matrix: a product of small factors needs no Gram matrix.

    Spec: SPC-3, DER-9.
    """
    if solver == "auto" and matrix.rank_bound < matrix.M:
        return "svd"
    return choose_solver(matrix.data.dtype, solver)


def solver_error(N: int) -> float:
    """Relative error ε = 8·√max(N, 64)·2⁻⁵² of eigenvalues (gram) or singular values (svd).

    Spec: SPC-4. Source: Higham & Mary, SIAM J. Sci. Comput. 41, 2019 (growth like √N).

    >>> f"{solver_error(1024):.3g}"
    '5.68e-14'
    """
    return 8 * math.sqrt(max(N, 64)) * 2.0**-52


def solver_errors(eigenvalues: NDArray[np.float64], N: int, solver: Solver) -> NDArray[np.float64]:
    """Bounds on what a solver moves ascending eigenvalues by that are not zero, (M,) float64.

    Spec: SPC-4.
    """
    relative, largest = solver_error(N), float(eigenvalues[-1])
    if solver == "gram":
        return np.full(eigenvalues.size, relative * largest)
    shares = eigenvalues / (largest or 1.0)
    return (2 * relative * np.sqrt(shares) + relative**2) * largest


def zero_threshold(lambda_max: float, N: int, solver: Solver) -> float:
    """Largest computed eigenvalue that cannot be told from zero.

    Spec: SPC-5.
    """
    relative = solver_error(N)
    return lambda_max * (relative if solver == "gram" else relative**2)


def _gram(matrix: WeightMatrix) -> Solved:
    """Solve for the eigenvalues of WᵀW, summed up block by block.

    Spec: SPC-8.
    """
    if matrix.rank_bound < matrix.M:
        return _product(matrix)
    add = find_syrk() or _add_product
    gram = np.zeros((matrix.M, matrix.M), order="F")
    peak = 0.0
    for block in matrix.blocks():
        peak = max(peak, _finite_peak(block))
        add(gram, block)
    if not np.isfinite(gram.diagonal()).all():
        return Solved(np.full(matrix.M, math.inf), peak)
    return Solved(_eigenvalues(gram), peak)


def _add_product(gram: NDArray[np.float64], block: NDArray[np.float64]) -> None:
    """Add WᵀW of a block by NumPy alone."""
    with np.errstate(over="ignore"):  # as BLAS does
        gram += block.T @ block


def _eigenvalues(gram: NDArray[np.float64]) -> NDArray[np.float64]:
    """Eigenvalues of a Gram matrix, given by its upper triangle, which may be lost.

    Spec: SPC-14.
    """
    solve = find_two_stage() if gram.shape[0] >= TWO_STAGE_SIZE else None
    if solve is not None:
        return solve(gram)
    return np.linalg.eigvalsh(gram, UPLO="U").astype(np.float64, copy=False)


def _svd(matrix: WeightMatrix) -> Solved:
    """Square the singular values of W."""
    if matrix.rank_bound < matrix.M:
        return _product(matrix)
    W = matrix.to_array()
    peak = _finite_peak(W)
    singular_values = np.linalg.svd(W, compute_uv=False).astype(np.float64, copy=False)
    with np.errstate(over="ignore", under="ignore"):
        return Solved(singular_values[::-1] ** 2, peak)


def _product(matrix: WeightMatrix) -> Solved:
    """Solve for the eigenvalues of WᵀW, W = L·R with L (N, r) and R (r, M), from the factors.

    With L = Q₁·T₁ and Rᵀ = Q₂·T₂ the singular values of W are those of T₁·T₂ᵀ, and zeros.

    Spec: DER-9.
    """
    left, right = matrix.factors()
    _finite_peak(left)
    _finite_peak(right)
    core = _triangle(left) @ _triangle(right.T).T
    singular_values = np.linalg.svd(core, compute_uv=False).astype(np.float64, copy=False)
    eigenvalues = np.zeros(matrix.M)
    with np.errstate(over="ignore", under="ignore"):
        eigenvalues[-singular_values.size :] = singular_values[::-1] ** 2
    return Solved(eigenvalues, float(singular_values[0]))


def _triangle(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Factor T of matrix = Q·T."""
    return np.asarray(np.linalg.qr(matrix, mode="r"))


SOLVERS: Mapping[Solver, Callable[[WeightMatrix], Solved]] = MappingProxyType(
    {"gram": _gram, "svd": _svd}
)
"""Solvers by name. They raise NonFiniteError, and LinAlgError if they do not converge.

A product of small factors is solved from them, whatever the solver (DER-9).
"""


def _finite_peak(block: NDArray[np.float64]) -> float:
    """Largest entry of |block|; refuses a NaN or an infinity.

    Spec: SPC-7.
    """
    peak = max(float(block.max()), -float(block.min()))
    if not math.isfinite(peak):
        raise NonFiniteError("it holds a NaN or an infinity")
    return peak
