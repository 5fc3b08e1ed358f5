"""α·log λ_max against the log norm: the PL-norm relation of a model's matrices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.plots.axes import draw_marks, legend_above, set_axis, set_title
from htsr_ref.plots.canvas import drawing
from htsr_ref.plots.of_report import matrix_rows, report_title
from htsr_ref.plots.palette import GRAY, ORANGE, WITHOUT_VERDICT, in_order, mark_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure

    from htsr_ref.reports.report import Report


def relation_figure(report: Report, verdicts: Sequence[str] | None = None) -> Figure:
    """Draw α·log10 λ_max against log10 ‖W‖_F² of every fitted matrix, and the line of MET-11.

    Parameters
    ----------
    report : of the model.
    verdicts : one for every analyzed matrix, in the order of the file; None for none.

    Spec: FIG-2, FIG-6, MET-11.
    """
    rows = matrix_rows(report)
    words = [WITHOUT_VERDICT] * len(rows) if verdicts is None else list(verdicts)
    norm = np.array([row.matrix.log10_frobenius_norm for row in rows], dtype=np.float64) * 2.0
    weighted = np.array([row.matrix.weighted_alpha for row in rows], dtype=np.float64)
    line = report.model.pl_norm_relation
    with drawing(7.0 + 0.33 * len(set(words))) as figure:
        axes = figure.subplots()
        set_axis(axes, "x", "log10 ‖W‖F²", norm)
        set_axis(axes, "y", "α·log10 λmax", weighted)
        for word in in_order(words):
            chosen = np.array([found == word for found in words])
            label = "matrices" if verdicts is None else word
            draw_marks(axes, norm[chosen], weighted[chosen], mark_of(word), label)
        ends = np.array(axes.get_xlim())
        axes.plot(
            ends, ends, ":", color=GRAY, label="the relation: slope 1", scalex=False, scaley=False
        )
        if line is not None:
            r = "" if line.pearson_r is None else f", r = {line.pearson_r:.2f}"
            axes.plot(
                ends,
                line.slope * ends + line.intercept,
                "-",
                color=ORANGE,
                label=f"least squares: slope {line.slope:.2f}{r}",
                scalex=False,
                scaley=False,
            )
        legend_above(axes)
        set_title(figure, report_title(report, "PL-norm relation"))
    return figure
