"""Eigenvalues that are kept, so that no matrix is solved twice."""

from typing import Protocol

import numpy as np

from htsr_ref.errors import LayerError
from htsr_ref.layers.matrices import WeightMatrix
from htsr_ref.spectra.solvers import SOLVERS, Solved, Solver


class SpectrumStore(Protocol):
    """Eigenvalues of the matrices of one source, by matrix and solver.

    A matrix is told apart by the name of its tensor, `matrix.data.name`, and by `matrix.cut`.
    A store that outlives the source would take a digest of the tensor for its name.
    """

    def get(self, matrix: WeightMatrix, solver: Solver) -> Solved | None:
        """Return what is kept of a matrix; None if nothing is kept."""

    def put(self, matrix: WeightMatrix, solver: Solver, solved: Solved) -> None:
        """Keep what a solver found."""


class MemoryStore:
    """A store in memory.

    Spec: AUD-9.
    """

    def __init__(self) -> None:
        self._solved: dict[tuple[str, str, Solver], Solved] = {}

    def get(self, matrix: WeightMatrix, solver: Solver) -> Solved | None:
        """Return what is kept of a matrix; None if nothing is kept."""
        return self._solved.get((matrix.data.name, matrix.cut, solver))

    def put(self, matrix: WeightMatrix, solver: Solver, solved: Solved) -> None:
        """Keep what a solver found."""
        self._solved[matrix.data.name, matrix.cut, solver] = solved


def solve(matrix: WeightMatrix, solver: Solver, store: SpectrumStore | None = None) -> Solved:
    """Take the eigenvalues of WᵀW from a store, or solve for them and keep them there.

    Raises
    ------
    LayerError
        The matrix holds a NaN or an infinity (`NonFiniteError`), or the solver fails.
    """
    kept = None if store is None else store.get(matrix, solver)
    if kept is not None:
        return kept
    try:
        solved = SOLVERS[solver](matrix)
    except np.linalg.LinAlgError as error:
        raise LayerError(f"the {solver} solver failed ({error}). Try the other solver") from error
    if store is not None:
        store.put(matrix, solver, solved)
    return solved
