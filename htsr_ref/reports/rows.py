"""A report as flat rows, as CSV and data frames take them: pairs and objects over columns."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from types import MappingProxyType
from typing import Any

from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.report import LayerReport, MatrixReport, Per, Report
from htsr_ref.reports.words import tests_in_words

COLUMNS: Mapping[str, Mapping[str, int | str]] = MappingProxyType(
    {
        "alpha_ci95": {"alpha_ci95_low": 0, "alpha_ci95_high": 1},
        "extreme_value": {"xi": "xi", "xi_stderr": "stderr", "xi_verdict": "verdict"},
        "mp": {"num_spikes": "num_spikes", "spike_mass": "spike_mass", "soft_rank": "soft_rank"},
        "phase_reason": {},
        "verdict": {"verdict": "name", "verdict_reason": "reason", "alpha_remark": "remark"},
        "null_model": {
            "null_p_distance": "p_distance",
            "null_p_lambda_max": "p_lambda_max",
            "null_verdict": "verdict",
        },
        "comparisons": {},
    }
)
"""Columns of the fields that are not single numbers, and the part that each column holds."""


def flat_columns(names: Iterable[str]) -> list[str]:
    """Columns of a record with fields of these names.

    >>> flat_columns(["N", "alpha_ci95", "comparisons"])
    ['N', 'alpha_ci95_low', 'alpha_ci95_high']
    """
    return [column for name in names for column in COLUMNS.get(name, (name,))]


def flat_row(record: Mapping[str, Any]) -> dict[str, Any]:
    """Record with its pairs and objects spread over their columns, and its warnings in one text.

    Spec: RPT-6.

    >>> flat_row({"N": 5, "alpha_ci95": (1.5, 2.5), "extreme_value": None, "warnings": ("a", "b")})
    {'N': 5, 'alpha_ci95_low': 1.5, 'alpha_ci95_high': 2.5, 'xi': None, 'xi_stderr': None, \
'xi_verdict': None, 'warnings': 'a; b'}
    """
    row: dict[str, Any] = {}
    for name, value in record.items():
        if name in COLUMNS:
            row |= {c: None if value is None else value[part] for c, part in COLUMNS[name].items()}
        else:
            row[name] = "; ".join(value) if name == "warnings" else value
    return row


MATRIX_COLUMNS = tuple(flat_columns(part.name for part in fields(MatrixReport)))
"""Columns of what a report says of a matrix."""

_LAYER_COLUMNS = ("layer", "role", "tensor", "shape", "dtype", "skipped", "skip_code", "matrices")


def report_rows(report: Report, per: Per) -> Iterator[dict[str, Any]]:
    """Flatten a report to one dict per matrix, or per layer; each is made when it is asked for.

    Spec: RPT-6.
    """
    if per == "layer":
        return map(_layer_row, report.layers)
    return (
        {
            "layer": layer.name,
            "role": layer.role,
            **flat_row(asdict(matrix)),
            "tests": "; ".join(tests_in_words(matrix)),
        }
        for layer in report.layers
        for matrix in layer.matrices
    )


def row_columns(per: Per) -> tuple[str, ...]:
    """Columns of these rows, in their order.

    Spec: RPT-6.
    """
    if per == "layer":
        return (*_LAYER_COLUMNS, *MEAN_FIELDS)
    return ("layer", "role", *MATRIX_COLUMNS, "tests")


def _layer_row(layer: LayerReport) -> dict[str, Any]:
    return {
        "layer": layer.name,
        "role": layer.role,
        "tensor": layer.tensor,
        "shape": "x".join(map(str, layer.shape)),
        "dtype": layer.dtype,
        "skipped": layer.skipped,
        "skip_code": layer.skip_code,
        "matrices": len(layer.matrices),
        **(layer.means or dict.fromkeys(MEAN_FIELDS)),
    }
