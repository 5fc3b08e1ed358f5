"""Which matrices of a weight file are analysed, decided from shapes and kinds alone."""

from dataclasses import dataclass

from htsr_ref.conventions import PAPER, Convention
from htsr_ref.errors import LayerError
from htsr_ref.matrices import WeightMatrix, layer_matrices
from htsr_ref.report import SkipCode
from htsr_ref.weights import Layer, Weights


@dataclass(frozen=True)
class PlannedLayer:
    """A layer and the matrices that a convention takes from it, or why it takes none."""

    layer: Layer
    matrices: tuple[WeightMatrix, ...]
    skipped: str | None = None
    skip_code: SkipCode | None = None
    warnings: tuple[str, ...] = ()


def plan(weights: Weights, convention: Convention = PAPER) -> tuple[PlannedLayer, ...]:
    """Decide for every tensor which matrices are analysed; reads no weights.

    Spec: MAT-7, MAT-8, RPT-3.
    """
    return tuple(_plan_layer(layer, convention) for layer in weights.layers)


def _plan_layer(layer: Layer, convention: Convention) -> PlannedLayer:
    if layer.same_as is not None:
        return PlannedLayer(layer, (), f"same as {layer.same_as}", "tied")
    if layer.left_out is not None:
        return PlannedLayer(layer, (), layer.left_out, "left-out")
    if layer.kind not in convention.layer_kinds:
        reason = f"kind {layer.kind} is not among layer_kinds of the convention"
        return PlannedLayer(layer, (), reason, "kind")
    try:
        matrices = layer_matrices(layer, convention.conv)
    except LayerError as error:
        return PlannedLayer(layer, (), str(error), "bad-data")
    if convention.min_dim_applies_to == "conv" and layer.kind != "conv":
        return PlannedLayer(layer, matrices)
    kept = tuple(matrix for matrix in matrices if convention.min_dim <= matrix.M)
    if not kept:
        largest = max(matrix.M for matrix in matrices)
        reason = f"min(N, M) = {largest} is below min_dim = {convention.min_dim}"
        return PlannedLayer(layer, (), reason, "min-dim")
    dropped = [matrix.label for matrix in matrices if convention.min_dim > matrix.M]
    warnings = (f"below min_dim, left out: {', '.join(dropped)}",) if dropped else ()
    return PlannedLayer(layer, kept, warnings=warnings)
