"""A report as an HTML table, as notebooks show it."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from htsr_ref.reports.judgments import verdict_text
from htsr_ref.reports.markdown import (
    MODEL_HEADER,
    convention_text,
    layer_numbers,
    model_rows,
    remarks,
)
from htsr_ref.text.lines import count, printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.reports.report import LayerReport, Report

MOST_ROWS = 60
"""Layers that are shown; of more, the first and the last half of so many."""

HEADER = ("layer", "matrices", "α", "D", "α·log10 λmax", "log10 ‖W‖F", "stable rank", "verdict")


def to_html(report: Report) -> str:
    """Write a rounded table of a report; the exact numbers are in its JSON.

    Spec: FIG-9.
    """
    head = f"{report.source.title}; convention {convention_text(report.convention)}"
    layers = [_row(layer) for layer in report.analyzed()]
    if len(layers) > MOST_ROWS:
        half = MOST_ROWS // 2
        between = f"… {len(layers) - 2 * half} more"
        layers = [*layers[:half], [between, *[""] * (len(HEADER) - 1)], *layers[-half:]]
    skipped = len(report.layers) - len(report.analyzed())
    notes = [f"{count(skipped, 'tensor')} left out"] if skipped else []
    notes += remarks(report)
    return "\n".join(
        [
            f"<div><p><b>{text(head)}</b></p>",
            _table(MODEL_HEADER, model_rows(report)),
            _table(HEADER, layers),
            *(f"<p>{text(note)}</p>" for note in notes[:MOST_ROWS]),
            "</div>",
        ]
    )


def text(name: str) -> str:
    r"""Escape a text that a stranger may have written, and what does not print.

    >>> text("<b>\u202e")
    '&lt;b&gt;�'
    """
    return escape(printable(name))


def _row(layer: LayerReport) -> list[str]:
    return [layer.name, str(len(layer.matrices)), *layer_numbers(layer), verdict_text(layer)]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{text(cell)}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{text(first)}</th>'
        + "".join(f"<td>{text(cell)}</td>" for cell in cells)
        + "</tr>\n"
        for first, *cells in rows
    )
    return f"<table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}</tbody></table>"
