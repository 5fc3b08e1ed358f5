"""Fingers: WeightWatcher's rule."""

import numpy as np
import pytest

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.fingers import clip_fingers


@pytest.mark.spec("PL-15")
def test_weightwatchers_rule_takes_the_first_fit_with_alpha_down_by_more_than_one():
    # A crowd at the top of a wide body: the fit leaves the crowd when 9 values have gone.
    rng = np.random.default_rng(0)
    body, crowd = rng.uniform(0, 6, rng.integers(5, 40)), rng.uniform(5, 5.6, rng.integers(4, 12))
    x = np.sort(np.exp(np.concatenate((body, crowd))))
    whole = fit_power_law(x)
    alphas = {k: fit_power_law(x[:-k]).alpha for k in range(2, 10)}
    assert all(alphas[k] > 2 and whole.alpha <= alphas[k] + 1 for k in range(2, 9))
    assert alphas[9] + 1 < whole.alpha
    assert clip_fingers(x) == fit_power_law(x[:-9])
    # max_fingers is one more than the number of values that are left out at most.
    assert clip_fingers(x, max_fingers=9) == whole


@pytest.mark.spec("PL-15")
def test_weightwatchers_rule_stops_at_alpha_two_and_changes_nothing():
    x = np.exp(np.arange(20.0))  # alpha near 1.1 whatever is left out
    assert clip_fingers(x) == fit_power_law(x)
