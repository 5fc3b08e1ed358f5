"""Which numbers of a matrix a field of a convention can change."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from htsr_ref.conventions import FIELDS
from htsr_ref.metric_table import METRICS

AFFECTED: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        name: frozenset(
            metric
            for metric, row in METRICS.items()
            if metric in field.affects or row.stage in field.affects
        )
        for name, field in FIELDS.items()
        if field.affects is not None
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
