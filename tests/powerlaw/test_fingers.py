"""Fingers: WeightWatcher's rule."""

from types import SimpleNamespace

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


@pytest.mark.spec("PL-15")
@pytest.mark.parametrize(
    ("alphas", "left_out"),
    [
        ({2: 4.0, 3: 3.99}, 3),  # down by just 1 is not enough
        ({2: 4.5, 3: 2.0, 4: 1.5}, 3),
        ({0: 2.9, 2: 2.0, 3: 1.5}, 0),  # at 2 it ends
        ({9: 3.0}, 9),
        ({10: 3.0}, 0),  # at most 9 are left out unless more are allowed
    ],
)
def test_the_rule_by_the_alphas_of_the_fits(monkeypatch, alphas, left_out):
    def fit(x, ks):
        return SimpleNamespace(size=x.size, alpha=alphas.get(30 - x.size, 5.0))

    monkeypatch.setattr("htsr_ref.powerlaw.fingers.fit_power_law", fit)
    assert clip_fingers(np.arange(1.0, 31.0)).size == 30 - left_out
