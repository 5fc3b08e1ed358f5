"""Intervals from replicas."""

import numpy as np
import pytest
from scipy import stats

from htsr_ref.powerlaw.uncertainty.interval import percentile_interval

pytestmark = pytest.mark.spec("PL-47")


@pytest.mark.parametrize("level", [0.0, 1.0, 95, float("nan")])
def test_a_level_is_a_probability(level):
    with pytest.raises(ValueError, match=f"the level is {level}"):
        percentile_interval(np.arange(9.0), level)


def test_ends_are_interpolated_quantiles():
    # 5 values: quantiles 0.1 and 0.9 lie at ranks 0.4 and 3.6.
    values = np.array([5.0, 1.0, 2.0, 4.0, 8.0])
    assert percentile_interval(values, 0.8) == pytest.approx((1.4, 6.8), rel=1e-12)


@pytest.mark.parametrize("level", [0.5, 0.9, 0.99])
@pytest.mark.parametrize("seed", range(4))
def test_the_interval_is_scipys(level, seed):
    sample = np.random.default_rng(seed).exponential(size=30)
    expected = stats.bootstrap(
        (sample,), np.mean, confidence_level=level, n_resamples=999, method="percentile", rng=seed
    )
    assert percentile_interval(expected.bootstrap_distribution, level) == pytest.approx(
        tuple(expected.confidence_interval), rel=1e-12
    )
