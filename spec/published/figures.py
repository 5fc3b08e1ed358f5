# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref[plot]"]
# ///
"""Figures of README.md, drawn from the published tables beside this file.

densenet.svg    accuracy against alpha-hat, with the labels of the files and with the right ones
matrices.svg    the exponents of 6,993 matrices, and the PL-norm relation over them

uv run figures.py    # 2 s
"""

import csv
import gzip
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes

from htsr_ref.models.trends import fit_trend
from htsr_ref.plots import BLUE, ORANGE, new_figure, save_figure

FOLDER = Path(__file__).parent
LABELED = {
    "densenet121": "densenet121",
    "densenet161": "densenet169",
    "densenet169": "densenet201",
    "densenet201": "densenet161",
}
"""Model -> label under which the files of NatComm 2021 hold its matrices."""


def densenet() -> None:
    """Draw the DenseNet series twice."""
    with (FOLDER / "natcomm2021" / "models.csv").open(encoding="utf-8") as file:
        rows = {row["model"]: row for row in csv.DictReader(file) if row["series"] == "DenseNet"}
    accuracy = [100 - float(rows[model]["top1_error"]) for model in LABELED]
    figure = new_figure(8.4, 3.6)
    left, right = figure.subplots(1, 2, sharex=True, sharey=True)
    _draw_series(left, "labels of the files", [rows[model] for model in LABELED], accuracy)
    _draw_series(right, "labels by shape", [rows[label] for label in LABELED.values()], accuracy)
    left.set_ylabel("top-1 accuracy, %")
    save_figure(figure, FOLDER / "densenet.svg")


def _draw_series(axes: Axes, title: str, rows: list[dict[str, str]], accuracy: list[float]) -> None:
    x = [float(row["mean_alpha_weighted"]) for row in rows]
    trend = fit_trend(x, accuracy)
    axes.plot(x, accuracy, "o", color=BLUE)
    for model, place in zip(LABELED, zip(x, accuracy, strict=True), strict=True):
        axes.annotate(model.removeprefix("densenet"), place, (6, 4), textcoords="offset points")
    ends = np.array([min(x), max(x)])
    axes.plot(ends, trend.intercept + trend.slope * ends, color=ORANGE)
    axes.set_title(
        f"{title}: R² = {trend.r_squared:.2f}, τ = {trend.kendall.value:.2f}", fontsize="medium"
    )
    axes.set_xlabel("α̂")
    axes.spines[["top", "right"]].set_visible(False)


def matrices() -> None:
    """Draw the distribution of α and the PL-norm relation."""
    with gzip.open(FOLDER / "natcomm2021" / "slices.csv.gz", "rt", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    alpha, log_norm, weighted = (
        np.array([float(row[name]) for row in rows])
        for name in ("alpha", "log10_frobenius_norm", "alpha_weighted")
    )
    figure = new_figure(8.4, 3.6)
    left, right = figure.subplots(1, 2)
    left.axvspan(2, 4, color="0.9", label=f"2 < α < 4: {np.mean((alpha > 2) & (alpha < 4)):.1%}")
    left.hist(alpha, np.arange(1, 18, 0.25), color=BLUE)
    left.set_xlabel("α")
    left.set_ylabel("matrices")
    right.hexbin(2 * log_norm, weighted, gridsize=20, bins="log", cmap="Blues")
    slope, intercept = np.polyfit(2 * log_norm, weighted, 1)
    ends = np.array([2 * log_norm.min(), 2 * log_norm.max()])
    right.plot(ends, intercept + slope * ends, color=ORANGE, label=f"fit, slope {slope:.2f}")
    right.plot(ends, ends, color="0.4", linestyle=":", label="relation, slope 1")
    right.set_xlabel("log10 ‖W‖_F²")
    right.set_ylabel("α·log10 λ_max")
    for axes in (left, right):
        axes.legend(frameon=False, fontsize="small")
        axes.spines[["top", "right"]].set_visible(False)
    save_figure(figure, FOLDER / "matrices.svg")


if __name__ == "__main__":
    densenet()
    matrices()
