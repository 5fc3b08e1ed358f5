"""Layers under many conventions, each spectrum computed once."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htsr_ref.analysis.analyzing import LOAD_LIMIT, analyze_layer
from htsr_ref.analysis.planning import PlannedLayer, plan_layer
from htsr_ref.conventions import Convention
from htsr_ref.errors import HtsrError
from htsr_ref.layers.matrices import WeightMatrix
from htsr_ref.reports.report import LayerReport
from htsr_ref.spectra.solvers import Solver, eigenvalues_of
from htsr_ref.spectra.spectrum import SolverChoice, choose_solver, solver_error
from htsr_ref.weights import Weights
from htsr_ref.weights.stored import StoredTensor

CUTTING = (
    "layer_kinds",
    "linear",
    "conv",
    "windows",
    "map_size",
    "orientation",
    "min_dim",
    "min_dim_applies_to",
    "min_eigenvalues",
    "max_eigenvalues",
    "max_rows",
    "average",
    "alpha_range",
)
"""Fields that say which matrices there are, and how they are cut, or concern the model as a whole:
matrices that are cut alike have the same numbers, whatever these are."""

DIGITS = 1e-6
"""Relative error of the smallest eigenvalue above which `auto` prefers svd."""


class SharedSpectra:
    """The layers of one source, analyzed under any number of conventions.

    Conventions differ in how matrices are cut, scaled and fitted. Eigenvalues in units of the
    weights depend on the cut alone: they are kept, and so is every finished layer.

    Parameters
    ----------
    weights : the source.
    solver : "gram", "svd" or "auto": for each layer gram, if the type of its weights and the error
        of the smallest eigenvalue allow that, else svd.

    Spec: AUD-9.
    """

    def __init__(self, weights: Weights, solver: SolverChoice = "auto") -> None:
        self.weights = weights
        self.solver = solver
        self._eigenvalues: dict[object, tuple[NDArray[np.float64], float]] = {}
        self._layers: dict[object, LayerReport] = {}
        self._solvers: dict[int, Solver] = {}
        self._tensor: tuple[int, _ReadOnce] | None = None

    def layer(self, place: int, convention: Convention) -> LayerReport:
        """Analyze one layer.

        Parameters
        ----------
        place : its place in the source.
        convention : the choices behind the numbers.
        """
        item = plan_layer(
            replace(self.weights.layers[place], data=self._read_once(place)), convention
        )
        choices = [value for name, value in convention.values().items() if name not in CUTTING]
        key = (place, _plan(item), *choices)
        if key not in self._layers:
            self._layers[key] = analyze_layer(
                item,
                convention,
                self._solver(place, item),
                place=place,
                solve=lambda matrix, solver: self._solve(place, matrix, solver),
            )
        return self._layers[key]

    def _solver(self, place: int, item: PlannedLayer) -> SolverChoice:
        """Solver of a layer; its first cut into matrices decides."""
        if self.solver != "auto" or not item.matrices:
            return self.solver
        if place not in self._solvers:
            self._solvers[place] = choose_solver(item.layer.dtype)
            if self._solvers[place] == "gram":
                members = [member for matrix in item.matrices for member in matrix.members]
                if not all(self._gram_suffices(place, member) for member in members):
                    self._solvers[place] = "svd"
        return self._solvers[place]

    def _gram_suffices(self, place: int, matrix: WeightMatrix) -> bool:
        try:
            values, _ = self._solve(place, matrix, "gram")
        except HtsrError:
            return True  # The analysis will say what is wrong.
        return bool(values[0] * DIGITS >= values[-1] * solver_error(matrix.N))

    def _solve(
        self, place: int, matrix: WeightMatrix, solver: Solver
    ) -> tuple[NDArray[np.float64], float]:
        key = (place, solver, matrix.cut)
        if key not in self._eigenvalues:
            self._eigenvalues[key] = eigenvalues_of(matrix, solver)
        return self._eigenvalues[key]

    def _read_once(self, place: int) -> Any:
        """Tensor of a layer; that of one layer at a time is held."""
        if self._tensor is None or self._tensor[0] != place:
            self._tensor = place, _ReadOnce(self.weights.layers[place].data)
        return self._tensor[1]


def _plan(item: PlannedLayer) -> str:
    """Tell plans of one layer apart."""
    matrices = [
        (type(m), m.label, m.N, m.M, m.origin, [member.cut for member in m.members])
        for m in item.matrices
    ]
    return str((item.skipped, item.warnings, matrices))


class _ReadOnce:
    """A tensor that is read when it is first needed, and whole unless it is too large to hold."""

    def __init__(self, stored: StoredTensor) -> None:
        self._stored = stored
        self._loaded: StoredTensor | None = None

    @property
    def name(self) -> str:
        return self._stored.name

    @property
    def shape(self) -> tuple[int, ...]:
        return self._stored.shape

    @property
    def dtype(self) -> str:
        return self._stored.dtype

    def load(self) -> "_ReadOnce":
        return self

    def __getitem__(self, index: Any) -> NDArray[np.float64]:
        if self._loaded is None:
            small = math.prod(self.shape) <= LOAD_LIMIT
            self._loaded = self._stored.load() if small else self._stored
        return self._loaded[index]
