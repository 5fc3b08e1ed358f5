"""What can be drawn: shapes and parameters that exist, matrices that the machine can hold."""

import math

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import EnsembleError
from htsr_ref.machine.memory import physical_memory

COPIES = 4
"""Matrices of the drawn size that a draw may hold in memory at once."""


def check_draw(N: int, M: int, **positive: float) -> None:
    """Refuse shapes and parameters that do not exist, and matrices that memory cannot hold.

    Parameters
    ----------
    N, M : shape of the matrix.
    positive : parameters by name, all of which are positive and finite.

    Raises
    ------
    EnsembleError
        With what is wrong.

    Spec: RMT-1.
    """
    if M < 1 or N < M:
        raise EnsembleError(f"the shape is {N}×{M}: N ≥ M ≥ 1 is needed")
    for name, value in positive.items():
        if not 0 < value < math.inf:
            raise EnsembleError(f"{name} is {value}: it must be a positive number")
    needed, there = COPIES * 8 * N * M, physical_memory()
    if there is not None and needed > there:
        raise EnsembleError(
            f"a matrix of {N}×{M} needs {needed / 1e9:.1f} GB to draw, and the machine has "
            f"{there / 1e9:.1f} GB: make it smaller"
        )


def check_finite(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Refuse draws so heavy-tailed that binary64 cannot hold them; return the others.

    Raises
    ------
    EnsembleError
        A draw is infinite.

    Spec: RMT-1.
    """
    if not np.all(np.isfinite(values)):
        raise EnsembleError("an entry is too large for binary64: take a lighter tail")
    return values
