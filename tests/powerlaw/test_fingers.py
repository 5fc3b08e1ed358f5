"""Fingers: WeightWatcher's rule and the outlier test."""

import math

import numpy as np
import pytest

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.fingers import clip_fingers, count_outliers

PARETO = np.sort((1 - (np.arange(1, 201) - 0.5) / 200) ** (-1 / 2.5))


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
    found = clip_fingers(x, rule="weightwatcher")
    assert found.clipped == 9
    assert found.fit == fit_power_law(x[:-9])
    # max_fingers is one more than the number of values that are left out at most.
    assert clip_fingers(x, rule="weightwatcher", most=9).clipped == 0


@pytest.mark.spec("PL-15")
def test_weightwatchers_rule_stops_at_alpha_two_and_changes_nothing():
    x = np.exp(np.arange(20.0))  # alpha near 1.1 whatever is left out
    found = clip_fingers(x, rule="weightwatcher")
    assert (found.clipped, found.fit) == (0, fit_power_law(x))


@pytest.mark.spec("PL-16")
@pytest.mark.parametrize("planted", [1, 2])
def test_values_far_beyond_a_power_law_are_outliers(planted):
    x = np.concatenate((PARETO, PARETO[-1] * 1e3 ** np.arange(1, planted + 1)))
    assert count_outliers(x) == planted
    found = clip_fingers(x)
    assert found.clipped == planted
    assert found.fit == fit_power_law(PARETO)


@pytest.mark.spec("PL-16")
def test_equal_outliers_do_not_hide_one_another():
    x = np.concatenate((PARETO, np.full(5, PARETO[-1] * 1e6)))
    assert count_outliers(x) == 5


@pytest.mark.spec("PL-16")
def test_an_exact_power_law_has_no_outliers():
    assert count_outliers(PARETO) == 0
    assert clip_fingers(PARETO).clipped == 0


@pytest.mark.spec("PL-16")
def test_the_threshold_of_the_test_is_fishers_bound():
    # m = 20 values, one of share g and 19 equal ones: p = 20·(1-g)^19 = 0.05 at this g.
    g = 1 - (0.05 / 20) ** (1 / 19)
    for share, outliers in ((g + 1e-6, 1), (g - 1e-6, 0)):
        logs = np.full(20, (1 - share) / 19)
        logs[-1] = share
        assert count_outliers(np.exp(np.concatenate(([0.0], logs))), most=1) == outliers


@pytest.mark.spec("PL-16")
def test_false_alarms_are_as_rare_as_stated():
    # 4,000 samples of m = 60: 5.1 % stated; 6.5 % is four standard errors above.
    rng = np.random.default_rng(11)
    samples = np.sort(rng.pareto(1.5, (4000, 60)) + 1, axis=1)
    alarms = sum(count_outliers(np.concatenate(([1.0], x))) > 0 for x in samples)
    assert 0.037 < alarms / 4000 < 0.065


@pytest.mark.spec("PL-16")
def test_never_more_than_asked_for_or_a_quarter_of_the_tail():
    x = np.concatenate((PARETO, PARETO[-1] * 1e6 ** np.arange(1, 6)))
    assert count_outliers(x, most=3) == 3
    # Of m = 15 values a quarter is 3, whether or not 4 stand out.
    four = np.concatenate(([0.0], np.linspace(0.1, 0.2, 11), np.full(4, 50.0)))
    assert count_outliers(np.exp(four)) == 3
    short = np.concatenate(([1.0, 1.1, 1.2, 1.3, 1.4, 1.5], 10.0 ** np.arange(10, 13)))
    assert count_outliers(short) <= 2
    assert math.isfinite(clip_fingers(short).fit.alpha)
