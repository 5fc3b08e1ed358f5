"""A report as text for people: Markdown, and the sentences that every such text needs."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from htsr_ref import metrics
from htsr_ref.conventions import Convention
from htsr_ref.conventions.names import current_name
from htsr_ref.reports.judgments import (
    LEGEND,
    TEST_HEADER,
    VERDICT_HEADER,
    remarks_on_alpha,
    test_rows,
    verdict_rows,
)
from htsr_ref.reports.report import LayerReport, Report
from htsr_ref.text.lines import printable

MODEL_HEADER = ("model", "mean", "over")
HEADER = ("layer", "role", "matrices", "alpha", "D", "α·log10 λmax", "log10 ‖W‖F", "stable rank")
SKIPPED_HEADER = ("not analyzed", "reason")


def to_markdown(report: Report) -> str:
    """Write a rounded table of a report; the exact numbers are in its JSON.

    Spec: RPT-6.
    """
    made_by = f"{report.tool.name} {report.tool.version}, specification {report.spec_version}"
    lines = [
        f"# HT-SR report: {escape(report.source.title)}",
        "",
        f"Convention {convention_text(report.convention)}; {made_by}. "
        "Rounded for reading; the JSON report holds the exact numbers.",
        "",
        *markdown_table(MODEL_HEADER, model_rows(report)),
        *markdown_table(HEADER, [_row(layer) for layer in report.analyzed()]),
        *([phases, ""] if (phases := phase_text(report)) else []),
        *_if_any(VERDICT_HEADER, verdict_rows(report)),
        *_if_any(TEST_HEADER, test_rows(report)),
        *_if_any(NULL_HEADER, null_rows(report)),
    ]
    if report.analyzed():
        lines += [*(f"- {escape(text)}" for text in LEGEND), ""]
    skipped = [(layer.name, layer.skipped) for layer in report.layers if layer.skipped is not None]
    lines += _if_any(SKIPPED_HEADER, skipped)
    lines += _if_any(("warnings",), [(text,) for text in remarks(report)])
    return "\n".join(lines)


def _if_any(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table that has rows."""
    return markdown_table(header, rows) if rows else []


def markdown_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lay out a table whose cells may hold what strangers wrote, with an empty line after it."""
    return [
        f"| {' | '.join(header)} |",
        "|" + "---|" * len(header),
        *(f"| {' | '.join(map(escape, row))} |" for row in rows),
        "",
    ]


def convention_text(convention: Convention) -> str:
    """Name a convention, with the choices in which it departs from the shipped one.

    A shipped convention that an earlier report calls by another name keeps it, and today's name
    and departures stand beside it.

    Spec: RPT-9, CNV-22.

    >>> from htsr_ref.conventions import SDM2020
    >>> convention_text(SDM2020.override({"min_dim": 0}))
    'sdm2020 with min_dim = 0'
    >>> convention_text(replace(SDM2020, name="paper-code"))
    'paper-code (now sdm2020)'
    """
    current = current_name(convention.name)
    if current is not None:
        today = replace(convention, name=current).override({})
        return f"{convention.name} (now {convention_text(today)})"
    changed = ", ".join(
        f"{name} = {value_text(getattr(convention, name))}" for name in convention.overrides
    )
    return f"{convention.name} with {changed}" if changed else convention.name


def value_text(value: Any) -> str:
    """Write a field's value as `--set` reads it.

    >>> value_text(("weight", "embedding")), value_text(None)
    ('weight,embedding', 'none')
    """
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return "none" if value is None else str(value)


def model_rows(report: Report) -> list[tuple[str, str, str]]:
    """Name, rounded value and size of each of the model's means."""
    model, unit = report.model, report.convention.average
    total = model.matrices if unit == "matrices" else model.layers
    return [
        (name, number(getattr(model, name)), f"{count} of {total} {unit}")
        for name, count in model.counts.items()
    ]


def phase_text(report: Report) -> str:
    """Count the matrices in each phase; empty if none has one.

    Spec: RMT-37.
    """
    layers = report.analyzed()
    counts = Counter(m.phase for layer in layers for m in layer.matrices if m.phase is not None)
    listed = ", ".join(f"{count} {phase}" for phase, count in counts.most_common())
    return f"phases of the matrices: {listed}" if listed else ""


NULL_HEADER = ("shuffled", "verdict", "λmax", "shuffled λmax", "alpha", "shuffled alpha")


def null_rows(report: Report) -> list[list[str]]:
    """Verdicts of the shuffle test, and means over a layer's matrices; none if it was not made.

    Spec: RMT-66.
    """
    rows = []
    for layer in report.analyzed():
        pairs = [(m, m.null_model) for m in layer.matrices if m.null_model is not None]
        if pairs:
            verdicts = Counter(null.verdict for _, null in pairs).most_common()
            only = len(pairs) == 1
            means = (
                metrics.mean(m.lambda_max for m, _ in pairs),
                metrics.mean(null.lambda_max for _, null in pairs),
                metrics.mean(m.alpha for m, _ in pairs),
                metrics.mean(null.alpha for _, null in pairs),
            )
            text = ", ".join(verdict if only else f"{n} {verdict}" for verdict, n in verdicts)
            rows.append([layer.name, text, *(number(mean.value, ".3g") for mean in means)])
    return rows


def remarks(report: Report) -> list[str]:
    """Warnings, and why an alpha is missing: one line for each kind of remark on a layer.

    Spec: RPT-5.
    """
    return [f"{name}: {text}" if name else text for name, text in named_remarks(report)]


def named_remarks(report: Report) -> list[tuple[str, str]]:
    """Remarks beside the names of the layers that they are on, empty for the whole file.

    Spec: RPT-5.
    """
    found = [("", text) for text in report.warnings]
    for layer in report.layers:
        missing = [
            f"no alpha: {m.alpha_null_reason}" for m in layer.matrices if m.alpha_null_reason
        ]
        texts = [
            *layer.warnings,
            *_of_matrices(layer, [text for m in layer.matrices for text in m.warnings[:1]]),
            *_of_matrices(layer, missing),
            *_of_matrices(layer, remarks_on_alpha(layer)),
        ]
        found += [(layer.name, text) for text in texts]
    return found


def number(value: float | None, spec: str = ".3f") -> str:
    """Format a number in at most ten characters; an undefined one is a dash.

    >>> number(2.0), number(-1.5e12), number(None)
    ('2.000', '-1.50e+12', '–')
    """
    if value is None:
        return "–"
    text = format(value, spec)
    return text if len(text) <= 10 else f"{value:.2e}"


def _of_matrices(layer: LayerReport, found: list[str]) -> list[str]:
    if not found:
        return []
    if len(layer.matrices) == 1:
        return found[:1]
    return [f"{len(found)} of {len(layer.matrices)} matrices, such as: {found[0]}"]


def _row(layer: LayerReport) -> list[str]:
    return [layer.name, layer.role, str(len(layer.matrices)), *layer_numbers(layer)]


def layer_numbers(layer: LayerReport) -> list[str]:
    """Write the means of a layer that every table shows: α, D, α·log λ_max, ‖W‖_F, stable rank."""
    means = layer.means or {}
    names = ("alpha", "ks_distance", "weighted_alpha", "log10_frobenius_norm", "stable_rank")
    return [number(means[name]) for name in names]


def escape(text: str) -> str:
    r"""Take from a name that a stranger gave its meaning in Markdown, and what does not print.

    >>> print(escape("fc_1|<b>*__init__"))
    fc_1\|\<b\>\*\_\_init\_\_
    """
    return re.sub(r"[\\|<>`*\[&#~]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", printable(text))
