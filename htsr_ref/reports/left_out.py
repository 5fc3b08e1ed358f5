"""What was left out of an analysis, and warnings: lines that repeat themselves are put together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from htsr_ref.text.cells import middle_cut, printed
from htsr_ref.text.lines import count
from htsr_ref.weights.meaning.roles import MATRIX_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from htsr_ref.reports.report import LayerReport, Report
    from htsr_ref.text.layout import Layout

MOST_NAMES = 3
"""Layers that are named for one reason on a terminal."""

LONGEST_NAME = 60
"""Cells of a name in a sentence on a terminal."""

_ALONE = {"bad-data": "bad data", "memory": "too large", "not-understood": "not understood"}
"""Reasons that are said of every layer by itself: a number that was asked for is missing."""


def skipped_lines(report: Report, layout: Layout, *, listed: bool = False) -> list[str]:
    """List the layers a user may miss, and count the others.

    On a terminal layers that share a reason are put together.

    Parameters
    ----------
    report, layout : what was left out, and where that is said.
    listed : whether every tensor gets a line of its own.

    Spec: RPT-3, RPT-12.
    """
    lines: list[str] = []
    groups: dict[str, list[LayerReport]] = {}
    others = []
    for layer in report.layers:
        if layer.skip_code is None:
            continue
        if layer.skip_code == "left-out" and layer.role not in MATRIX_ROLES:
            others.append(layer)
        elif layer.skip_code in _ALONE:
            lines.append(f"{_ALONE[layer.skip_code]}: {layer.fault}")
        else:
            groups.setdefault(_shared_reason(layer), []).append(layer)
    for reason, layers in groups.items():
        if len(layers) == 1 or listed or layout.width is None:
            lines += [f"skipped: {layer.name}: {layer.skipped}{_cure(layer)}" for layer in layers]
        else:
            names = [layer.name for layer in layers]
            lines.append(
                f"skipped: {len(layers)} layers: {reason}{_cure(*layers)}: "
                f"{names_text(names, layout)}"
            )
    if listed:
        lines += [f"left out: {layer.name}: {layer.skipped}" for layer in others]
    elif others:
        lines.append(
            f"left out: {count(len(others), 'tensor')} (biases, norms, …): "
            "`htsr describe` lists each with its reason"
        )
    return lines


def _shared_reason(layer: LayerReport) -> str:
    """Why a layer was skipped, without its own size."""
    return re.sub(r"^min\(N, M\) = \d+ is ", "", layer.skipped or "")


def _cure(*layers: LayerReport) -> str:
    if layers[0].skip_code != "min-dim":
        return ""
    return f" (--set min_dim=0 analyzes {'it' if len(layers) == 1 else 'them'})"


def names_text(names: Sequence[str], layout: Layout) -> str:
    """Name the layers that share a reason: all of them, on a terminal the first few.

    Spec: RPT-12.
    """
    if layout.width is None or len(names) <= MOST_NAMES:
        return ", ".join(names)
    first = ", ".join(middle_cut(printed(name), LONGEST_NAME) for name in names[:MOST_NAMES])
    return f"{first} and {len(names) - MOST_NAMES} more; --skipped lists them"


def warning_lines(
    remarks: Iterable[tuple[str, str]], layout: Layout, *, listed: bool = False
) -> list[str]:
    """Write warnings, one a line; on a terminal one for many that differ in numbers only.

    Parameters
    ----------
    remarks : names of layers, empty for what concerns all of them, and what is said of each.
    layout, listed : as of `skipped_lines`.

    Spec: RPT-5, RPT-12.
    """
    groups: dict[str, list[str]] = {}
    for name, text in remarks:
        whole = f"{name}: {text}" if name else text
        kind = re.sub(r"[0-9.]+", "#", text) if name else whole
        groups.setdefault(kind, []).append(whole)
    lines = []
    for found in groups.values():
        if listed or layout.width is None or len(found) <= MOST_NAMES:
            lines += [f"warning: {text}" for text in found]
        else:
            lines.append(
                f"warning: {found[0]}; {len(found) - 1} more of this kind: --skipped lists them"
            )
    return lines
