"""An audit as rows and sentences for people, and as Markdown."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from htsr_ref import metrics
from htsr_ref.audits.audit_report import (
    VERDICTS,
    AuditedLayer,
    AuditReport,
    Cell,
    Contributions,
    Found,
)
from htsr_ref.audits.faults import TITLES
from htsr_ref.audits.path import TRACED
from htsr_ref.conventions import DEFAULT
from htsr_ref.reports.markdown import convention_text, escape, number, value_text

LAYER_HEADER = ("layer", "matched by", "verdict", "α theirs", "α ours", "worst column", "by")
NUMBER_HEADER = ("layer", "row", "column", "theirs", "ours", "difference", "verdict")
FAULT_HEADER = ("layer", "row", "column", "theirs", "ours", "known fault of theirs")
PATH_HEADER = ("mean over layers", "α", "λmax", "α·log λmax")

_LARGEST = ("spectral_norm", "lambda_max")
"""Columns that λmax of the path is taken from."""

Rows = list[list[str]]


def layer_rows(report: AuditReport) -> Rows:
    """One row per layer, worst first: its verdict, α, and the column that differs most."""
    layers = sorted(report.layers, key=lambda layer: VERDICTS.index(layer.verdict))
    return [_layer_row(layer) for layer in layers]


def _layer_row(layer: AuditedLayer) -> list[str]:
    alpha = layer.paths["alpha"]
    cells = [
        cell
        for row in layer.rows
        for cell in row.cells
        if cell.difference is not None and cell.fault is None
    ]
    worst = max(cells, key=_relative, default=None)
    return [
        layer.name,
        layer.matched_by or "nothing",
        _verdict(layer),
        number(alpha.theirs, ".6g"),
        number(alpha.ours, ".6g"),
        worst.column if worst is not None and worst.difference else "–",
        number(worst.difference if worst is not None else None, ".2g"),
    ]


def _verdict(layer: AuditedLayer) -> str:
    """Name the faults where they are the worst: they are errors of the tool, not of the table."""
    faults = {cell.fault for row in layer.rows for cell in row.cells} - {None}
    named = f" but for {', '.join(sorted(filter(None, faults)))}" if faults else ""
    best = "reproduced" if layer.verdict == "known fault" else layer.verdict
    explained = any(cell.verdict == "explained" for row in layer.rows for cell in row.cells)
    return ("explained" if best == "reproduced" and explained else best) + named


def _relative(cell: Cell) -> float:
    """Difference relative to our number."""
    if not cell.difference:
        return 0.0
    return cell.difference / abs(cell.ours) if cell.ours else math.inf


def number_rows(report: AuditReport) -> Rows:
    """One row per unexplained number of a matched layer, the largest difference first."""
    found = [item for item in _cells(report) if item[0].verdict == "unexplained"]
    found.sort(key=lambda item: -_relative(item[0]))
    return [
        [*names, *_numbers(cell), number(cell.difference, ".2g"), _with(cell.verdict, reason)]
        for cell, names, reason in found
    ]


def fault_rows(report: AuditReport) -> Rows:
    """One row per number that shows a known fault of the audited tool, and which it is."""
    return [
        [*names, *_numbers(cell), f"{cell.fault}: {TITLES[cell.fault]}"]
        for cell, names, _ in _cells(report)
        if cell.fault is not None
    ]


def _cells(report: AuditReport) -> list[tuple[Cell, list[str], str | None]]:
    """Every number of a matched layer with its layer, its row, and why ours is missing."""
    return [
        (cell, [layer.name, row.label or row.place], row.reason)
        for layer in report.layers
        if layer.matched_by is not None
        for row in layer.rows
        for cell in row.cells
    ]


def _numbers(cell: Cell) -> list[str]:
    theirs = cell.theirs if isinstance(cell.theirs, str) else number(cell.theirs, ".7g")
    return [cell.column, theirs, number(cell.ours, ".7g")]


def _with(verdict: str, reason: str | None) -> str:
    return f"{verdict}: {reason}" if reason else verdict


def path_rows(report: AuditReport) -> Rows:
    """From the default's numbers to theirs: one row per choice that changes any, means over layers.

    Spec: AUD-11.
    """
    path = mean_path(report)
    return [
        [path.start.name, *map(number, path.start.means)],
        *([step.name, *(number(v, "+.3f") for v in step.means)] for step in path.choices),
        ["sum", *map(number, path.ours.means)],
        ["theirs − sum", *(number(value, "+.1e") for value in path.rest.means)],
    ]


@dataclass(frozen=True)
class MeanStep:
    """A choice, or an end of the path, and means over layers of the numbers of `TRACED`."""

    name: str
    means: tuple[float | None, ...]


@dataclass(frozen=True)
class MeanPath:
    """From the default convention's numbers to theirs, means over layers.

    Attributes
    ----------
    start : the numbers at the start.
    choices : what each choice that changes any adds.
    ours : where they lead.
    rest : what is left to theirs; None where the table has no such number.

    Spec: AUD-11.
    """

    start: MeanStep
    choices: tuple[MeanStep, ...]
    ours: MeanStep
    rest: MeanStep


def mean_path(report: AuditReport) -> MeanPath:
    """Average the paths of all layers.

    Spec: AUD-11.
    """
    choices = []
    for place, change in enumerate(report.path):
        added = _means(report, partial(_contribution, place))
        entering = sum(_enters(layer.paths["alpha"], place) for layer in report.layers)
        if any(added) or entering:
            more = f" (+ {entering} layers)" if entering else ""
            choices.append(MeanStep(change_text(change) + more, added))
    return MeanPath(
        MeanStep(DEFAULT, _means(report, lambda path: path.start)),
        tuple(choices),
        MeanStep("ours", _means(report, lambda path: path.ours)),
        MeanStep("theirs", _means(report, lambda path: path.rest)),
    )


def _means(
    report: AuditReport, value: Callable[[Contributions], float | None]
) -> tuple[float | None, ...]:
    """Means, for each number that is followed, over the layers for which it is defined."""
    paths = {name: [layer.paths[name] for layer in report.layers] for name in TRACED}
    return tuple(
        metrics.mean(value(path) for path in several if path.ours is not None).value
        for several in paths.values()
    )


def _contribution(place: int, path: Contributions) -> float:
    return path.contributions[place] or 0.0


def _enters(path: Contributions, place: int) -> bool:
    """Whether this change is what makes a number defined."""
    before, after = path.contributions[: place + 1], path.contributions[place + 1 :]
    return path.ours is not None and before[-1] is None and None not in after


def change_text(change: dict[str, Any]) -> str:
    """Write choices as `--set` reads them.

    >>> change_text({"xmax": "largest", "windows": None})
    'xmax = largest, windows = none'
    """
    return ", ".join(f"{name} = {value_text(value)}" for name, value in change.items())


def summary(report: AuditReport) -> list[str]:
    """Say in sentences what was compared and what came out."""
    counts = report.counts
    claim = "an unknown convention" if report.claimed is None else convention_text(report.claimed)
    total = sum(counts.values())
    told = ", ".join(_told(verdict, count, report) for verdict, count in counts.items())
    lines = [
        f"{report.table}: columns of {report.dialect}, held to {claim}",
        f"{total} numbers of {len(report.layers)} layers: {told}",
    ]
    if counts["reproduced"] or counts["explained"]:
        lines.append(f"what is reproduced agrees to {report.digits} digits or more")
    if all(layer.matched_by is None for layer in report.layers):
        return [*lines, "no row belongs to a layer of the weights: is it the table of this model?"]
    if report.claimed is None or report.explanation.changes:
        lines.append(f"the choices that reproduce most: {found_text(report.explanation)}")
    lines += [f"as good: {found_text(tie)}" for tie in report.ties]
    return lines


def _told(verdict: str, count: int, report: AuditReport) -> str:
    """Say how many numbers have a verdict, and which faults of the tool are among them."""
    if verdict != "known fault":
        return f"{count} {verdict}"
    faults = sorted({cell.fault for cell in report.cells() if cell.fault is not None})
    if not faults:
        return "0 known faults"
    return f"{count} that show known faults of theirs ({', '.join(faults)})"


def found_text(found: Found) -> str:
    """Name a convention and its changes.

    >>> found_text(Found("sdm2020", {"ks": "two-sided"}))
    'sdm2020 with ks = two-sided'
    """
    return f"{found.base} with {change_text(found.changes)}" if found.changes else found.base


def remarks(report: AuditReport) -> list[str]:
    """List what has no partner, with the reason, and what was not compared."""
    lines = [
        f"row without a layer: {layer.name} ({row.place}): {row.reason}"
        for layer in report.layers
        if layer.matched_by is None
        for row in layer.rows
    ]
    lines += [
        f"layer without a row: {': '.join(filter(None, (layer.name, layer.reason)))}"
        for layer in report.layers_alone
    ]
    if any(cell.fault and cell.difference for cell in report.cells() if cell.column in _LARGEST):
        lines.append("theirs − sum, of λmax, is what the known faults of theirs change")
    if report.left_out:
        lines.append(f"columns not compared: {', '.join(report.left_out)}")
    return lines


def to_markdown(report: AuditReport) -> str:
    """Write the tables of an audit, rounded; the exact numbers are in its JSON.

    Spec: AUD-14.
    """
    pieces = [f"# Audit of {escape(report.table)}", _list(summary(report))]
    pieces.append(_table(LAYER_HEADER, layer_rows(report)))
    for header, rows in ((NUMBER_HEADER, number_rows(report)), (FAULT_HEADER, fault_rows(report))):
        if rows:
            pieces.append(_table(header, rows))
    pieces.append(_table(PATH_HEADER, path_rows(report)))
    pieces.append(_list(remarks(report)))
    return "\n\n".join(filter(None, pieces)) + "\n"


def _list(lines: Sequence[str]) -> str:
    return "\n".join(f"- {escape(line)}" for line in lines)


def _table(header: Sequence[str], rows: Rows) -> str:
    cells = [[escape(cell) for cell in row] for row in rows]
    lines = [header, ["---"] * len(header), *cells]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
