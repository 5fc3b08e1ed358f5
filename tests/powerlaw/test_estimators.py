"""The exponent without bias, and Hill's with both countings."""

import numpy as np
import pytest
from hypothesis import given
from strategies import distinct_samples

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.estimators import alpha_unbiased, hill_alpha
from htsr_ref.powerlaw.mle import alpha_mle

LOGS = np.array([0.0, 1.0, 2.0, 3.0])


@pytest.mark.spec("PL-35")
def test_unbiased_exponents_by_hand():
    assert alpha_unbiased(LOGS) == pytest.approx(1 + 2 / 6, rel=1e-15)
    assert alpha_unbiased(LOGS, "given") == pytest.approx(1 + 3 / 6, rel=1e-15)


@pytest.mark.spec("PL-35")
def test_the_mean_over_many_samples_is_the_exponent():
    rng = np.random.default_rng(20240611)
    n, draws = 5, 40_000
    logs = rng.standard_exponential((draws, n)) / 1.5  # α = 2.5
    smallest = logs - logs.min(axis=1, keepdims=True)
    given_xmin = [alpha_unbiased(row, "given") for row in logs]
    from_sample = [alpha_unbiased(row) for row in smallest]
    plain = [alpha_mle(row) for row in smallest]
    # Standard deviations 1.5/√3 and 1.5/√2, over √40,000: the errors are 0.0043 and 0.0053.
    assert np.mean(given_xmin) == pytest.approx(2.5, abs=0.02)
    assert np.mean(from_sample) == pytest.approx(2.5, abs=0.025)
    assert np.mean(plain) == pytest.approx(1 + 1.5 * 5 / 3, abs=0.05)


@pytest.mark.spec("PL-35", "PL-36")
@given(distinct_samples(min_size=4))
def test_the_correction_is_the_factor_for_both_countings(sample):
    ascending = np.sort(sample)
    n = ascending.size
    unbiased = alpha_unbiased(np.log(ascending / ascending[0])) - 1
    included = hill_alpha(ascending, n, "threshold included") - 1
    excluded = hill_alpha(ascending, n - 1, "threshold excluded") - 1
    assert unbiased == pytest.approx(included * (n - 2) / n, rel=1e-9)
    assert unbiased == pytest.approx(excluded * (n - 2) / (n - 1), rel=1e-9)


@pytest.mark.spec("PL-35")
@pytest.mark.parametrize(("size", "threshold"), [(2, "from the sample"), (1, "given")])
def test_too_few_points_have_no_unbiased_exponent(size, threshold):
    with pytest.raises(NoFitError, match=f"{size} points: .* needs {size + 1}"):
        alpha_unbiased(LOGS[-size:], threshold)


@pytest.mark.spec("PL-36")
def test_hill_by_hand():
    x = np.exp([0.0, 1.0, 3.0, 6.0])
    assert hill_alpha(x, 2, "threshold excluded") == pytest.approx(1 + 2 / (2 + 5), rel=1e-14)
    assert hill_alpha(x, 2, "threshold included") == pytest.approx(1 + 2 / 3, rel=1e-14)
    assert hill_alpha(x, 3, "threshold excluded") == pytest.approx(1 + 3 / 10, rel=1e-14)


@pytest.mark.spec("PL-36")
@given(distinct_samples(min_size=4))
def test_with_the_threshold_included_it_is_the_maximum_likelihood_estimate(sample):
    ascending = np.sort(sample)
    k = ascending.size // 2
    fit = fit_power_law(sample, xmin=float(ascending[-k]))
    got = hill_alpha(ascending, k, "threshold included")
    assert got == pytest.approx(fit.alpha, rel=1e-9)


@pytest.mark.spec("PL-36")
@pytest.mark.parametrize(
    ("k", "counting", "limits"),
    [
        (0, "threshold excluded", "1 to 3"),
        (4, "threshold excluded", "1 to 3"),
        (1, "threshold included", "2 to 4"),
        (5, "threshold included", "2 to 4"),
    ],
)
def test_impossible_counts_are_refused(k, counting, limits):
    with pytest.raises(SampleError, match=f"k = {k}: .* from {limits}"):
        hill_alpha(np.exp(LOGS), k, counting)


@pytest.mark.spec("PL-36")
def test_values_equal_to_the_threshold_have_no_exponent():
    with pytest.raises(NoFitError, match=r"the 2 largest values are equal to the threshold 3"):
        hill_alpha(np.array([1.0, 3.0, 3.0, 3.0]), 2, "threshold excluded")
