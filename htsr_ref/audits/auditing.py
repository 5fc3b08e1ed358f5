"""Checking a table of numbers against the weights that it is said to come from."""

import math
from collections.abc import Callable, Iterator
from functools import partial

from htsr_ref.analysis.planning import plan_layer
from htsr_ref.audits.audit_report import (
    AuditedLayer,
    AuditedRow,
    AuditReport,
    Cell,
    Contributions,
    Found,
    LayerAlone,
    Verdict,
    difference,
)
from htsr_ref.audits.dialects import Dialect
from htsr_ref.audits.faults import CHOICES, fault_of, faulty_choices
from htsr_ref.audits.matching import Matching, Pair, Unmatched, match_layers
from htsr_ref.audits.path import TRACED, Trace, changes_between, trace_layer
from htsr_ref.audits.searching import Candidate, Search, search
from htsr_ref.audits.spectra import SharedSpectra
from htsr_ref.audits.tables import TheirRow, TheirTable
from htsr_ref.audits.verdict import Compared, compare_rows, digits
from htsr_ref.conventions import CONVENTIONS, SDM2020, Convention
from htsr_ref.metrics import mean
from htsr_ref.reports.report import SPEC_VERSION, LayerReport, Source, Tool
from htsr_ref.version import __version__

MOST_CHANGES = 2
"""Greatest number of choices that are changed together in search of an explanation."""


def audit_table(
    spectra: SharedSpectra,
    table: TheirTable,
    convention: Convention | None = None,
    *,
    most: int = MOST_CHANGES,
) -> AuditReport:
    """Compare every number of a table with ours and say why they differ.

    Parameters
    ----------
    spectra : the model; several tables may share it.
    table : somebody else's numbers of it.
    convention : the one to hold the table to; None if it is unknown. If it does not reproduce the
        table, its choices are changed until they do; if it is unknown, those of all shipped ones.
    most : greatest number of changes that are tried together.

    Spec: AUD-4, AUD-7, AUD-8, AUD-10, AUD-12.
    """
    bases = tuple(CONVENTIONS.values()) if convention is None else (convention,)
    weights = spectra.weights
    matching = match_layers(weights, table, bases)
    found = _search(spectra, matching, table.dialect, bases, most)
    final = found.best.convention
    claimed = final if convention is None else convention
    path = changes_between(SDM2020, final)
    layers = []
    for pair in matching.pairs:
        analyze = partial(spectra.layer, pair.place)
        rows = _judge(pair, analyze, table.dialect, claimed, final)
        traces = trace_layer(analyze, SDM2020, path)
        paths = {
            name: _contributions(pair, column, traces[name])
            for name, column in zip(TRACED, table.dialect.traced, strict=True)
        }
        layers.append(AuditedLayer(pair.layer, pair.how, rows, paths))
    layers += [_alone(rows, table.dialect, len(path)) for rows in matching.rows_alone]
    origin = None if weights.source is None else dict(weights.source)
    return AuditReport(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        weights=Source(
            weights.name,
            weights.format,
            weights.sha256(),
            len(weights.layers),
            origin,
            etag=weights.etag(),
        ),
        table=table.name,
        dialect=table.dialect.name,
        claimed=convention,
        convention=final,
        solver=spectra.solver,
        explanation=_found(found.best),
        ties=tuple(map(_found, found.ties)),
        tried=found.tried,
        path=path,
        layers=tuple(layers),
        layers_alone=tuple(
            LayerAlone(weights.layers[place].name, plan_layer(weights.layers[place], final).skipped)
            for place in matching.layers_alone
        ),
        left_out=table.left_out,
        digits=digits(
            (cell.theirs, cell.ours)
            for layer in layers
            for row in layer.rows
            for cell in row.cells
            if cell.verdict in ("reproduced", "explained")
            and isinstance(cell.theirs, float)
            and cell.ours is not None
        ),
    )


def _search(
    spectra: SharedSpectra,
    matching: Matching,
    dialect: Dialect,
    bases: tuple[Convention, ...],
    most: int,
) -> Search:
    """Look for the choices that reproduce the rows; the smallest layers are compared first."""
    if not matching.pairs:
        return Search(Candidate(bases[0], {}), (), 0)
    sizes = [math.prod(layer.shape) for layer in spectra.weights.layers]
    pairs = sorted(matching.pairs, key=lambda pair: sizes[pair.place])
    columns = {column for pair in pairs for row in pair.rows for column in row.cells}

    def compared(convention: Convention) -> Iterator[tuple[Compared, LayerReport]]:
        for pair in pairs:
            layer = spectra.layer(pair.place, convention)
            for row in compare_rows(pair, layer, dialect, convention):
                yield row, layer

    def missed(convention: Convention, limit: float) -> list[str]:
        found: list[str] = []
        for row, layer in compared(convention):
            found += [
                dialect.quantities[column]
                for column in row.row.cells
                if not row.reproduces(column) and fault_of(row, column, layer, dialect) is None
            ]
            if len(found) > limit:
                break
        return found

    def agreement(convention: Convention) -> int:
        return digits(pair for row, _ in compared(convention) for pair in row.reproduced())

    quantities = frozenset(dialect.quantities[column] for column in columns)
    return search(bases, quantities, missed, agreement, most)


def _judge(
    pair: Pair,
    analyze: Callable[[Convention], LayerReport],
    dialect: Dialect,
    claimed: Convention,
    final: Convention,
) -> tuple[AuditedRow, ...]:
    """Find the verdict of every number of a layer.

    Spec: AUD-8.
    """

    def compared(convention: Convention) -> tuple[Compared, ...]:
        return compare_rows(pair, analyze(convention), dialect, convention)

    layer = analyze(final)
    before = compared(claimed)
    repaired = {fault: compared(right) for fault, right in faulty_choices(final, dialect).items()}
    rows = []
    for i, row in enumerate(compare_rows(pair, layer, dialect, final)):
        cells = []
        for column in row.row.cells:
            fault = fault_of(row, column, layer, dialect)
            verdict: Verdict = "unexplained"
            if row.reproduces(column):
                verdict = "reproduced" if before[i].reproduces(column) else "explained"
                changed = (f for f, right in repaired.items() if not right[i].reproduces(column))
                fault = fault or next(
                    (f for f in changed if dialect.quantities[column] in CHOICES[f].quantities),
                    None,
                )
            cells.append(_cell(row, column, verdict if fault is None else "known fault", fault))
        rows.append(AuditedRow(row.row.place, row.label, row.reason, tuple(cells)))
    return tuple(rows)


def _cell(row: Compared, column: str, verdict: Verdict, fault: str | None) -> Cell:
    value = row.row.cells[column].value
    ours = None if row.ours is None else row.ours[column]
    theirs = value if value is None or math.isfinite(value) else str(value)
    return Cell(column, theirs, ours, difference(value, ours), verdict, fault)


def _alone(unmatched: Unmatched, dialect: Dialect, changes: int) -> AuditedLayer:
    """Rows without a layer: we have no numbers to compare with theirs.

    Spec: AUD-5.
    """
    rows = []
    for row in unmatched.rows:
        compared = Compared(row, "", None, unmatched.reason, {})
        cells = [_cell(compared, column, "unexplained", None) for column in row.cells]
        rows.append(AuditedRow(row.place, "", unmatched.reason, tuple(cells)))
    paths = {
        name: Contributions(None, (None,) * changes, None, _mean(unmatched.rows, column), None)
        for name, column in zip(TRACED, dialect.traced, strict=True)
    }
    return AuditedLayer(unmatched.name, None, tuple(rows), paths)


def _mean(rows: tuple[TheirRow, ...], column: str) -> float | None:
    """Mean of the numbers that the table has for a layer."""
    values = [row.cells[column].value for row in rows if column in row.cells]
    numbers = [value for value in values if value is not None and math.isfinite(value)]
    return mean(numbers).value


def _contributions(pair: Pair, column: str, trace: Trace) -> Contributions:
    """Put theirs at the end of a path.

    Spec: AUD-11.
    """
    theirs = _mean(pair.rows, column)
    rest = None if theirs is None or trace.end is None else theirs - trace.end
    return Contributions(trace.start, trace.contributions, trace.end, theirs, rest)


def _found(candidate: Candidate) -> Found:
    return Found(candidate.base.name, dict(candidate.changes))
