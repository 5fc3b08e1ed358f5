"""The exponent without bias."""

import numpy as np
import pytest
from hypothesis import given
from strategies import distinct_samples

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.estimators import alpha_unbiased
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


@pytest.mark.spec("PL-35")
@given(distinct_samples(min_size=4))
def test_the_correction_is_a_factor(sample):
    logs = np.log(np.sort(sample) / sample.min())
    n = logs.size
    assert alpha_unbiased(logs) - 1 == pytest.approx((alpha_mle(logs) - 1) * (n - 2) / n, rel=1e-9)


@pytest.mark.spec("PL-35")
@pytest.mark.parametrize(("size", "threshold"), [(2, "from the sample"), (1, "given")])
def test_too_few_points_have_no_unbiased_exponent(size, threshold):
    with pytest.raises(NoFitError, match=f"{size} points: .* needs {size + 1}"):
        alpha_unbiased(LOGS[-size:], threshold)
