"""Figures; needs matplotlib (the extra `plot`), imported on demand.

Functions take data and return a figure of matplotlib; they set nothing that outlives them.
"""

from htsr_ref.plots.canvas import drawing, save_figure
from htsr_ref.plots.course import course_figure
from htsr_ref.plots.density import density_figure
from htsr_ref.plots.depth import alpha_by_depth, difference_figure
from htsr_ref.plots.folder import matrix_figure, model_figures, write_figures
from htsr_ref.plots.layer import layer_figure
from htsr_ref.plots.names import title_lines
from htsr_ref.plots.palette import BLUE, ORANGE
from htsr_ref.plots.relation import relation_figure
from htsr_ref.plots.ridges import ridge_figure
from htsr_ref.plots.survival import shuffled_figure, survival_figure
from htsr_ref.plots.tails import tail_figure
from htsr_ref.plots.thresholds import threshold_figure
from htsr_ref.plots.trends import trend_figure
from htsr_ref.plots.waterfall import waterfall_figure

__all__ = [
    "BLUE",
    "ORANGE",
    "alpha_by_depth",
    "course_figure",
    "density_figure",
    "difference_figure",
    "drawing",
    "layer_figure",
    "matrix_figure",
    "model_figures",
    "relation_figure",
    "ridge_figure",
    "save_figure",
    "shuffled_figure",
    "survival_figure",
    "tail_figure",
    "threshold_figure",
    "title_lines",
    "trend_figure",
    "waterfall_figure",
    "write_figures",
]
