"""Every point of a sample taken k times: the same law, known √k more precisely.

Sums over the points grow by k and variances with the divisor n stay, so errors fall, and
normalized ratios of likelihoods rise, by √k; a divisor n - 1 would not do.
"""

import math

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import distinct_samples

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.comparison import vuong_test

repeats = st.integers(2, 5)


@pytest.mark.spec("PL-2", "PL-5", "PL-6")
@given(distinct_samples(), repeats)
def test_the_exponent_stays_and_its_error_falls(sample, k):
    xmin = float(sample.min())
    once = fit_power_law(sample, xmin=xmin)
    often = fit_power_law(np.repeat(sample, k), xmin=xmin)
    assert (once.tail_size, often.tail_size) == (sample.size, k * sample.size)
    assert often.alpha == pytest.approx(once.alpha, rel=1e-12)
    assert often.stderr == pytest.approx(once.stderr / math.sqrt(k), rel=1e-12)


@pytest.mark.spec("PL-37")
@given(distinct_samples(min_size=3), distinct_samples(min_size=3), repeats)
def test_the_normalized_ratio_rises(first, second, k):
    n = min(first.size, second.size)
    logs = np.log(first[:n]), np.log(second[:n])
    once, often = vuong_test(*logs), vuong_test(*(np.repeat(log, k) for log in logs))
    assume(once.normalized_ratio is not None and abs(once.log_likelihood_ratio) > 1e-6)
    assert often.log_likelihood_ratio == pytest.approx(k * once.log_likelihood_ratio, rel=1e-9)
    assert often.normalized_ratio == pytest.approx(math.sqrt(k) * once.normalized_ratio, rel=1e-6)
