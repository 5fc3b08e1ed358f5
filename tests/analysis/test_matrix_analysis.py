"""Numbers of one matrix or pool that depend on the convention."""

import math
from dataclasses import replace

import numpy as np
import pytest
from builders import gaussian, power_law_matrix

from htsr_ref import Report, analyze
from htsr_ref.conventions import SDM2020_TEXT, get_convention
from htsr_ref.errors import ConventionError

POOLED = SDM2020_TEXT.override({"conv": "pooled", "min_dim": 0})


@pytest.mark.spec("MET-14", "SPC-9")
def test_norms_are_those_of_the_weights_or_of_the_scaled_matrix():
    W = gaussian(12, 8)
    (weights,) = analyze({"W": W}, SDM2020_TEXT).layers[0].matrices
    (scaled,) = analyze({"W": W}, SDM2020_TEXT.override({"norms": "scaled"})).layers[0].matrices
    assert weights.log10_frobenius_norm == pytest.approx(math.log10(np.linalg.norm(W)))
    assert scaled.log10_frobenius_norm == pytest.approx(
        math.log10(np.linalg.norm(W) / math.sqrt(12))
    )
    assert 10 ** (2 * scaled.log10_spectral_norm) == pytest.approx(scaled.lambda_max)
    assert scaled.log_stable_rank == pytest.approx(
        2 * scaled.log10_frobenius_norm / math.log10(scaled.lambda_max)
    )
    assert weights.alpha == scaled.alpha


@pytest.mark.spec("SPC-12", "MAT-9", "MET-15")
def test_a_pool_adds_zeros_and_ranks_and_keeps_either_smallest_eigenvalue():
    kernel = np.zeros((6, 4, 1, 3))
    kernel[:4, :, 0, 0] = np.diag([1.0, 2.0, 3.0, 4.0])
    kernel[:4, :, 0, 1] = np.diag([5.0, 6.0, 0.0, 0.0])
    kernel[:4, :, 0, 2] = np.diag([7.0, 8.0, 9.0, 0.5])
    least = analyze({"W": kernel}, POOLED).layers[0].matrices[0]
    assert (least.N, least.M, least.num_eigenvalues) == (6, 4, 12)
    assert (least.num_zero, least.rank, least.lambda_min) == (2, 10, 0.0)
    assert least.lambda_max == pytest.approx(81 / 6)
    changes = {"lambda_min": "greatest", "normalization": "none"}
    greatest = analyze({"W": kernel}, POOLED.override(changes)).layers[0].matrices[0]
    assert greatest.lambda_min == pytest.approx(1.0)


@pytest.mark.spec("CNV-10", "RPT-5")
def test_a_number_for_failures_enters_the_means_and_its_reason_is_given():
    weights = {"good": power_law_matrix(2.5), "eye": 10.0 * np.eye(4), "zero": np.zeros((3, 3))}
    convention = SDM2020_TEXT.override({"failed_alpha": -1, "normalization": "none"})
    report = analyze(weights, convention)
    assert Report.from_json(report.to_json()) == report
    good, eye, zero = (layer.matrices[0] for layer in report.layers)
    assert (eye.alpha, eye.xmin, eye.tail_size) == (-1.0, None, None)
    assert "equal" in eye.alpha_null_reason
    assert eye.weighted_alpha == pytest.approx(-2.0)
    assert eye.log10_alpha_norm == pytest.approx(math.log10(4 / 100))
    assert (zero.alpha, zero.weighted_alpha, zero.log10_alpha_norm) == (-1.0, None, None)
    assert report.model.counts["mean_alpha"] == 3
    assert report.model.mean_alpha == pytest.approx((good.alpha - 2) / 3)
    assert report.model.alpha_hat == pytest.approx((good.weighted_alpha - 2) / 2)
    plain = analyze(weights, SDM2020_TEXT).model
    assert (plain.counts["mean_alpha"], plain.mean_alpha) == (1, pytest.approx(good.alpha))


@pytest.mark.spec("MET-8")
def test_the_weighted_alpha_can_be_natural():
    W = power_law_matrix(2.5, scale=50.0)
    ten, e = (
        analyze({"W": W}, SDM2020_TEXT.override({"log_base": base})).model.alpha_hat
        for base in ("10", "e")
    )
    assert e == pytest.approx(ten * math.log(10), rel=1e-14)


@pytest.mark.spec("MET-17", "MET-16")
def test_the_distance_from_the_erg_tail_does_not_depend_on_whose_tail_is_fitted():
    W = power_law_matrix(2.5)
    ks, erg, median = (
        analyze({"W": W}, SDM2020_TEXT.override(fields)).layers[0].matrices[0]
        for fields in ({}, {"xmin": "erg"}, {"xmin": "median", "xmin_position": 2.0})
    )
    assert ks.delta_lambda_min == erg.delta_lambda_min
    assert median.delta_lambda_min is None
    assert erg.tail_size == erg.erg_tail_size == ks.erg_tail_size
    mean = (np.linalg.norm(W) ** 2) / 60 / 60
    assert ks.delta_lambda_min == pytest.approx((ks.xmin - erg.xmin) / mean)


@pytest.mark.spec("MET-16", "MET-17", "CNV-6")
@pytest.mark.parametrize("solver", ["gram", "svd"])
def test_an_orthogonal_matrix_has_no_erg_tail(solver):
    q, _ = np.linalg.qr(gaussian(60, 50))
    for order in range(8):
        W = q[:, np.random.default_rng(order).permutation(50)]
        report = analyze({"W": W}, SDM2020_TEXT.override({"xmin": "erg"}), solver=solver)
        found = report.layers[0].matrices[0]
        assert (found.erg_tail_size, found.delta_lambda_min) == (None, None)
        assert found.alpha_null_reason == "all eigenvalues are equal within their errors"


@pytest.mark.spec("MET-4", "CNV-10", "RPT-1")
def test_a_negative_number_for_failures_gives_a_finite_alpha_norm():
    W = np.diag([1.0] + [1e-156] * 11)
    report = analyze({"W": W}, get_convention("weightwatcher"))
    assert Report.from_json(report.to_json()) == report


@pytest.mark.spec("MET-18")
def test_weak_eigenvalues_are_counted_whatever_the_scale():
    W = np.diag([1e-4, 9.9e-4, 1.1e-3, 1.0])
    matrix = (
        analyze({"W": W}, SDM2020_TEXT.override({"normalization": "none"})).layers[0].matrices[0]
    )
    assert matrix.weak_rank_loss == 2


@pytest.mark.spec("SPC-11")
def test_the_dropped_eigenvalue_stays_in_norms_and_rank():
    W = power_law_matrix(2.5)
    kept, dropped = (
        analyze({"W": W}, SDM2020_TEXT.override({"drop_smallest": k})).layers[0].matrices[0]
        for k in (0, 1)
    )
    assert dropped.log10_frobenius_norm == kept.log10_frobenius_norm
    assert (dropped.rank, dropped.entropy) == (kept.rank, kept.entropy)
    assert (dropped.tail_size, kept.tail_size) == (59, 60)
    lam = np.sort(np.diag(W) ** 2 / 60)
    expected = math.log10((lam[1:] ** dropped.alpha).sum())
    assert dropped.log10_alpha_norm == pytest.approx(expected, rel=1e-12)


@pytest.mark.spec("SPC-10")
def test_without_a_floor_round_off_enters_and_with_one_it_does_not():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((80, 3)) @ rng.standard_normal((3, 60))
    sizes = {
        floor: analyze({"W": W}, SDM2020_TEXT.override({"eigenvalue_floor": floor}))
        .layers[0]
        .matrices[0]
        for floor in ("relative", "none")
    }
    assert sizes["relative"].num_zero == 57
    assert sizes["none"].num_zero < 57


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    "fields",
    [
        {"estimator": "mle-unbiased"},
        {"xmin": "median", "xmin_position": 2.0},
        {"small_samples": "corrected"},
        {"clip_fingers": 3},
    ],
)
def test_a_goodness_of_fit_that_could_not_repeat_the_fit_is_refused(fields):
    with pytest.raises(ConventionError, match="goodness-of-fit test repeats only"):
        analyze({"W": power_law_matrix(2.5)}, SDM2020_TEXT.override(fields), gof=10)


@pytest.mark.spec("PL-18", "PL-19", "RPT-2")
def test_comparisons_change_nothing_else():
    W = np.diag(np.r_[np.full(30, 9.0), 1.0, 2.0, 3.0])
    reports = [
        analyze({"W": W}, SDM2020_TEXT.override({"xmin": 1.0}), compare=compare)
        for compare in (False, True)
    ]
    assert Report.from_json(reports[1].to_json()) == reports[1]
    plain, compared = (report.layers[0].matrices[0] for report in reports)
    assert {law for law, found in compared.comparisons.items() if found is None} == {
        "lognormal",
        "stretched_exponential",
    }
    reason = "no comparison with lognormal: all 30 values of the tail are equal"
    assert reason in compared.warnings
    changed = {"comparisons": {}, "warnings": plain.warnings}
    assert replace(compared, **changed) == plain


@pytest.mark.spec("PL-18", "PL-53")
def test_without_a_fit_there_is_nothing_to_check():
    (found,) = analyze({"W": np.eye(60)}, SDM2020_TEXT, gof=10, compare=True).layers[0].matrices
    assert (found.alpha, found.p_value, found.comparisons) == (None, None, {})


@pytest.mark.spec("PL-53")
@pytest.mark.parametrize("fields", [{}, {"xmin": 2.0}, {"ks": "one-sided", "drop_smallest": 2}])
def test_a_goodness_of_fit_follows_the_convention(fields):
    report = analyze({"W": power_law_matrix(2.5)}, SDM2020_TEXT.override(fields), gof=10)
    assert 0 <= report.layers[0].matrices[0].p_value <= 1


@pytest.mark.spec("CNV-10")
def test_a_failure_without_any_eigenvalue_left_has_no_alpha_norm():
    convention = SDM2020_TEXT.override(
        {"drop_smallest": 1, "failed_alpha": -1, "normalization": "none"}
    )
    (report,) = analyze({"W": np.array([[10.0]])}, convention).layers[0].matrices
    assert (report.alpha, report.weighted_alpha) == (-1.0, -2.0)
    assert report.log10_alpha_norm is None
