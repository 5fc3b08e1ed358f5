"""SDM 2020: its models' matrices counted from shapes, and the regressions over what it prints."""

import json
import re
from collections import Counter

import numpy as np
import pytest
from published_tables import FOLDER, read_table

from htsr_ref.analysis.planning import plan
from htsr_ref.conventions import get_convention
from htsr_ref.models.trends import fit_trend
from htsr_ref.weights import open_weights

README = (FOLDER / "README.md").read_text(encoding="utf-8")
SHAPES = json.loads((FOLDER / "sdm2020" / "torchvision_shapes.json").read_text())
MODELS = read_table("sdm2020/models.csv")
COUNTS = {row["model"]: int(row["matrices"]) for row in read_table("sdm2020/matrix_counts.csv")}


def points(series, column):
    rows = [row for row in MODELS if row["series"] == series]
    return [float(row[column]) for row in rows], [float(row["top1_accuracy"]) for row in rows]


def numbers(cells):
    return [float(cell.replace("−", "-")) for cell in cells]


@pytest.mark.parametrize(("model", "count"), COUNTS.items())
def test_matrices_of_a_model_are_counted_from_shapes_alone(model, count):
    by_hand = sum(
        1 if len(shape) == 2 else shape[2] * shape[3] * (min(shape[:2]) >= 50)
        for shape in SHAPES[model].values()
    )
    weights = open_weights(
        {name: np.broadcast_to(np.float32(0), shape) for name, shape in SHAPES[model].items()}
    )
    planned = sum(len(layer.matrices) for layer in plan(weights, get_convention("sdm2020")))
    assert by_hand == planned == count


def test_printed_alpha_hats_are_the_rounded_ones_of_the_notebooks():
    both = [row for row in MODELS if row["alpha_hat_notebook"]]
    assert (len(MODELS), len(both)) == (61, 51)
    for row in both:
        assert f"{float(row['alpha_hat_notebook']):.2f}" == f"{float(row['alpha_hat']):.2f}"


def test_regressions_by_series_are_those_of_the_page():
    section = README.split("## SDM 2020: accuracy on α̂, by series")[1].split("## Files")[0]
    rows = [line.strip("| ").split(" | ") for line in re.findall(r"^\| [A-Z].*", section, re.M)]
    sizes = Counter(row["series"] for row in MODELS)
    assert [row[0] for row in rows] == [name for name, size in sizes.items() if size > 2]
    for series, models, *cells in rows:
        trend = fit_trend(*points(series, "alpha_hat"), resamples=10)
        assert trend.models == int(models) == sizes[series]
        assert numbers(cells) == [
            round(trend.slope, 2),
            round(trend.r_squared, 4),
            round(trend.rmse, 3),
            round(trend.kendall.value, 4),
            float(f"{trend.kendall.p_value:.2g}"),
            round(trend.spearman.value, 4),
        ]


@pytest.mark.parametrize(
    ("series", "r_squared", "kendall"),
    [("ResNet", 0.3346, -0.5619), ("MobileNet", 0.0010, 0.2143), ("MeNet", 0.8813, -0.2381)],
)
def test_regressions_on_the_log_norm(series, r_squared, kendall):
    trend = fit_trend(*points(series, "mean_log10_frobenius_norm_notebook"), resamples=10)
    assert trend.r_squared == pytest.approx(r_squared, abs=5e-5)
    assert trend.kendall.value == pytest.approx(kendall, abs=5e-5)


def test_series_that_run_against_the_theory():
    """One of them, SqueezeNet, is listed as working."""
    against = set()
    for series in dict.fromkeys(row["series"] for row in MODELS):
        if np.polyfit(*points(series, "alpha_hat"), 1)[0] > 0:
            against.add(series)
    listed = {row["series"] for row in MODELS if row["listed_as_working"] == "no"}
    assert listed == {"ResNeXt", "MeNet", "FDMobileNet"}
    assert against == listed | {"SqueezeNet"}
