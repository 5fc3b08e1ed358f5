"""The figures of one layer of a report, from the report and the weights."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.analysis.planning import plan
from htsr_ref.analysis.tail_view import view_matrix
from htsr_ref.errors import HtsrError
from htsr_ref.plots.folder import matrix_figure
from htsr_ref.text.nearest import one_of
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from htsr_ref.reports.report import Report
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource


def layer_figure(
    report: Report, name: str, source: WeightSource | Weights, matrix: int = 0
) -> Figure:
    """Draw all that is known of one matrix of a report.

    Parameters
    ----------
    report : of the weights.
    name : of the layer.
    source : the weights: a report holds no eigenvalues.
    matrix : which of the layer's matrices.

    Raises
    ------
    HtsrError
        There is no such matrix, it is zero, or the weights are not those of the report.

    Spec: FIG-5, FIG-9.
    """
    weights = asked_weights(source)
    known = (report.source.sha256, weights.sha256())
    if None not in known and known[0] != known[1]:
        raise HtsrError(f"{weights.name}: these are not the weights that the report is of")
    layers = {layer.name: layer for layer in report.analyzed()}
    planned = {item.layer.name: item for item in plan(weights, report.convention)}
    if name not in layers or name not in planned:
        raise HtsrError(f"no layer {name!r} was analyzed. {one_of(name, layers, 'Layers')}")
    found = layers[name].matrices
    if not 0 <= matrix < len(found):
        raise HtsrError(f"layer {name!r} has matrices 0 to {len(found) - 1}, not {matrix}")
    view = view_matrix(planned[name].matrices[matrix], found[matrix], report.convention)
    if not view.values.size:
        raise HtsrError(f"layer {name!r}: there is nothing to draw: all eigenvalues are zero")
    return matrix_figure(report, layers[name], found[matrix], view)
