"""Layers under many conventions, each spectrum computed once."""

from htsr_ref.analysis.checks import NO_CHECKS
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.planning import PlannedLayer, plan_layer
from htsr_ref.conventions import FIELDS, Convention
from htsr_ref.errors import HtsrError
from htsr_ref.reports.report import LayerReport
from htsr_ref.spectra.solvers import Solver, SolverChoice, choose_solver, solver_error
from htsr_ref.spectra.store import MemoryStore, SpectrumStore, solve
from htsr_ref.weights import Weights

CUTTING = frozenset(
    name for name, field in FIELDS.items() if field.stage in ("selection", "cut", "model")
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
    behind : where eigenvalues are kept that outlive it.

    Spec: AUD-9.
    """

    def __init__(
        self, weights: Weights, solver: SolverChoice = "auto", behind: SpectrumStore | None = None
    ) -> None:
        self.weights = weights
        self.solver = solver
        self._store = MemoryStore(behind)
        self._layers: dict[object, LayerReport] = {}
        self._solvers: dict[int, Solver] = {}

    def layer(self, place: int, convention: Convention) -> LayerReport:
        """Analyze one layer.

        Parameters
        ----------
        place : its place in the source.
        convention : the choices behind the numbers.
        """
        item = plan_layer(self.weights.layers[place], convention)
        choices = [value for name, value in convention.values().items() if name not in CUTTING]
        key = (place, _plan(item), *choices)
        if key not in self._layers:
            self._layers[key] = analyze_layer(
                item, convention, self._solver(place, item), NO_CHECKS, place, self._store
            )
        return self._layers[key]

    def _solver(self, place: int, item: PlannedLayer) -> SolverChoice:
        """Solver of a layer; its first cut into matrices decides."""
        if self.solver != "auto" or not item.matrices:
            return self.solver
        if place not in self._solvers:
            chosen = choose_solver(item.layer.dtype)
            if chosen == "gram" and not self._gram_suffices(item):
                chosen = "svd"
            self._solvers[place] = chosen
        return self._solvers[place]

    def _gram_suffices(self, item: PlannedLayer) -> bool:
        try:
            for matrix in item.loaded().matrices:
                for member in matrix.members:
                    values = solve(member, "gram", self._store).eigenvalues
                    if not values[0] * DIGITS >= values[-1] * solver_error(member.N):
                        return False
        except HtsrError:
            pass  # The analysis will say what is wrong.
        return True


def _plan(item: PlannedLayer) -> str:
    """Tell plans of one layer apart."""
    matrices = [
        (type(m), m.label, m.N, m.M, m.origin, [member.cut for member in m.members])
        for m in item.matrices
    ]
    return str((item.skipped, item.warnings, matrices))
