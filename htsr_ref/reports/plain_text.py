"""Tables for people: plain text, at most 100 characters wide."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.reports.judgments import (
    LEGEND,
    TEST_HEADER,
    VERDICT_HEADER,
    test_rows,
    verdict_rows,
)
from htsr_ref.reports.markdown import (
    NULL_HEADER,
    convention_text,
    model_rows,
    null_rows,
    number,
    phase_text,
    remarks,
)
from htsr_ref.text.lines import count, middle_cut, one_line, shorten
from htsr_ref.weights.meaning.roles import MATRIX_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.reports.blocks import Block
    from htsr_ref.reports.report import LayerReport, Report

WIDTH = 100


def text_table(
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    right: Sequence[int] = (),
    flexible: Sequence[int] = (0,),
) -> str:
    """Lay out a table at most `WIDTH` wide.

    Parameters
    ----------
    header, rows : the cells.
    right : columns aligned right; the others are aligned left.
    flexible : columns that give way, widest first, so that the others stay in sight.

    >>> print(text_table(["a", "n"], [["x", "10"]], right=[1]))
    a   n
    ─────
    x  10
    """
    cells = [[one_line(cell) for cell in row] for row in (header, *rows)]
    widths = [min(WIDTH, max(map(len, column))) for column in zip(*cells, strict=True)]
    gaps = 2 * (len(widths) - 1)
    while sum(widths) + gaps > WIDTH:
        widths[max(flexible, key=widths.__getitem__)] -= 1

    def line(row: Sequence[str]) -> str:
        cut = [shorten(row[0], widths[0]), *map(middle_cut, row[1:], widths[1:])]
        return "  ".join(
            cell.rjust(width) if i in right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(cut, widths, strict=True))
        ).rstrip()

    return "\n".join([line(cells[0]), "─" * (sum(widths) + gaps), *map(line, cells[1:])])


def blocks_text(blocks: Sequence[Block]) -> str:
    """Lay out tables and lines, an empty line between them."""
    from htsr_ref.reports.blocks import Table, without_empty

    pieces = [
        text_table(block.header, block.rows, block.right)
        if isinstance(block, Table)
        else "\n".join(map(one_line, block.texts))
        for block in without_empty(blocks)
    ]
    return "\n\n".join(pieces) + "\n"


def report_table(report: Report) -> str:
    """Lay out a report: a row per layer, the model's numbers, what was skipped, warnings."""
    source = report.source
    analyzed = report.analyzed()
    pieces = [
        one_line(
            f"{source.title}: {source.format}, {count(source.tensors, 'tensor')}; "
            f"convention {convention_text(report.convention)}"
        )
    ]
    if analyzed:
        tested = any(matrix.p_value is not None for row in analyzed for matrix in row.matrices)
        header = [*_HEADER, "p"] if tested else _HEADER
        rows = [_row(layer)[: len(header)] for layer in analyzed]
        pieces += [text_table(header, rows, range(2, 11), flexible=(0, 1)), _model(report)]
        judged = verdict_rows(report)
        if judged:
            pieces.append(text_table(VERDICT_HEADER, judged, flexible=(0, 1, 2)))
        said = test_rows(report)
        if said:
            pieces.append(text_table(TEST_HEADER, said))
        shuffled = null_rows(report)
        if shuffled:
            pieces.append(text_table(NULL_HEADER, shuffled, range(2, 6), flexible=(0, 1)))
        pieces.append("\n".join(LEGEND))
    else:
        pieces.append("no weight matrix was analyzed: `htsr describe` says what the file holds")
    pieces += ["\n".join(_skipped(report)), warning_lines(remarks(report))]
    return "\n\n".join(filter(None, pieces)) + "\n"


_HEADER = (
    "layer",
    "N×M",
    "alpha",
    "±",
    "D",
    "tail",
    "α·log λmax",
    "log‖W‖F",
    "stable rank",
    "ξ",
)


def _row(layer: LayerReport) -> list[str]:
    means = layer.means or {}
    only = layer.matrices[0] if len(layer.matrices) == 1 else None
    extreme = only.extreme_value if only else None
    return [
        layer.name,
        _shapes(layer),
        number(means["alpha"]),
        number(only.alpha_stderr if only else None),
        number(means["ks_distance"]),
        number(means["tail_size"], ".0f"),
        number(means["weighted_alpha"]),
        number(means["log10_frobenius_norm"]),
        number(means["stable_rank"], ".1f"),
        number(extreme.xi if extreme else None, ".2f"),
        number(only.p_value if only else None),
    ]


def _shapes(layer: LayerReport) -> str:
    """Sizes of a layer's matrices: "64×48", "9 of 64×48", or "3 up to 64×48"."""
    shapes = {(matrix.N, matrix.M) for matrix in layer.matrices}
    largest = "×".join(map(str, max(shapes)))
    if len(layer.matrices) == 1:
        return largest
    return f"{len(layer.matrices)} {'of' if len(shapes) == 1 else 'up to'} {largest}"


def _model(report: Report) -> str:
    lines = [text_table(["model", "mean", "over"], model_rows(report), right=[1])]
    phases = phase_text(report)
    if phases:
        lines.append(phases)
    line = report.model.pl_norm_relation
    if line is not None:
        lines.append(
            f"α·log λmax on log‖W‖F² (pl_norm_relation): slope {number(line.slope)}, "
            f"intercept {number(line.intercept)}, r {number(line.pearson_r)}"
        )
    return "\n".join(lines)


def _skipped(report: Report) -> list[str]:
    """List the layers a user may miss; biases and norms are only counted.

    Spec: RPT-3.
    """
    lines, others = [], 0
    for layer in report.layers:
        if layer.skip_code == "left-out" and layer.role not in MATRIX_ROLES:
            others += 1
        elif layer.skip_code is not None:
            lines.append(one_line(_skip_line(layer)))
    if others:
        lines.append(
            f"left out: {count(others, 'tensor')} (biases, norms, …): "
            "`htsr describe` lists each with its reason"
        )
    return lines


def _skip_line(layer: LayerReport) -> str:
    if layer.skip_code == "bad-data":
        return f"bad data: {layer.skipped}"
    if layer.skip_code == "memory":
        return f"too large: {layer.skipped}"
    if layer.skip_code == "not-understood":
        return f"not understood: {layer.name}: {layer.skipped}"
    cure = " (--set min_dim=0 analyzes it)" if layer.skip_code == "min-dim" else ""
    return f"skipped: {layer.name}: {layer.skipped}{cure}"


def warning_lines(texts: Sequence[str]) -> str:
    """Write warnings, one a line."""
    return "\n".join(f"warning: {one_line(text)}" for text in texts)
