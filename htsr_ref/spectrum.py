"""Eigenvalues of X = c·WᵀW, with what the arithmetic can and cannot tell."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import LayerError
from htsr_ref.matrices import BLOCK_ELEMENTS, Tensor, WeightMatrix, matrix_from_array

Solver = Literal["gram", "svd"]
SolverChoice = Literal["auto", "gram", "svd"]
Normalization = Literal["1/N", "none"]

UNIT_ROUNDOFF = {
    "float64": 2.0**-53,
    "float32": 2.0**-24,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
    "float8_e4m3fn": 2.0**-4,
    "float8_e5m2": 2.0**-3,
}
"""Relative rounding error of each stored float type; integers are exact (SPC-6)."""

_WIDE = frozenset({"float64", "int64", "uint64"})


class NonFiniteError(LayerError):
    """A matrix with a NaN or an infinite entry."""


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues of X = scale·WᵀW for one weight matrix W.

    Attributes
    ----------
    eigenvalues : (M,) float64, ascending, non-negative; those that cannot be told from zero are 0.
    N, M : shape of W, N ≥ M.
    scale : the factor c, 1/N or 1.
    solver : "gram" or "svd".
    unit_roundoff : relative rounding error of W's entries as stored.

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
    def positive(self) -> NDArray[np.float64]:
        """Eigenvalues that do not count as zero, ascending."""
        return self.eigenvalues[self.num_zero :]

    @property
    def num_zero(self) -> int:
        """Number of eigenvalues that count as zero."""
        return int(np.searchsorted(self.eigenvalues, 0.0, side="right"))

    @property
    def error_bounds(self) -> NDArray[np.float64]:
        """Bound on the error of each eigenvalue, (M,) float64.

        Spec: SPC-4.
        """
        relative = solver_error(self.N)
        if self.solver == "gram":
            errors = np.full(self.M, relative * self.lambda_max)
        else:
            shares = self.eigenvalues / (self.lambda_max or 1.0)
            errors = (2 * relative * np.sqrt(shares) + relative**2) * self.lambda_max
        moved = 2 if self.solver == "gram" else 4
        errors[: self.num_zero] = moved * zero_threshold(self.lambda_max, self.N, self.solver)
        return errors

    @property
    def storage_error(self) -> float:
        """Bound on what rounding independent entries of W moves a singular value by, over ‖W‖_F.

        Spec: SPC-6. Source: Weyl's inequality.
        """
        spread = min(1.0, 1.0 / math.sqrt(self.N) + 1.0 / math.sqrt(self.M))
        return self.unit_roundoff * spread

    @property
    def resolution(self) -> float:
        """Difference from the largest eigenvalue that storage and solver can account for.

        Spec: PL-7.
        """
        total = float(self.eigenvalues.sum())
        moved = self.storage_error * math.sqrt(total)  # √λ_max by storage, in units of √λ
        storage = 2 * moved * math.sqrt(self.lambda_max) + moved**2
        return 2 * (storage + float(self.error_bounds[-1]))

    @property
    def rank(self) -> int:
        """Number of singular values that rounding the entries of W does not explain.

        Spec: SPC-6. Source: Weyl's inequality.
        """
        storage = self.storage_error**2 * float(self.eigenvalues.sum())
        solver = zero_threshold(self.lambda_max, self.N, self.solver)
        return int(np.count_nonzero(self.eigenvalues > max(storage, solver)))


def solver_error(N: int) -> float:
    """Relative error ε = 8·√max(N, 64)·2⁻⁵² of eigenvalues (gram) or singular values (svd).

    Spec: SPC-4. Source: Higham & Mary, SIAM J. Sci. Comput. 41, 2019 (growth like √N).

    >>> f"{solver_error(1024):.3g}"
    '5.68e-14'
    """
    return 8 * math.sqrt(max(N, 64)) * 2.0**-52


def zero_threshold(lambda_max: float, N: int, solver: Solver) -> float:
    """Largest computed eigenvalue that cannot be told from zero.

    Spec: SPC-5.
    """
    relative = solver_error(N)
    return lambda_max * (relative if solver == "gram" else relative**2)


def choose_solver(dtype: str, solver: SolverChoice = "auto") -> Solver:
    """Resolve "auto": gram for stored types of at most 32 bits, svd for wider ones.

    Spec: SPC-3.

    >>> choose_solver("bfloat16"), choose_solver("float64")
    ('gram', 'svd')
    """
    if solver != "auto":
        return solver
    return "svd" if dtype in _WIDE else "gram"


def spectrum(
    W: ArrayLike | WeightMatrix,
    *,
    normalization: Normalization = "1/N",
    solver: SolverChoice = "auto",
) -> Spectrum:
    """Eigenvalues of X = c·WᵀW.

    Parameters
    ----------
    W : (rows, columns) real array, or a `WeightMatrix`; transposed if it is wider than tall.
    normalization : c = 1/N ("1/N") or 1 ("none").
    solver : "gram" (eigenvalues of WᵀW), "svd" (squared singular values) or "auto".

    Returns
    -------
    Spectrum

    Raises
    ------
    LayerError
        W is no matrix, holds a NaN or an infinity (`NonFiniteError`), or its eigenvalues leave the
        range of float64.

    Spec: SPC-1, SPC-2, SPC-3, SPC-5, SPC-7. Source: Martin & Mahoney, SDM 2020, section 2.

    >>> spectrum(np.diag([2.0, 4.0])).eigenvalues
    array([2., 8.])
    """
    matrix = W if isinstance(W, WeightMatrix) else matrix_from_array(W)
    chosen = choose_solver(matrix.dtype, solver)
    try:
        unscaled, peak = _gram(matrix) if chosen == "gram" else _svd(matrix)
    except np.linalg.LinAlgError as error:
        raise LayerError(f"the {chosen} solver failed ({error}). Try the other solver") from error
    scale = 1.0 / matrix.N if normalization == "1/N" else 1.0
    eigenvalues = unscaled * scale
    threshold = zero_threshold(float(eigenvalues[-1]), matrix.N, chosen)
    with np.errstate(over="ignore"):
        total = float(unscaled.sum())
    in_range = math.isfinite(total) and threshold >= np.finfo(np.float64).tiny
    if peak > 0 and not in_range:
        raise LayerError(
            f"entries up to {peak:.3g} give eigenvalues outside the range of float64. "
            "Rescale the matrix"
        )
    eigenvalues[eigenvalues <= threshold] = 0.0
    eigenvalues.flags.writeable = False
    return Spectrum(
        eigenvalues, matrix.N, matrix.M, scale, chosen, UNIT_ROUNDOFF.get(matrix.dtype, 2.0**-53)
    )


def _gram(matrix: WeightMatrix) -> tuple[NDArray[np.float64], float]:
    """Eigenvalues of WᵀW, ascending, and the largest entry of |W|.

    Spec: SPC-8.
    """
    from scipy.linalg.blas import dsyrk

    gram = np.zeros((matrix.M, matrix.M), order="F")
    peak = 0.0
    for block in matrix.blocks():
        peak = max(peak, _finite_peak(block))
        # BLAS takes Fortran order without a copy: a C-ordered block is that, transposed.
        if block.flags.c_contiguous:
            gram = dsyrk(1.0, block.T, beta=1.0, c=gram, overwrite_c=True)
        else:
            gram = dsyrk(1.0, block, beta=1.0, c=gram, trans=1, overwrite_c=True)
    if not np.isfinite(np.diagonal(gram)).all():
        return np.full(matrix.M, math.inf), peak
    return np.linalg.eigvalsh(gram, UPLO="U").astype(np.float64, copy=False), peak


def _svd(matrix: WeightMatrix) -> tuple[NDArray[np.float64], float]:
    """Squared singular values of W, ascending, and the largest entry of |W|."""
    W = matrix.to_array()
    peak = _finite_peak(W)
    singular_values = np.linalg.svd(W, compute_uv=False).astype(np.float64, copy=False)
    with np.errstate(over="ignore", under="ignore"):
        return singular_values[::-1] ** 2, peak


def _finite_peak(block: NDArray[np.float64]) -> float:
    """Largest entry of |block|; refuses a NaN or an infinity.

    Spec: SPC-7.
    """
    peak = max(float(block.max()), -float(block.min()))
    if not math.isfinite(peak):
        raise NonFiniteError("it holds a NaN or an infinity")
    return peak


def first_nonfinite(data: Tensor) -> tuple[int, ...] | None:
    """Index of a tensor's first NaN or infinity in row-major order; None if all are finite.

    Spec: SPC-7.
    """
    if not data.shape:
        return None if np.isfinite(data[()]).all() else ()
    height = max(1, BLOCK_ELEMENTS // max(1, math.prod(data.shape[1:])))
    for start in range(0, data.shape[0], height):
        bad = np.argwhere(~np.isfinite(data[start : start + height]))
        if bad.size:
            return (start + int(bad[0, 0]), *map(int, bad[0, 1:]))
    return None
