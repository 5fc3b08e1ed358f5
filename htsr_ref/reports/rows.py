"""Flat rows, as CSV and data frames take them, of records that hold pairs and objects."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

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
