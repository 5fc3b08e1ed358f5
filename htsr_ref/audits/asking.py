"""`audit`: somebody else's table held against the weights, from files to the verdict."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.audits.auditing import MOST_CHANGES, audit_table
from htsr_ref.audits.spectra import SharedSpectra
from htsr_ref.audits.tables import TheirTable, read_table
from htsr_ref.conventions import Convention, get_convention
from htsr_ref.machine.blas import blas_threads
from htsr_ref.spectra.cache import opened_cache
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from htsr_ref.audits.audit_report import AuditReport
    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource

UNKNOWN = "unknown"
"""What stands for a convention that the table does not claim."""


def audit(
    source: WeightSource | Weights,
    theirs: str | os.PathLike[str],
    convention: Convention | str | None = None,
    *,
    columns: Mapping[str, str] | None = None,
    changes: int = MOST_CHANGES,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice | None = None,
    cache: Cache | None = None,
) -> AuditReport:
    """Say which convention reproduces somebody else's table, and why it differs from the paper's.

    Parameters
    ----------
    source, layers, include, exclude : the weights, as for `analyze`.
    theirs : WeightWatcher's details as CSV, a report of ours (JSON or CSV), or any CSV file.
    convention : the choices that they claim to have made; "unknown" tries all. If None, those of
        the tool that writes such columns, or of the report.
    columns : what columns of any CSV file are, such as {"my alpha": "alpha"}.
    changes : greatest number of choices to change together in search of an explanation.
    solver : "gram", "svd" or "auto"; if None that of a report of ours, else "auto".
    cache : as for `analyze`.

    Raises
    ------
    HtsrError
        The weights or the table cannot be read.

    Spec: AUD-1, AUD-2, AUD-4, AUD-7, AUD-8, AUD-10, AUD-12, SCL-2, SCL-20.
    """
    table = read_table(theirs, columns)
    weights = asked_weights(source, layers=layers, include=include, exclude=exclude)
    claimed = _claimed(convention, table)
    with blas_threads(1), opened_cache(cache) as opened:
        spectra = SharedSpectra(weights, solver or table.solver or "auto", opened)
        return audit_table(spectra, table, claimed, most=changes)


def _claimed(convention: Convention | str | None, table: TheirTable) -> Convention | None:
    if convention == UNKNOWN:
        return None
    if convention is not None:
        return get_convention(convention)
    if table.convention is not None:
        return table.convention
    name = table.dialect.convention
    return None if name is None else get_convention(name)
