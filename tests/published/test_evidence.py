"""The α̂ of SDM 2020 from published matrices, and what the normalization does to its claims.

Expected values are the paper's, its notebooks', or those of the page spec/published/README.md.
"""

import re

import numpy as np
import pytest
from published_tables import FOLDER, read_matrices, read_table

from htsr_ref.metrics import pl_norm_relation
from htsr_ref.models.trends import fit_trend

README = (FOLDER / "README.md").read_text(encoding="utf-8")
PRINTED = {row["model"]: row for row in read_table("sdm2020/models.csv")}
RUN = {(row["series"], row["model"]): row for row in read_table("natcomm2021/models.csv")}
MATRICES = read_matrices()
ALL = np.full(MATRICES.alpha.shape, True)
OTHERS = MATRICES.series != "GPT2"


def models(series, printed=True):
    """Models of a run, in the order of the printed table, those that it holds."""
    run = [model for name, model in RUN if name == series]
    return [model for model in PRINTED if model in run] if printed else run


def alpha_hat(series, model, normalization="none"):
    return MATRICES.weighted(normalization)[MATRICES.of(series, model)].mean()


def as_printed(series, normalization="none"):
    """Models whose α̂ is the printed one to two decimals."""
    return [
        model
        for model in models(series)
        if f"{alpha_hat(series, model, normalization):.2f}"
        == f"{float(PRINTED[model]['alpha_hat']):.2f}"
    ]


def mean_log_norm(series, model):
    return MATRICES.log_norm[MATRICES.of(series, model)].mean()


def printed_accuracy(chosen):
    return [float(PRINTED[model]["top1_accuracy"]) for model in chosen]


def trend(series, normalization, chosen, accuracy):
    return fit_trend([alpha_hat(series, m, normalization) for m in chosen], accuracy, resamples=10)


def test_spectral_norms_of_the_run_are_too_small():
    """Never too large, but for the six printed digits; F-WW-41."""
    theirs = [float(row["log10_lambda_max"]) for row in read_table("natcomm2021/slices.csv.gz")]
    missing = MATRICES.log_max + np.log10(MATRICES.c) - np.array(theirs)
    assert missing.min() > -2e-5
    assert 1 - 10.0 ** -missing.max() == pytest.approx(0.0134, abs=5e-5)
    assert np.count_nonzero(missing > 1e-3) == 32


@pytest.mark.parametrize(("series", "count"), [("VGG", 8), ("DenseNet", 4)])
def test_printed_alpha_hats_come_out_without_the_factor(series, count):
    assert as_printed(series) == models(series)
    assert len(models(series)) == count


def test_densenets_agree_with_the_notebooks():
    for model in models("DenseNet"):
        theirs = float(PRINTED[model]["alpha_hat_notebook"])
        assert alpha_hat("DenseNet", model) == pytest.approx(theirs, abs=1e-6)


@pytest.mark.parametrize(
    ("series", "count", "found"), [("ResNet-1K", 15, ["resnet101"]), ("ResNet", 5, [])]
)
def test_resnets_are_other_weights(series, count, found):
    assert len(models(series)) == count
    assert as_printed(series) == found
    same_norm = [
        model
        for model in models(series)
        if mean_log_norm(series, model)
        == pytest.approx(float(PRINTED[model]["mean_log10_frobenius_norm_notebook"]), abs=1e-5)
    ]
    same_accuracy = [
        model
        for model in models(series)
        if 100 - float(RUN[series, model]["top1_error"])
        == pytest.approx(float(PRINTED[model]["top1_accuracy"]), abs=5e-3)
    ]
    assert same_norm == same_accuracy == found


def test_the_resnet_that_is_the_same():
    theirs = float(PRINTED["resnet101"]["alpha_hat_notebook"])
    assert alpha_hat("ResNet-1K", "resnet101") == pytest.approx(theirs, abs=1e-6)
    accuracies = np.array(
        [
            (100 - float(RUN["ResNet-1K", model]["top1_error"]), *printed_accuracy([model]))
            for model in models("ResNet-1K")
            if model != "resnet101"
        ]
    )
    apart = np.abs(accuracies[:, 0] - accuracies[:, 1])
    assert (apart.min(), apart.max()) == pytest.approx((0.25, 9.88), abs=1e-9)


def test_torchvisions_resnets():
    found = [alpha_hat("ResNet", model) for model in ("resnet18", "resnet50")]
    assert found == pytest.approx([0.61, 0.14], abs=5e-3)


def test_no_printed_alpha_hat_comes_out_with_the_factor():
    found = [as_printed(series, "1/N") for series in ("VGG", "DenseNet", "ResNet", "ResNet-1K")]
    assert found == [[], [], [], []]
    by_N = [
        alpha_hat(series, model, "1/N")
        for series, model in (("VGG", "vgg11"), ("VGG", "vgg19_bn"), ("DenseNet", "densenet121"))
    ]
    assert by_N == pytest.approx([-4.96, -7.07, -10.42], abs=5e-3)


def test_norms_of_densenets_do_not_come_out():
    found = [mean_log_norm("DenseNet", model) for model in models("DenseNet")]
    assert found == pytest.approx([0.807, 0.752, 0.741, 0.719], abs=5e-4)
    printed = [
        float(PRINTED[model]["mean_log10_frobenius_norm_notebook"]) for model in models("DenseNet")
    ]
    assert printed == pytest.approx([0.260, 0.241, 0.176, 0.149], abs=5e-4)


@pytest.mark.parametrize(
    ("normalization", "chosen", "expected"),
    [
        ("1/N", ALL, (0.066, 0.33, -8.24)),
        ("1/N", OTHERS, (-0.236, -2.17, -5.52)),
        ("none", ALL, (0.912, 2.93, -3.45)),
        ("none", OTHERS, (0.750, 2.37, -2.85)),
    ],
)
def test_pl_norm_relation(normalization, chosen, expected):
    line = pl_norm_relation(MATRICES.log_norm[chosen], MATRICES.weighted(normalization)[chosen])
    found = (line.pearson_r, line.slope, line.intercept)
    assert found == pytest.approx(expected, abs=6e-3)
    assert found[0] == pytest.approx(expected[0], abs=5e-4)


def test_pl_norm_relation_as_the_run_scales():
    log_norm = MATRICES.log_norm + np.log10(MATRICES.c) / 2
    for chosen, expected in ((ALL, (0.917, 3.08, -3.73)), (OTHERS, (0.855, 3.07, -3.71))):
        line = pl_norm_relation(log_norm[chosen], MATRICES.weighted("run")[chosen])
        assert (line.pearson_r, line.slope, line.intercept) == pytest.approx(expected, abs=5e-3)
    assert np.count_nonzero(~OTHERS) == 488


def test_relation_and_saturation_in_vgg11():
    where = MATRICES.of("VGG", "vgg11")
    assert np.count_nonzero(where) == 66
    for normalization, expected in (("none", (0.737, 1.98)), ("1/N", (-0.424, -1.97))):
        line = pl_norm_relation(MATRICES.log_norm[where], MATRICES.weighted(normalization)[where])
        assert (line.pearson_r, line.slope) == pytest.approx(expected, abs=5e-3)
    medians = [median_norm(where, low, high) for low, high in ((0, 2), (2, 3), (3, 3.5), (3.5, 4))]
    assert [medians[0], medians[2], medians[3]] == pytest.approx([1.56, 1.97, 1.97], abs=5e-3)
    assert np.count_nonzero(2 * MATRICES.log_norm[where] > 3) == 3
    # The three are the linear layers: the only matrices that are alone in their layer.
    assert set(MATRICES.c[where & (2 * MATRICES.log_norm > 3)]) == {0.5}


def median_norm(where, low, high):
    chosen = where & (MATRICES.alpha >= low) & (MATRICES.alpha < high)
    return float(np.median(2 * MATRICES.log_norm[chosen]))


def test_the_norm_grows_from_exponent_2_on_and_saturates():
    edges = ((0, 2), (2, 2.5), (2.5, 3), (3, 3.5), (3.5, 4), (4, 5), (5, 6), (6, 20))
    medians = [median_norm(ALL, *pair) for pair in edges]
    assert [medians[i] for i in (0, 1, 4)] == pytest.approx([0.88, 0.84, 1.60], abs=5e-3)
    assert medians[1:5] == sorted(medians[1:5])
    assert max(medians) == medians[4]


def test_largest_eigenvalues_below_one():
    by_N = MATRICES.log_max < np.log10(MATRICES.N)
    assert np.mean(by_N) == pytest.approx(0.998, abs=5e-4)
    assert np.mean(MATRICES.log_max < 0) == pytest.approx(0.52, abs=5e-3)
    shares = [
        np.mean(MATRICES.log_max[MATRICES.series == name] < 0)
        for name in ("ResNet", "ResNet-1K", "DenseNet", "VGG", "GPT2")
    ]
    assert shares == pytest.approx([0.71, 0.63, 0.18, 0.04, 0.0], abs=5e-3)


def test_trends_in_three_normalizations_are_those_of_the_page():
    section = README.split("## What 1/N does to the trends")[1].split("## The figures")[0]
    rows = [line.strip("| ").split(" | ") for line in re.findall(r"^\| [A-Z].*", section, re.M)]
    assert len(rows) == 5
    for name, count, *cells in rows:
        series, _, rest = name.partition(",")
        chosen = models(series, printed="SDM" in rest or series != "ResNet-1K")
        assert len(chosen) == int(count)
        accuracy = [100 - float(RUN[series, model]["top1_error"]) for model in chosen]
        found = [trend(series, n, chosen, accuracy) for n in ("none", "1/N", "run")]
        numbers = [number for t in found for number in (t.r_squared, t.kendall.value)]
        assert [float(cell.replace("−", "-")) for cell in cells] == pytest.approx(numbers, abs=6e-4)


@pytest.mark.parametrize(
    ("series", "statistic", "with_none", "with_N"),
    [
        ("VGG", "r_squared", 0.963, 0.975),
        ("DenseNet", "r_squared", 0.538, 0.041),
        ("ResNet-1K", "kendall", -0.829, -0.562),
    ],
)
def test_trends_of_the_printed_accuracies(series, statistic, with_none, with_N):
    chosen = models(series)
    for normalization, expected in (("none", with_none), ("1/N", with_N)):
        found = getattr(trend(series, normalization, chosen, printed_accuracy(chosen)), statistic)
        assert getattr(found, "value", found) == pytest.approx(expected, abs=6e-4)


def test_vggs_panels():
    chosen = models("VGG")
    accuracy = printed_accuracy(chosen)
    norm = fit_trend([mean_log_norm("VGG", model) for model in chosen], accuracy, resamples=10)
    hat = trend("VGG", "none", chosen, accuracy)
    found = (norm.r_squared, norm.kendall.value, hat.r_squared, hat.kendall.value)
    assert found == pytest.approx((0.88, -0.79, 0.96, -0.93), abs=5e-3)


def test_fifteen_architectures_by_one_way_of_counting():
    series = {row["series"] for row in PRINTED.values()}
    apart = {
        (row["series"], row["model"].endswith("_bn"), row["model"].startswith("mobilenetv2"))
        for row in PRINTED.values()
    }
    assert (len(PRINTED), len(series), len(apart)) == (61, 13, 15)


def test_the_expansion_about_1_15():
    """log N/log λ_max = μ/(4−μ) has the tangent .49μ − .16 there."""
    mu, step = 1.15, 1e-6
    values = [m / (4 - m) for m in (mu - step, mu, mu + step)]
    slope = (values[2] - values[0]) / (2 * step)
    assert (slope, values[1] - slope * mu) == pytest.approx((0.49, -0.16), abs=5e-3)
