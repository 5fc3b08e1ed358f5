"""Eigenvalues that are kept, so that no matrix is solved twice."""

from collections.abc import Callable
from functools import partial
from typing import Protocol

import numpy as np

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import WeightMatrix
from htsr_ref.spectra.solvers import SOLVERS, Solved, Solver


class SpectrumStore(Protocol):
    """Where eigenvalues are kept; used by several threads."""

    def has(self, matrix: WeightMatrix, solver: Solver) -> bool:
        """Whether a matrix's eigenvalues are found without reading the matrix."""

    def fetch(self, matrix: WeightMatrix, solver: Solver, find: Callable[[], Solved]) -> Solved:
        """Return what is kept of a matrix, or find it, keep it and return it."""


class MemoryStore:
    """Eigenvalues of the matrices of one source, in memory.

    A matrix is told apart by the name of its tensor, `matrix.data.name`, and by `matrix.cut`.

    Parameters
    ----------
    behind : where eigenvalues are looked for that are not here, and kept as well.

    Spec: AUD-9.
    """

    def __init__(self, behind: SpectrumStore | None = None) -> None:
        self._behind = behind
        self._solved: dict[tuple[str, str, Solver], Solved] = {}

    def has(self, matrix: WeightMatrix, solver: Solver) -> bool:
        """Whether the eigenvalues are here."""
        return (matrix.data.name, matrix.cut, solver) in self._solved

    def fetch(self, matrix: WeightMatrix, solver: Solver, find: Callable[[], Solved]) -> Solved:
        """Return what is kept of a matrix, or find it, keep it and return it."""
        key = (matrix.data.name, matrix.cut, solver)
        if key not in self._solved:
            behind = self._behind
            self._solved[key] = find() if behind is None else behind.fetch(matrix, solver, find)
        return self._solved[key]


def solve(matrix: WeightMatrix, solver: Solver, store: SpectrumStore | None = None) -> Solved:
    """Take the eigenvalues of WᵀW from a store, or solve for them and keep them there.

    Raises
    ------
    LayerError
        The matrix holds a NaN or an infinity (`NonFiniteError`), or the solver fails.
    """
    find = partial(_solved, matrix, solver)
    return find() if store is None else store.fetch(matrix, solver, find)


def _solved(matrix: WeightMatrix, solver: Solver) -> Solved:
    try:
        return SOLVERS[solver](matrix)
    except np.linalg.LinAlgError as error:
        raise LayerError(f"the {solver} solver failed ({error}). Try the other solver") from error
