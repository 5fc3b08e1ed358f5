"""Which numbers of a matrix a field of a convention can change."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from htsr_ref.metric_table import METRICS

_FIT = frozenset(name for name, metric in METRICS.items() if metric.stage == "fit")
_NORMS = frozenset({"log10_frobenius_norm", "log10_spectral_norm", "log_stable_rank"})

AFFECTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "orientation": frozenset({"N", "M", "Q"}),
        "norms": _NORMS,
        "drop_smallest": _FIT,
        "equal_eigenvalues": _FIT,
        "rank": frozenset({"rank", "entropy"}),
        "entropy": frozenset({"entropy"}),
        "lambda_min": frozenset({"lambda_min"}),
        "estimator": _FIT,
        "xmin": _FIT,
        "xmin_position": _FIT,
        "xmax": _FIT,
        "ks_model": _FIT,
        "ks": _FIT,
        "small_samples": _FIT,
        "clip_fingers": _FIT,
        "log_base": frozenset({"weighted_alpha"}),
        "failed_alpha": _FIT,
        "average": frozenset(),
        "alpha_range": frozenset(),
    }
)
"""Numbers of a matrix that a field can change; a field that is not here can change any."""


def affected_by(fields: Iterable[str], quantities: frozenset[str]) -> frozenset[str]:
    """Numbers, of some, that changing fields can change.

    Spec: AUD-12.

    >>> sorted(affected_by(["entropy", "log_base"], frozenset({"alpha", "entropy"})))
    ['entropy']
    """
    return quantities & frozenset[str]().union(*(AFFECTED.get(f, quantities) for f in fields))
