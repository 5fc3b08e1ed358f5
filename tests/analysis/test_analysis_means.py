"""Means over the matrices of a layer and over a model."""

import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from schemas import LAYER_MEANS, MODEL_MEANS

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT

SMALL = SDM2020_TEXT.override({"min_dim": 0})


def average(values: list[float | None]) -> float:
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined)


@pytest.mark.spec("MET-9")
def test_a_layer_averages_its_matrices_where_they_are_defined():
    kernel = gaussian(8, 6, 3, 2)
    kernel[:, :, 0, 0] = 0
    kernel[:, :, 2, 1] = np.outer(np.arange(8) + 1, np.arange(6) + 1)
    (conv,) = analyze({"conv": kernel}, SMALL).layers
    assert list(conv.means) == list(conv.counts) == LAYER_MEANS
    for name in LAYER_MEANS:
        values = [getattr(matrix, name) for matrix in conv.matrices]
        assert conv.means[name] == pytest.approx(average(values), rel=1e-12)
        assert conv.counts[name] == sum(value is not None for value in values)
    assert [conv.counts[name] for name in ("rank", "stable_rank", "alpha")] == [6, 5, 4]


@pytest.mark.spec("MET-9")
def test_a_mean_over_no_defined_value_is_null():
    (zero,) = analyze({"fc": np.zeros((4, 4))}, SDM2020_TEXT).layers
    assert (zero.means["alpha"], zero.counts["alpha"]) == (None, 0)
    assert (zero.means["lambda_max"], zero.counts["lambda_max"]) == (0, 1)


def unequal_layers() -> dict[str, np.ndarray]:
    """Two linear layers and a convolution of four slices: six matrices, three layers."""
    conv = np.stack([power_law_matrix(4.0, scale=s) for s in (1.0, 3.0, 9.0, 27.0)], -1)
    return {"a": power_law_matrix(2.0), "b": np.zeros((60, 60)), "conv": conv.reshape(60, 60, 2, 2)}


@pytest.mark.spec("MET-10")
def test_a_slice_counts_as_much_as_a_linear_layer():
    report = analyze(unequal_layers(), SDM2020_TEXT)
    matrices = [matrix for layer in report.layers for matrix in layer.matrices]
    assert (report.model.layers, report.model.matrices) == (3, 6)
    for name, of_matrix in MODEL_MEANS.items():
        expected = average([getattr(matrix, of_matrix) for matrix in matrices])
        assert getattr(report.model, name) == pytest.approx(expected, rel=1e-12), name
        assert report.model.counts[name] == 5


@pytest.mark.spec("MET-10")
def test_layers_can_be_the_units_instead():
    report = analyze(unequal_layers(), SDM2020_TEXT.override({"average": "layers"}))
    for name, of_matrix in MODEL_MEANS.items():
        expected = average([layer.means[of_matrix] for layer in report.layers])
        assert getattr(report.model, name) == pytest.approx(expected, rel=1e-12), name
        assert report.model.counts[name] == 2
    by_matrix = analyze(unequal_layers(), SDM2020_TEXT).model
    assert report.model.mean_alpha < by_matrix.mean_alpha - 0.5


@pytest.mark.spec("MET-10")
@pytest.mark.parametrize(("average_over", "inside"), [("matrices", 4), ("layers", 1)])
def test_a_range_keeps_exponents_out_of_the_means_that_use_them(average_over, inside):
    changes = {"average": average_over, "alpha_range": (3.0, 6.0)}
    report = analyze(unequal_layers(), SDM2020_TEXT.override(changes))
    everything = analyze(unequal_layers(), SDM2020_TEXT.override({"average": average_over}))
    conv = report.layers[2].means
    for name, of_matrix in MODEL_MEANS.items():
        if "alpha" in name:
            assert getattr(report.model, name) == pytest.approx(conv[of_matrix], rel=1e-12), name
            assert report.model.counts[name] == inside
        else:
            assert getattr(report.model, name) == getattr(everything.model, name), name


@pytest.mark.spec("MET-10")
def test_the_ends_of_the_range_are_inside():
    alpha = analyze({"fc": power_law_matrix(2.0)}, SDM2020_TEXT).layers[0].means["alpha"]
    for ends, count in [((alpha, 9.0), 1), ((1.0, alpha), 1), ((alpha + 1e-9, 9.0), 0)]:
        model = analyze(
            {"fc": power_law_matrix(2.0)}, SDM2020_TEXT.override({"alpha_range": ends})
        ).model
        assert model.counts["mean_alpha"] == count


@pytest.mark.spec("MET-10", "MET-11")
def test_a_model_without_a_fit_has_null_means():
    model = analyze({"fc": np.eye(4), "bias": np.ones(3)}, SDM2020_TEXT).model
    assert (model.alpha_hat, model.mean_alpha, model.pl_norm_relation) == (None, None, None)
    assert model.counts["alpha_hat"] == 0
    assert model.mean_stable_rank == pytest.approx(4, rel=1e-12)


@pytest.mark.spec("MET-11")
@pytest.mark.parametrize("alpha_range", [None, (3.0, 6.0)])
def test_the_relation_is_fitted_over_all_fitted_matrices(alpha_range):
    report = analyze(unequal_layers(), SDM2020_TEXT.override({"alpha_range": alpha_range}))
    fitted = [m for layer in report.layers for m in layer.matrices if m.alpha is not None]
    x = [2 * matrix.log10_frobenius_norm for matrix in fitted]
    y = [matrix.weighted_alpha for matrix in fitted]
    slope, intercept = np.polyfit(x, y, 1)
    relation = report.model.pl_norm_relation
    assert (relation.slope, relation.intercept) == pytest.approx((slope, intercept), rel=1e-9)
    assert relation.pearson_r == pytest.approx(np.corrcoef(x, y)[0, 1], rel=1e-9)
