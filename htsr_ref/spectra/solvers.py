"""The two ways to the eigenvalues of WᵀW, in units of the weights as they are."""

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import WeightMatrix

Solver = Literal["gram", "svd"]


class NonFiniteError(LayerError):
    """A matrix with a NaN or an infinite entry."""


def gram_eigenvalues(matrix: WeightMatrix) -> tuple[NDArray[np.float64], float]:
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


def svd_eigenvalues(matrix: WeightMatrix) -> tuple[NDArray[np.float64], float]:
    """Squared singular values of W, ascending, and the largest entry of |W|."""
    W = matrix.to_array()
    peak = _finite_peak(W)
    singular_values = np.linalg.svd(W, compute_uv=False).astype(np.float64, copy=False)
    with np.errstate(over="ignore", under="ignore"):
        return singular_values[::-1] ** 2, peak


def eigenvalues_of(matrix: WeightMatrix, solver: Solver) -> tuple[NDArray[np.float64], float]:
    """Eigenvalues of WᵀW by one of the two ways, ascending, and the largest entry of |W|."""
    return gram_eigenvalues(matrix) if solver == "gram" else svd_eigenvalues(matrix)


Solve = Callable[[WeightMatrix, Solver], tuple[NDArray[np.float64], float]]
"""What `eigenvalues_of` is: whoever needs the same eigenvalues again may remember them."""


def _finite_peak(block: NDArray[np.float64]) -> float:
    """Largest entry of |block|; refuses a NaN or an infinity.

    Spec: SPC-7.
    """
    peak = max(float(block.max()), -float(block.min()))
    if not math.isfinite(peak):
        raise NonFiniteError("it holds a NaN or an infinity")
    return peak
