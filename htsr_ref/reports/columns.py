"""A report's numbers under the column names of WeightWatcher 0.7.7."""

import math
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from htsr_ref.reports.report import LayerReport, MatrixReport, Report
from htsr_ref.reports.verdicts import training_word
from htsr_ref.text.csvtext import csv_lines

Row = dict[str, Any]

LAYER_TYPES: Mapping[str, str] = MappingProxyType({"weight": "dense"})
"""Names of roles; others keep theirs, and a convolution names its dimension."""


def weightwatcher_rows(report: Report) -> Iterator[Row]:
    """Give one row per matrix, as `analyze()` has them; undefined numbers are None.

    Of the columns, `layer_id` counts the report's analyzed layers, since a file does not say how
    many modules without weights stood between them.

    Spec: RPT-8. Source: WeightWatcher 0.7.7, `get_details`.
    """
    failed = report.convention.failed_alpha
    return (
        {"layer_id": number, **weightwatcher_row(layer, matrix, failed)}
        for number, layer in enumerate(report.analyzed())
        for matrix in layer.matrices
    )


def weightwatcher_row(layer: LayerReport, matrix: MatrixReport, failed: float | None) -> Row:
    """Columns of one matrix but its `layer_id`.

    Parameters
    ----------
    layer, matrix : the matrix and its layer.
    failed : the number that stands for a failed fit.

    Spec: RPT-8.
    """
    return {**_names(layer, matrix), **_numbers(matrix), **_fit(matrix, failed)}


def weightwatcher_lines(report: Report) -> Iterator[str]:
    """Write the rows as lines of CSV; undefined numbers are empty cells.

    Spec: RPT-8.
    """
    return csv_lines(COLUMNS, weightwatcher_rows(report))


def _names(layer: LayerReport, matrix: MatrixReport) -> Row:
    positions = [size for name, size in zip(layer.axes, layer.shape, strict=True) if name[0] == "k"]
    return {
        "name": layer.name.split(".")[-1],
        "longname": " ".join(filter(None, (layer.name, matrix.label))),
        "layer_type": f"conv{len(positions)}d"
        if positions
        else LAYER_TYPES.get(layer.role, layer.role),
        "N": matrix.N,
        "M": matrix.M,
        "rf": math.prod(positions),
        "Q": matrix.Q,
    }


def _numbers(matrix: MatrixReport) -> Row:
    log_norm, log_spectral = matrix.log10_frobenius_norm, matrix.log10_spectral_norm
    return {
        "has_esd": True,
        "num_evals": matrix.num_eigenvalues,
        "sv_max": math.sqrt(matrix.lambda_max),
        "sv_min": math.sqrt(matrix.lambda_min),
        "rank_loss": matrix.num_eigenvalues - matrix.rank,
        "weak_rank_loss": matrix.weak_rank_loss,
        "lambda_max": matrix.lambda_max,
        "norm": 0.0 if log_norm is None else 10.0 ** (2 * log_norm),
        "log_norm": None if log_norm is None else 2 * log_norm,
        "spectral_norm": 0.0 if log_spectral is None else 10.0 ** (2 * log_spectral),
        "log_spectral_norm": None if log_spectral is None else 2 * log_spectral,
        "stable_rank": matrix.stable_rank,
        "matrix_rank": matrix.rank,
        "entropy": matrix.entropy,
    }


def _fit(matrix: MatrixReport, failed: float | None) -> Row:
    """Columns of the fit, in which the number for a failure stands wherever there is none."""
    found = matrix.xmin is not None
    numbers = {
        "alpha": matrix.alpha,
        "xmin": matrix.xmin,
        "D": matrix.ks_distance,
        "sigma": matrix.alpha_stderr,
        "num_pl_spikes": matrix.tail_size,
    }
    return {
        **(numbers if found else dict.fromkeys(numbers, failed)),
        "xmax": matrix.lambda_max if found else None,
        "alpha_weighted": matrix.weighted_alpha,
        "log_alpha_norm": matrix.log10_alpha_norm,
        "status": "success" if found else "failed",
        "warning": training_word(matrix.alpha) or "",
    }


COLUMNS = (
    "layer_id",
    "name",
    "longname",
    "layer_type",
    "N",
    "M",
    "rf",
    "Q",
    "has_esd",
    "num_evals",
    "sv_max",
    "sv_min",
    "rank_loss",
    "weak_rank_loss",
    "lambda_max",
    "alpha",
    "xmin",
    "xmax",
    "D",
    "sigma",
    "num_pl_spikes",
    "status",
    "warning",
    "norm",
    "log_norm",
    "spectral_norm",
    "log_spectral_norm",
    "alpha_weighted",
    "log_alpha_norm",
    "stable_rank",
    "matrix_rank",
    "entropy",
)
"""WeightWatcher's columns in its order."""
