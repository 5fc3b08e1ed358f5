"""Which matrices of a weight file are analyzed, decided from shapes and kinds alone."""

import math
from dataclasses import dataclass, replace

from htsr_ref.conventions import SDM2020, Convention
from htsr_ref.errors import LayerError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.layers.matrices import Pool, WeightMatrix
from htsr_ref.reports.report import SkipCode
from htsr_ref.spectra.cost import Cost, estimate_cost
from htsr_ref.spectra.solvers import SolverChoice
from htsr_ref.weights import Layer, Weights
from htsr_ref.weights.dtypes import DTYPES

LOAD_LIMIT = 1 << 28
"""Elements of a tensor that is loaded whole, in its stored type, before it is analyzed."""


@dataclass(frozen=True, slots=True)
class PlannedLayer:
    """A layer and the matrices that a convention takes from it, or why it takes none."""

    layer: Layer
    matrices: tuple[WeightMatrix | Pool, ...]
    skipped: str | None = None
    skip_code: SkipCode | None = None
    warnings: tuple[str, ...] = ()

    def loaded(self) -> "PlannedLayer":
        """Load the tensor, unless it is too large to hold, and cut the same matrices from it.

        Kernel positions are strided cuts, and compressed files are read whole for each access.
        """
        if math.prod(self.layer.shape) > LOAD_LIMIT:
            return self
        data = self.layer.data.load()
        return replace(self, matrices=tuple(matrix.cut_from(data) for matrix in self.matrices))

    def cost(self, solver: SolverChoice = "auto") -> Cost:
        """Estimate the cost of the layer, whose matrices are analyzed one after another.

        The memory is that of the matrix that takes most, and of the tensor where it is loaded.

        Spec: SPC-8, SCL-5.
        """
        if not self.matrices:
            return Cost(0.0, 0)
        costs = [estimate_cost(matrix, solver) for matrix in self.matrices]
        size = math.prod(self.layer.shape)
        dtype = DTYPES.get(self.layer.dtype)
        held = size * dtype.bits // 8 if dtype is not None and size <= LOAD_LIMIT else 0
        return Cost(sum(cost.flops for cost in costs), held + max(cost.memory for cost in costs))


def plan(weights: Weights, convention: Convention = SDM2020) -> tuple[PlannedLayer, ...]:
    """Decide for every tensor which matrices are analyzed; reads no weights.

    Spec: MAT-7, MAT-8, MAT-15, RPT-3.
    """
    return tuple(plan_layer(layer, convention) for layer in weights.layers)


def plan_layer(layer: Layer, convention: Convention) -> PlannedLayer:
    """Decide which matrices of one layer are analyzed.

    Spec: MAT-7, MAT-8, MAT-15, MAT-19, RPT-3.
    """
    if layer.left_out is not None:
        return PlannedLayer(layer, (), layer.left_out, layer.code)
    if (reason := _reason_of_convention(layer, convention)) is not None:
        return PlannedLayer(layer, (), reason, "convention")
    if layer.same_as is not None and convention.tied == "once":
        return PlannedLayer(layer, (), f"same as {layer.same_as}", "tied")
    try:
        matrices = layer_matrices(layer, convention)
    except LayerError as error:
        return PlannedLayer(layer, (), str(error), "bad-data")
    kept, labels = [], dict[str, list[str]]()
    largest, reason = 0, ""
    for matrix in matrices:
        fault = _size_fault(matrix, layer, convention)
        if fault is None:
            kept.append(matrix)
            continue
        labels.setdefault(fault.limit, []).append(matrix.label)
        if largest < matrix.M:
            largest, reason = matrix.M, fault.reason
    if not kept:
        return PlannedLayer(layer, (), reason, "min-dim" if "below min_dim" in labels else "size")
    warnings = [f"{limit}, left out: {', '.join(names)}" for limit, names in labels.items()]
    return PlannedLayer(layer, tuple(kept), warnings=tuple(warnings))


def _reason_of_convention(layer: Layer, convention: Convention) -> str | None:
    """Why a convention takes no matrix from a weight of this sort; None if it does.

    Spec: MAT-8, MAT-18, MAT-20, MAT-21, MAT-22.
    """
    if layer.role not in convention.layer_kinds:
        return f"role {layer.role} is not among layer_kinds of the convention"
    for field, chosen, is_such in (
        ("conv", convention.conv, layer.is_conv),
        ("experts", convention.experts, layer.axes[:1] == ("stack",)),
        ("parameters", convention.parameters, layer.is_bare),
        ("conv1d", convention.conv1d, layer.axes[-1:] == ("k1",)),
        ("transposed", convention.transposed, layer.is_transposed),
    ):
        if is_such and chosen in ("skip", "module-weights"):
            return f"left out by the convention: {field} = {chosen}"
    return None


@dataclass(frozen=True)
class SizeFault:
    """A limit of size that a matrix breaks, such as "below min_dim", and in which numbers."""

    limit: str
    reason: str


def _size_fault(
    matrix: WeightMatrix | Pool, layer: Layer, convention: Convention
) -> SizeFault | None:
    """Find the limit of size that a matrix breaks.

    Spec: MAT-7, MAT-15.
    """
    count = sum(member.M for member in matrix.members)
    least, most, rows = (
        convention.min_eigenvalues,
        convention.max_eigenvalues,
        convention.max_rows,
    )
    limited = convention.min_dim_applies_to == "all" or layer.is_conv
    if limited and convention.min_dim > matrix.M:
        limit, found, bound = "below min_dim", f"min(N, M) = {matrix.M} is", convention.min_dim
    elif count < least:
        limit, found, bound = "below min_eigenvalues", f"{count} eigenvalues are", least
    elif most is not None and count > most:
        limit, found, bound = "above max_eigenvalues", f"{count} eigenvalues are", most
    elif rows is not None and rows < matrix.N:
        limit, found, bound = "above max_rows", f"N = {matrix.N} is", rows
    else:
        return None
    return SizeFault(limit, f"{found} {limit} = {bound}")
