"""The index with its error, its verdict and the samples that have none."""

import math

import numpy as np
import pytest

from htsr_ref.errors import HtsrError, NoFitError, SampleError
from htsr_ref.powerlaw.extreme import TailIndex, tail_index
from htsr_ref.powerlaw.extreme.estimators import moment

ESTIMATORS = ("moment", "hill", "pickands", "kernel")


def draws(seed, size=120):
    return np.sort(np.random.default_rng(seed).pareto(1.5, size) + 0.1)


@pytest.mark.spec("PL-65")
def test_interval_is_1_96_standard_errors_to_either_side():
    index = tail_index(draws(1), k=60)
    assert index.stderr == pytest.approx(math.sqrt((1 + index.xi**2) / 60), rel=1e-15)
    half = 1.959963984540054 * index.stderr
    assert index.ci95 == pytest.approx((index.xi - half, index.xi + half), rel=1e-15)


@pytest.mark.spec("PL-66")
@pytest.mark.parametrize(
    ("size", "fraction", "k"),
    [
        (1000, 0.1, 100),
        (1009, 0.1, 100),
        (1000, 0.05, 50),
        (1000, 0.5, 500),
        (99, 0.1, 10),  # never fewer than ten,
        (20, 0.1, 10),
        (19, 0.1, 9),  # never more than half
        (4, 0.1, 2),
    ],
)
def test_a_fraction_of_the_sample(size, fraction, k):
    index = tail_index(draws(5, size), k=fraction)
    assert (index.k, index.sample_size, index.k_choice) == (k, size, "fraction")
    assert index.xi == moment(draws(5, size), k)


@pytest.mark.spec("PL-66")
def test_the_default_is_the_moment_estimator_at_a_tenth():
    sample = draws(6, 400)
    assert tail_index(sample) == tail_index(sample, estimator="moment", k=0.1)


@pytest.mark.spec("PL-66")
@pytest.mark.parametrize(
    ("estimator", "k"), [("moment", 17), ("hill", 17), ("kernel", 17), ("pickands", 16)]
)
def test_a_given_k(estimator, k):
    index = tail_index(draws(6), k=np.int64(17), estimator=estimator)
    assert (index.k, index.k_choice, index.estimator) == (k, "given", estimator)
    assert type(index.k) is int


def index_of(xi, stderr, **changes):
    given = {"k": 50, "sample_size": 500, "estimator": "moment", "k_choice": "fraction"}
    return TailIndex(xi, stderr, **(given | changes))


@pytest.mark.spec("PL-68")
@pytest.mark.parametrize(
    ("xi", "verdict"),
    [
        (1.97, "heavy tail"),
        (1.95, "undecided"),
        (0.0, "undecided"),
        (-1.95, "undecided"),
        (-1.97, "bounded edge"),
    ],
)
def test_the_verdict_is_the_sign_beyond_1_96_standard_errors(xi, verdict):
    index = index_of(xi, 1.0)
    assert index.verdict == verdict
    assert (index.reason is None) == (verdict != "undecided")


@pytest.mark.spec("PL-68")
def test_reasons_for_no_verdict():
    assert index_of(0.5, 0.5).reason == "0 lies in the 95 % interval of ξ, -0.48 to 1.48"
    short = index_of(3.0, 0.1, k=9)
    assert (short.verdict, short.reason) == ("undecided", "the tail holds 9 points, fewer than 10")
    assert index_of(3.0, 0.1, k=10).verdict == "heavy tail"
    presumed = index_of(3.0, 0.1, estimator="hill")
    assert presumed.verdict == "undecided"
    assert "Hill" in presumed.reason


def eigenvalues(entries):
    return np.linalg.svd(entries, compute_uv=False) ** 2


@pytest.mark.spec("PL-68")
@pytest.mark.parametrize("estimator", ["moment", "kernel"])
def test_the_verdict_on_random_matrices(estimator):
    rng = np.random.default_rng(12)
    for _ in range(5):
        edge = tail_index(eigenvalues(rng.standard_normal((600, 400))), estimator=estimator)
        assert edge.verdict == "bounded edge"
        heavy = eigenvalues(rng.standard_cauchy((600, 400)))
        assert tail_index(heavy, estimator=estimator).verdict == "heavy tail"


@pytest.mark.spec("PL-68")
@pytest.mark.parametrize("estimator", ["moment", "kernel", "pickands"])
def test_a_verdict_against_the_truth_is_rare(estimator):
    rng = np.random.default_rng(13)
    wrong = 0
    for _ in range(300):
        u = rng.random(500)
        wrong += tail_index(u**-0.5, estimator=estimator).verdict == "bounded edge"
        wrong += tail_index(2 - u**0.5, estimator=estimator).verdict == "heavy tail"
    assert wrong <= 3


@pytest.mark.spec("PL-69")
def test_the_implied_exponent():
    index = index_of(0.5, 0.1)
    assert index.implied_alpha == 3.0
    low, high = index.implied_alpha_ci95
    assert low == pytest.approx(1 + 1 / (0.5 + 0.1959963984540054), rel=1e-14)
    assert high == pytest.approx(1 + 1 / (0.5 - 0.1959963984540054), rel=1e-14)


@pytest.mark.spec("PL-69")
def test_the_implied_exponent_has_no_end_where_the_index_may_be_0():
    index = index_of(0.5, 1.0)
    assert index.implied_alpha_ci95 == (pytest.approx(1 + 1 / 2.459963984540054), None)


@pytest.mark.spec("PL-69")
@pytest.mark.parametrize("xi", [0.0, -0.5])
def test_a_bounded_tail_implies_no_exponent(xi):
    assert index_of(xi, 0.1).implied_alpha is None
    assert index_of(xi, 0.1).implied_alpha_ci95 is None


@pytest.mark.spec("PL-71")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_tied_tails_have_no_index(estimator):
    with pytest.raises(NoFitError, match="equal"):
        tail_index([1.0] * 40 + [2.0] * 21, estimator=estimator, k=20)


@pytest.mark.spec("PL-71")
@pytest.mark.parametrize("estimator", ["moment", "kernel", "pickands"])
def test_a_tail_of_equal_values_above_the_threshold_has_no_index(estimator):
    with pytest.raises(NoFitError, match="equal"):
        tail_index([0.1] * 41 + [0.3] * 20, estimator=estimator, k=20)


@pytest.mark.spec("PL-71")
@pytest.mark.parametrize(("estimator", "least"), [("moment", 4), ("hill", 2), ("pickands", 8)])
def test_samples_too_small_for_an_estimator(estimator, least):
    assert tail_index(draws(9, least), estimator=estimator).verdict == "undecided"
    with pytest.raises(NoFitError, match=f"{least - 1} values are too few for the {estimator}"):
        tail_index(draws(9, least - 1), estimator=estimator)


@pytest.mark.spec("PL-70")
@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"k": 1}, SampleError, "k is 1: the moment estimator takes from 2 to 119 of 120 values"),
        ({"k": 120}, SampleError, "k is 120"),
        ({"k": 0.0}, SampleError, "k is 0.0: a share of the sample"),
        ({"k": 0.6}, SampleError, "k is 0.6: a share of the sample"),
        ({"k": math.nan}, SampleError, "k is nan: a share of the sample"),
        ({"k": "bootstrap"}, HtsrError, "there is no choice of k 'bootstrap'"),
        ({"estimator": "hil"}, HtsrError, "there is no estimator 'hil': choose one of moment"),
        (
            {"estimator": "kernel", "k": "double-bootstrap"},
            HtsrError,
            "there is no double bootstrap for the kernel estimator",
        ),
    ],
)
def test_choices_that_do_not_exist(options, error, message):
    with pytest.raises(error, match=message):
        tail_index(draws(1), **options)


@pytest.mark.spec("PL-71")
def test_bad_values_are_named():
    with pytest.raises(SampleError, match=r"value 1 of the sample is -1\.0"):
        tail_index([3.0, -1.0, 2.0])


@pytest.mark.spec("PL-72")
@pytest.mark.parametrize("estimator", ESTIMATORS)
def test_scale_and_order_do_not_matter(estimator):
    sample = draws(10, 400)
    expected = tail_index(sample, estimator=estimator)
    shuffled = np.random.default_rng(0).permutation(sample)
    assert tail_index(shuffled, estimator=estimator) == expected
    for factor in (3.0, 1e-200, 1e200):
        found = tail_index(factor * sample, estimator=estimator)
        assert found.xi == pytest.approx(expected.xi, abs=1e-12)
        assert found.stderr == pytest.approx(expected.stderr, rel=1e-12)
    if estimator != "pickands":
        assert tail_index(2.0**-300 * sample, estimator=estimator) == expected
