"""An audit as text for people, as wide as every table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.audits import text
from htsr_ref.text.layout import PROSE_WIDTH, Layout
from htsr_ref.text.table import text_table

if TYPE_CHECKING:
    from htsr_ref.audits.audit_report import AuditReport

MOST_NUMBERS = 40
"""How many numbers that are not reproduced the terminal shows; JSON has all."""


def audit_text(report: AuditReport) -> str:
    """Lay out what an audit found: in words, by layer, by number, and choice by choice."""
    layout = Layout.here()
    sentences = Layout(layout.width or PROSE_WIDTH)
    pieces = [sentences.prose(text.summary(report))]
    pieces.append(
        text_table(
            text.LAYER_HEADER,
            text.layer_rows(report),
            (3, 4, 6),
            flexible=(0, 1, 2, 5),
            layout=layout,
        )
    )
    for header, numbers, right in (
        (text.NUMBER_HEADER, text.number_rows(report), (3, 4, 5)),
        (text.FAULT_HEADER, text.fault_rows(report), (3, 4)),
    ):
        if numbers:
            last = len(header) - 1
            rows = numbers[:MOST_NUMBERS]
            pieces.append(text_table(header, rows, right, flexible=(0, 1, last), layout=layout))
        if len(numbers) > MOST_NUMBERS:
            pieces.append(f"and {len(numbers) - MOST_NUMBERS} numbers more: --json lists them all")
    pieces.append(text_table(text.PATH_HEADER, text.path_rows(report), (1, 2, 3), layout=layout))
    pieces.append(sentences.prose(text.remarks(report)))
    return "\n\n".join(filter(None, pieces)) + "\n"
