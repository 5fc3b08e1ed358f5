"""NatComm 2021: every printed cell recomputed, and what its matrices say of the claims of SDM 2020.

The discrepancies are those of the verdict page, spec/published/README.md.
"""

import json
from collections import Counter

import numpy as np
import pytest
from published_tables import FILED_UNDER, FOLDER, read_table

from htsr_ref.models.trends import fit_trend

SHAPES = json.loads((FOLDER / "sdm2020" / "torchvision_shapes.json").read_text())
MEANS = {
    "log_frobenius_norm": "mean_log10_frobenius_norm",
    "log_spectral_norm": "mean_log10_lambda_max",
    "alpha_hat": "mean_alpha_weighted",
    "log_alpha_norm": "mean_log10_alpha_norm",
}
COLUMNS = {
    "log_frobenius_norm": "log10_frobenius_norm",
    "log_spectral_norm": "log10_lambda_max",
    "alpha_hat": "alpha_weighted",
    "log_alpha_norm": "log10_alpha_norm",
}
MODELS = read_table("natcomm2021/models.csv")
GPT_TABLE = read_table("natcomm2021/gpt_table.csv")
SLICES = read_table("natcomm2021/slices.csv.gz")


def filed_under(label, series):
    return [row for row in SLICES if (row["series"], row["model"]) == (series, label)]


def column(name, rows=SLICES):
    return np.array([float(row[name]) for row in rows])


def is_printed(cell, value):
    """Whether a number rounds to a printed one."""
    decimals = len(cell.partition(".")[2])
    return abs(float(cell) - value) <= 0.5 * 10.0**-decimals + 1e-9


def statistics(series, metric):
    rows = [row for row in MODELS if row["series"] == series]
    accuracy = [100 - float(row["top1_error"]) for row in rows]
    trend = fit_trend(column(MEANS[metric], rows), accuracy, resamples=10)
    return {"rmse": trend.rmse, "r_squared": trend.r_squared, "kendall": trend.kendall.value}


def test_means_of_models_are_those_of_their_matrices():
    names = {COLUMNS[metric]: MEANS[metric] for metric in MEANS} | {"alpha": "mean_alpha"}
    del names["log10_lambda_max"]  # It alone counts matrices with M < 50, which are not there.
    for model in MODELS:
        rows = filed_under(model["model"], model["series"])
        for name, mean in names.items():
            assert column(name, rows).mean() == pytest.approx(float(model[mean]), rel=2e-5), model
    assert (len(MODELS), len(SLICES)) == (40, 6993)


def test_cells_of_the_table_of_vision_models():
    differing, counts = set(), {}
    for row in read_table("natcomm2021/table.csv"):
        for metric in MEANS:
            value = statistics(row["series"], metric)[row["statistic"]]
            if not is_printed(row[metric], value):
                differing.add((row["series"], row["statistic"], metric))
        found = sum(model["series"] == row["series"] for model in MODELS)
        counts[row["series"]] = (int(row["models"]), found)
    a_later_run = {
        ("ResNet-1K", statistic, metric)
        for statistic in ("rmse", "r_squared", "kendall")
        for metric in MEANS
    } - {("ResNet-1K", "kendall", "alpha_hat"), ("ResNet-1K", "kendall", "log_alpha_norm")}
    assert differing == a_later_run | {("ResNet", "r_squared", "log_alpha_norm")}
    assert counts == {
        "VGG": (6, 8),
        "ResNet": (5, 5),
        "ResNet-1K": (19, 19),
        "DenseNet": (4, 4),
    }


def test_the_differing_cells():
    assert statistics("ResNet", "log_alpha_norm")["r_squared"] == pytest.approx(0.954, abs=5e-4)
    later = [statistics("ResNet-1K", metric)["r_squared"] for metric in MEANS]
    assert later == pytest.approx([0.77, 0.68, 0.87, 0.86], abs=5e-3)


def matrix_sizes(shapes):
    """Sizes of the matrices that WeightWatcher 0.2.7 takes from tensors of these shapes."""
    sizes = Counter()
    for out, inner, *kernel in shapes:
        if min(out, inner) >= 50:
            sizes[max(out, inner), min(out, inner)] += int(np.prod(kernel))
    return sizes


def test_three_densenets_are_filed_under_one_anothers_names():
    expected = {name: matrix_sizes(shapes.values()) for name, shapes in SHAPES.items()}
    for model in MODELS:
        name, series = model["model"], model["series"]
        if series in ("VGG", "ResNet", "DenseNet"):
            rows = filed_under(FILED_UNDER.get(name, name), series)
            assert Counter((int(row["N"]), int(row["M"])) for row in rows) == expected[name], name


def test_the_densenet_row_with_the_right_labels():
    rows = {row["model"]: row for row in MODELS if row["series"] == "DenseNet"}
    accuracy = [100 - float(rows[name]["top1_error"]) for name in FILED_UNDER]
    right = [rows[label] for label in FILED_UNDER.values()]
    trends = [fit_trend(column(mean, right), accuracy) for mean in MEANS.values()]
    assert [trend.r_squared for trend in trends] == pytest.approx(
        [0.62, 0.34, 0.24, 0.23], abs=5e-3
    )
    assert [trend.kendall.value for trend in trends] == pytest.approx([-1 / 3] * 4)
    sdm = {row["model"]: float(row["alpha_hat"]) for row in read_table("sdm2020/models.csv")}
    ours = dict(zip(FILED_UNDER, column("mean_alpha_weighted", right), strict=True))
    assert sorted(FILED_UNDER, key=ours.get) == sorted(FILED_UNDER, key=sdm.get)


@pytest.mark.parametrize("row", GPT_TABLE[1:], ids=lambda row: row["model"])
def test_cells_of_the_table_of_gpt_models(row):
    """GPT2-small leaves out the token embedding; the others leave out nothing."""
    everything = filed_under(row["model"], "GPT2")
    layers = [matrix for matrix in everything if matrix["N"] != "50257"]
    small = row["model"] == "gpt2 small"
    for rows, printed in ((everything, not small), (layers, small)):
        means = {metric: column(name, rows).mean() for metric, name in COLUMNS.items()}
        assert all(is_printed(row[metric], means[metric]) for metric in means) == printed
        assert (len(rows) == int(row["matrices"])) == printed


def test_exponents_of_the_matrices():
    alpha = column("alpha")
    shares = [np.mean((alpha > 2) & (alpha < 4)), np.mean(alpha < 2), np.mean(alpha > 6)]
    assert shares == pytest.approx([0.567, 0.191, 0.052], abs=5e-4)
    assert (alpha.min(), alpha.max()) == pytest.approx((1.29, 17.10), abs=5e-3)


def test_the_exponent_alone_orders_vggs_the_wrong_way_round():
    rows = [row for row in MODELS if row["series"] == "VGG"]
    trend = fit_trend(column("mean_alpha", rows), [-float(row["top1_error"]) for row in rows])
    assert trend.r_squared == pytest.approx(0.940, abs=5e-4)
    assert trend.as_expected is False
