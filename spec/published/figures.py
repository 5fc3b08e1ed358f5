# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "htsr-ref[plot]"]
# ///
"""Figures of README.md, drawn from the published tables beside this file.

densenet.svg    accuracy against alpha-hat, with the labels of the files and with the right ones
exponents.svg   the exponents of 6,993 matrices, and the norm against the exponent
relation.svg    the PL-norm relation over them, with 1/N and without
series.svg      accuracy against the printed alpha-hat, series by series
taylor.svg      log N / log lambda_max of Pareto matrices, and its Taylor expansion
vgg.svg         accuracy against the mean log norm and against alpha-hat, for eight VGGs
vgg11.svg       the matrices of VGG11: norm against exponent, and the PL-norm relation

uv run figures.py    # 5 s
"""

import csv

import numpy as np
from matplotlib.axes import Axes
from published_tables import FILED_UNDER, FOLDER, Array, Matrices, read_matrices, read_table

from htsr_ref.metrics import pl_norm_relation
from htsr_ref.models.trends import fit_trend
from htsr_ref.plots import BLUE, ORANGE, drawing, save_figure

LOG_NORM = "log10 ‖W‖_F²"
WEIGHTED = "α·log10 λ_max"


def densenet() -> None:
    """Draw the DenseNet series twice."""
    rows = {row["model"]: row for row in read_table("natcomm2021/models.csv")}
    accuracy = np.array([100 - float(rows[model]["top1_error"]) for model in FILED_UNDER])
    with drawing(6.9, 16.0) as figure:
        panels = figure.subplots(1, 2, sharex=True, sharey=True)
        names = [model.removeprefix("densenet") for model in FILED_UNDER]
        for axes, title, labels in zip(
            panels,
            ("labels of the files", "labels by shape"),
            (list(FILED_UNDER), list(FILED_UNDER.values())),
            strict=True,
        ):
            x = np.array([float(rows[label]["mean_alpha_weighted"]) for label in labels])
            _draw_series(axes, title, x, accuracy, names)
            axes.set_xlabel("α̂, scaled as in the published run")
        panels[0].set_ylabel("top-1 accuracy, %")
    save_figure(figure, FOLDER / "densenet.svg")


def vgg(matrices: Matrices) -> None:
    """Draw the accuracies that SDM 2020 prints against what the matrices give."""
    rows = [row for row in read_table("sdm2020/models.csv") if row["series"] == "VGG"]
    accuracy = np.array([float(row["top1_accuracy"]) for row in rows])
    chosen = [matrices.of("VGG", row["model"]) for row in rows]
    names = [row["model"].removeprefix("vgg") for row in rows]
    with drawing(6.9, 16.0) as figure:
        panels = figure.subplots(1, 2, sharey=True)
        for axes, label, values in zip(
            panels,
            ("⟨log10 ‖W‖_F⟩", "α̂, λ of WᵀW"),
            (matrices.log_norm, matrices.weighted("none")),
            strict=True,
        ):
            x = np.array([values[where].mean() for where in chosen])
            _draw_series(axes, "VGG", x, accuracy, names)
            axes.set_xlabel(label)
        panels[0].set_ylabel("top-1 accuracy, %")
    save_figure(figure, FOLDER / "vgg.svg")


def series() -> None:
    """Draw every series of SDM 2020."""
    rows = read_table("sdm2020/models.csv")
    names = list(dict.fromkeys(row["series"] for row in rows))
    with drawing(12.2, 19.0) as figure:
        panels = figure.subplots(3, 5)
        for axes, name in zip(panels.flat, names, strict=False):
            of_series = [row for row in rows if row["series"] == name]
            x, y = (
                np.array([float(row[column]) for row in of_series])
                for column in ("alpha_hat", "top1_accuracy")
            )
            _draw_series(axes, name, x, y, [])
        for axes in panels.flat[len(names) :]:
            axes.axis("off")
        figure.supxlabel("α̂ as printed", fontsize="medium")
        figure.supylabel("top-1 accuracy, %", fontsize="medium")
    save_figure(figure, FOLDER / "series.svg")


def _draw_series(axes: Axes, title: str, x: Array, y: Array, names: list[str]) -> None:
    axes.plot(x, y, "o", color=BLUE, markersize=4)
    for name, place in zip(names, zip(x, y, strict=True), strict=False):
        below = name.endswith("_bn")  # Of two neighbors one would hide the other's name.
        offset = (-6, -11) if below else (5, 3)
        axes.annotate(name, place, offset, textcoords="offset points", fontsize="small")
    slope, intercept = np.polyfit(x, y, 1)
    ends = np.array([x.min(), x.max()])
    axes.plot(ends, intercept + slope * ends, color=ORANGE)
    worth = f": {len(x)} models"
    if len(x) > 2:
        trend = fit_trend(x, y, resamples=10)
        if trend.r_squared is not None and trend.kendall is not None:
            worth = f": R² = {trend.r_squared:.2f}, τ = {trend.kendall.value:.2f}"
    axes.set_title(title + worth, fontsize="medium" if names else "small")
    axes.margins(x=0.12)


def exponents(matrices: Matrices) -> None:
    """Draw the distribution of α, and the norm of matrices of like α."""
    alpha, log_norm = matrices.alpha, 2 * matrices.log_norm
    with drawing(6.9, 16.0) as figure:
        left, right = figure.subplots(1, 2)
        left.axvspan(
            2, 4, color="0.9", label=f"2 < α < 4: {np.mean((alpha > 2) & (alpha < 4)):.1%}"
        )
        left.hist(alpha, np.arange(1, 18, 0.25), color=BLUE)
        left.set_xlabel("α")
        left.set_ylabel("matrices")
        left.set_title(f"{len(alpha):,} matrices of 40 models", fontsize="medium")
        edges = np.append(np.arange(1.5, 6.1, 0.5), 18)
        for name, where, color in (
            ("all", np.full(alpha.shape, True), BLUE),
            ("without GPT-2", matrices.series != "GPT2", ORANGE),
        ):
            places = np.digitize(alpha[where], edges)
            used = np.unique(places)
            right.plot(
                [np.median(alpha[where][places == place]) for place in used],
                [np.median(log_norm[where][places == place]) for place in used],
                ".-",
                color=color,
                label=name,
            )
        right.set_xlabel("α, by halves")
        right.set_ylabel(f"median {LOG_NORM}")
        right.set_title("Norm against exponent", fontsize="medium")
        for axes in (left, right):
            axes.legend(frameon=False, fontsize="small")
    save_figure(figure, FOLDER / "exponents.svg")


def relation(matrices: Matrices) -> None:
    """Draw the PL-norm relation over all matrices in both normalizations."""
    with drawing(6.9, 16.0) as figure:
        others = matrices.series != "GPT2"
        for axes, title, normalization in zip(
            figure.subplots(1, 2), ("λ of WᵀW/N", "λ of WᵀW"), ("1/N", "none"), strict=True
        ):
            weighted = matrices.weighted(normalization)
            axes.hexbin(2 * matrices.log_norm, weighted, gridsize=15, bins="log", cmap="Blues")
            _draw_line(axes, "all", matrices.log_norm, weighted, "-")
            _draw_line(axes, "no GPT-2", matrices.log_norm[others], weighted[others], "--")
            _draw_equality(axes, 2 * matrices.log_norm)
            axes.set_title(title, fontsize="medium")
    save_figure(figure, FOLDER / "relation.svg")


def vgg11(matrices: Matrices) -> None:
    """Draw the 66 matrices of VGG11."""
    where = matrices.of("VGG", "vgg11")
    alpha, log_norm = matrices.alpha[where], matrices.log_norm[where]
    weighted = matrices.weighted("none")[where]
    with drawing(6.9, 16.0) as figure:
        left, right = figure.subplots(1, 2)
        left.plot(alpha, 2 * log_norm, ".", color=BLUE)
        left.set_xlabel("α")
        left.set_ylabel(LOG_NORM)
        left.set_title(f"VGG11, {len(alpha)} matrices", fontsize="medium")
        right.plot(2 * log_norm, weighted, ".", color=BLUE)
        _draw_line(right, "fit", log_norm, weighted, "-")
        _draw_equality(right, 2 * log_norm)
        right.set_title("VGG11, λ of WᵀW", fontsize="medium")
    save_figure(figure, FOLDER / "vgg11.svg")


def _draw_line(axes: Axes, name: str, log_norm: Array, weighted: Array, style: str) -> None:
    """Draw the least-squares line of the PL-norm relation."""
    line = pl_norm_relation(list(log_norm), list(weighted))
    if line is None or line.pearson_r is None:
        return
    ends = 2 * np.array([log_norm.min(), log_norm.max()])
    label = f"{name}: slope {line.slope:.2f}, r {line.pearson_r:.2f}"
    axes.plot(ends, line.intercept + line.slope * ends, style, color=ORANGE, label=label)


def _draw_equality(axes: Axes, log_norm: Array) -> None:
    """Draw the relation as the paper has it, and name what it relates."""
    ends = np.array([log_norm.min(), log_norm.max()])
    axes.plot(ends, ends, color="0.4", linestyle=":", label="relation: slope 1")
    axes.set_xlabel(LOG_NORM)
    axes.set_ylabel(WEIGHTED)
    axes.legend(frameon=False, fontsize="small")


def taylor() -> None:
    """Draw log N / log λ_max against μ: the theory, its expansion, and Pareto matrices."""
    with (FOLDER.parent / "experiments" / "lambda_max.csv").open(encoding="utf-8") as file:
        measured = [row for row in csv.DictReader(file) if float(row["mu"]) < 2]
    mu = np.linspace(0.1, 2.0, 100)
    with drawing(7.2, 10.7) as figure:
        axes = figure.subplots()
        axes.plot(mu, mu / (4 - mu), color=BLUE, label="1/(4/μ − 1)")
        tangent = 1.15 / 2.85 + 4 / 2.85**2 * (mu - 1.15)
        axes.plot(mu, tangent, color=ORANGE, label="its expansion about μ = 1.15")
        axes.plot(mu, mu / 2, color="0.4", linestyle=":", label="μ/2")
        for N, mark in ((100, "+"), (800, "x")):
            ratios = [np.log10(N) / float(row[f"median_{N}"]) for row in measured]
            mus = [float(row["mu"]) for row in measured]
            axes.plot(mus, ratios, mark, color="black", label=f"Pareto matrices, N = {N}")
        axes.set_xlabel("μ")
        axes.set_ylabel("log N / log λ_max")
        axes.set_title("Square matrices, λ of WᵀW/N", fontsize="medium")
        axes.legend(frameon=False, fontsize="small")
    save_figure(figure, FOLDER / "taylor.svg")


if __name__ == "__main__":
    published = read_matrices()
    densenet()
    series()
    taylor()
    vgg(published)
    exponents(published)
    relation(published)
    vgg11(published)
