"""The index with its error, its verdict and the samples that have none."""

import math

import numpy as np
import pytest

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.extreme import TailIndex, moment_index, tail_index
from htsr_ref.powerlaw.extreme.moment import moment


def draws(seed, size=120):
    return np.sort(np.random.default_rng(seed).pareto(1.5, size) + 0.1)


@pytest.mark.spec("PL-65")
def test_interval_is_1_96_standard_errors_to_either_side():
    index = moment_index(draws(1), 60)
    assert index.stderr == pytest.approx(math.sqrt((1 + index.xi**2) / 60), rel=1e-15)
    half = 1.959963984540054 * index.stderr
    assert index.ci95 == pytest.approx((index.xi - half, index.xi + half), rel=1e-15)


@pytest.mark.spec("PL-66")
@pytest.mark.parametrize(
    ("size", "k"),
    [
        (1000, 100),
        (1009, 100),
        (99, 10),  # never fewer than ten,
        (20, 10),
        (19, 9),  # never more than half
        (4, 2),
    ],
)
def test_the_tail_is_a_tenth_of_the_sample(size, k):
    index = tail_index(draws(5, size))
    assert index.k == k
    assert index.xi == moment(draws(5, size), k)


def index_of(xi, stderr, k=50):
    return TailIndex(xi, stderr, k)


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


def eigenvalues(entries):
    return np.linalg.svd(entries, compute_uv=False) ** 2


@pytest.mark.spec("PL-68")
def test_the_verdict_on_random_matrices():
    rng = np.random.default_rng(12)
    for _ in range(5):
        edge = eigenvalues(rng.standard_normal((600, 400)))
        assert tail_index(edge).verdict == "bounded edge"
        heavy = eigenvalues(rng.standard_cauchy((600, 400)))
        assert tail_index(heavy).verdict == "heavy tail"


@pytest.mark.spec("PL-68")
def test_a_verdict_against_the_truth_is_rare():
    rng = np.random.default_rng(13)
    wrong = 0
    for _ in range(300):
        u = rng.random(500)
        wrong += tail_index(u**-0.5).verdict == "bounded edge"
        wrong += tail_index(2 - u**0.5).verdict == "heavy tail"
    assert wrong <= 3


@pytest.mark.spec("PL-69")
def test_the_implied_exponent():
    assert index_of(0.5, 0.1).implied_alpha == 3.0


@pytest.mark.spec("PL-69")
@pytest.mark.parametrize("xi", [0.0, -0.5])
def test_a_bounded_tail_implies_no_exponent(xi):
    assert index_of(xi, 0.1).implied_alpha is None


@pytest.mark.spec("PL-71")
@pytest.mark.parametrize(
    "sample", [[1.0] * 40 + [2.0] * 21, [0.1] * 41 + [0.3] * 20, [1.0] * 60], ids=len
)
def test_tied_tails_have_no_index(sample):
    with pytest.raises(NoFitError, match="equal"):
        tail_index(sample)


@pytest.mark.spec("PL-71")
def test_samples_too_small():
    assert tail_index(draws(9, 4)).verdict == "undecided"
    with pytest.raises(NoFitError, match="3 values are too few for the moment estimator"):
        tail_index(draws(9, 3))


@pytest.mark.spec("PL-71")
def test_bad_values_are_named():
    with pytest.raises(SampleError, match=r"value 1 of the sample is -1\.0"):
        tail_index([3.0, -1.0, 2.0])


@pytest.mark.spec("PL-72")
def test_scale_and_order_do_not_matter():
    sample = draws(10, 400)
    expected = tail_index(sample)
    shuffled = np.random.default_rng(0).permutation(sample)
    assert tail_index(shuffled) == expected
    for factor in (3.0, 1e-200, 1e200):
        found = tail_index(factor * sample)
        assert found.xi == pytest.approx(expected.xi, abs=1e-12)
        assert found.stderr == pytest.approx(expected.stderr, rel=1e-12)
    assert tail_index(2.0**-300 * sample) == expected
