"""The model's numbers: means over its matrices or layers, and the PL-norm relation."""

from dataclasses import fields
from typing import Any

from htsr_ref import metrics
from htsr_ref.conventions import Convention
from htsr_ref.metric_table import MEAN_FIELDS, METRICS, MODEL_MEANS
from htsr_ref.reports.report import LayerReport, ModelReport


def summarize(layers: list[LayerReport], convention: Convention) -> ModelReport:
    """Average over the model.

    Spec: MET-10, MET-11.
    """
    analyzed = [layer for layer in layers if layer.skipped is None]
    matrices = [matrix for layer in analyzed for matrix in layer.matrices]
    by_matrix = convention.average == "matrices"
    units: list[dict[str, Any]] = (
        [{name: getattr(matrix, name) for name in MEAN_FIELDS} for matrix in matrices]
        if by_matrix
        else [layer.means or {} for layer in analyzed]
    )
    in_range = [unit for unit in units if alpha_counts(unit["alpha"], convention)]
    means = {}
    for name in (field.name for field in fields(ModelReport) if field.name in MODEL_MEANS):
        metric = MODEL_MEANS[name]
        entering = in_range if METRICS[metric].stage == "fit" else units
        means[name] = metrics.mean(unit[metric] for unit in entering)
    fitted = [
        (matrix.log10_frobenius_norm, matrix.weighted_alpha)
        for matrix in matrices
        if matrix.log10_frobenius_norm is not None and matrix.weighted_alpha is not None
    ]
    return ModelReport(
        layers=len(analyzed),
        matrices=len(matrices),
        **{name: mean.value for name, mean in means.items()},
        counts={name: mean.count for name, mean in means.items()},
        pl_norm_relation=metrics.pl_norm_relation(
            [norm for norm, _ in fitted], [alpha for _, alpha in fitted]
        ),
    )


def alpha_counts(alpha: float | None, convention: Convention) -> bool:
    """Whether a matrix or layer with this α enters the model's means of what rests on a fit.

    Spec: MET-10.
    """
    if alpha is None or convention.alpha_range is None:
        return True
    low, high = convention.alpha_range
    return low <= alpha <= high
