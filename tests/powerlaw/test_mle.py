"""The exponent and its uncertainty."""

import math

import numpy as np
import pytest
from scipy.stats import gamma, norm

from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.mle import alpha_mle, ci95


@pytest.mark.spec("PL-2")
@pytest.mark.parametrize(
    ("logs", "alpha"),
    [
        ([0.0, 1.0, 2.0], 2.0),
        ([0.0, 0.5], 5.0),
        ([0.0, 0.0, 0.0, 8.0], 1.5),
        ([0.0] + [1.0] * 9, 1 + 10 / 9),
    ],
)
def test_alpha_is_one_plus_the_inverse_of_the_mean_log(logs, alpha):
    assert alpha_mle(np.array(logs)) == pytest.approx(alpha, rel=1e-15)


@pytest.mark.spec("PL-6")
def test_standard_error_divides_by_the_root_of_the_tail():
    assert PowerLaw(3.0, 1.0).alpha_stderr(100) == pytest.approx(0.2, rel=1e-15)
    assert PowerLaw(1.5, 1.0).alpha_stderr(4) == pytest.approx(0.25, rel=1e-15)


@pytest.mark.spec("PL-6")
def test_interval_holds_95_percent_of_a_normal_distribution():
    low, high = ci95(2.5, PowerLaw(2.5, 1.0).alpha_stderr(36))
    stderr = 1.5 / math.sqrt(36)
    assert low == pytest.approx(2.5 + norm.ppf(0.025) * stderr, rel=1e-14)
    assert high == pytest.approx(2.5 + norm.ppf(0.975) * stderr, rel=1e-14)


@pytest.mark.spec("PL-6")
@pytest.mark.parametrize("n", [2, 3, 5, 10, 20, 50, 1000])
def test_the_asymptotic_interval_covers_as_stated_in_tails_of_any_size(n):
    """n(α-1)/(α̂-1) is Gamma distributed: try the interval at equally likely values of it."""
    likely = gamma(n).ppf((np.arange(20_000) + 0.5) / 20_000)
    estimates = 1.0 + n * 1.5 / likely
    intervals = [ci95(alpha, PowerLaw(alpha, 1.0).alpha_stderr(n)) for alpha in estimates]
    coverage = np.mean([low <= 2.5 <= high for low, high in intervals])
    assert 0.95 <= coverage < 0.957
