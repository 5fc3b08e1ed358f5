"""Trends: closed forms, what is undefined, and what depends on single models."""

import itertools
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from htsr_ref.errors import HtsrError
from htsr_ref.models.trends import METRICS, Model, Trend, fit_series, fit_trend

numbers = st.integers(-50, 50).map(lambda n: n / 8)
EXACT = {"rel": 1e-12, "abs": 1e-12}


@st.composite
def series(draw, least=3, most=8):
    n = draw(st.integers(least, most))
    sample = st.lists(numbers, min_size=n, max_size=n).filter(lambda x: len(set(x)) > 1)
    return np.array(draw(sample)), np.array(draw(sample))


@pytest.mark.spec("TRD-2", "TRD-3", "TRD-8")
def test_a_series_by_hand():
    """x = 0 1 2 3, y = 8 6 7 3: Sxx = 5, Sxy = -7, Syy = 14, so SSE = 14 - 49/5 = 4.2."""
    trend = fit_trend([0, 1, 2, 3], [8, 6, 7, 3])
    assert trend.slope == pytest.approx(-1.4, **EXACT)
    assert trend.intercept == pytest.approx(6 + 1.4 * 1.5, **EXACT)
    assert trend.r_squared == pytest.approx(0.7, **EXACT)
    assert trend.rmse == pytest.approx(np.sqrt(4.2 / 4), **EXACT)
    assert (trend.models, trend.expected_sign, trend.as_expected) == (4, -1, True)
    assert fit_trend([0, 1, 2, 3], [3, 7, 6, 8]).as_expected is False


@pytest.mark.spec("TRD-2", "TRD-3")
@given(series())
def test_line_and_fit_are_those_of_scipy(sample):
    x, y = sample
    trend, line = fit_trend(x, y, resamples=10), stats.linregress(x, y)
    assert trend.slope == pytest.approx(line.slope, **EXACT)
    assert trend.intercept == pytest.approx(line.intercept, **EXACT)
    residuals = y - line.intercept - line.slope * x
    assert trend.r_squared == pytest.approx(1 - np.var(residuals) / np.var(y), abs=1e-12)
    assert trend.rmse == pytest.approx(np.sqrt(np.mean(residuals**2)), abs=1e-10)


@pytest.mark.spec("TRD-2", "TRD-4", "TRD-6", "TRD-7")
@given(series(least=5), st.integers(1, 9), st.integers(1, 9))
def test_units_of_either_axis_change_only_what_carries_them(sample, a, b):
    x, y = sample
    before = fit_trend(x, y, resamples=20)
    after = fit_trend(a * x + 3, b * y - 7, resamples=20)
    assert after.slope == pytest.approx(before.slope * b / a, **EXACT)
    assert after.r_squared == pytest.approx(before.r_squared, **EXACT)
    assert after.r_squared_ci95 == pytest.approx(before.r_squared_ci95, **EXACT)
    assert (after.kendall, after.spearman) == (before.kendall, before.spearman)
    assert after.kendall_range == before.kendall_range
    mirrored = fit_trend(x, -y, resamples=20)
    assert mirrored.kendall.value == -before.kendall.value
    assert mirrored.kendall.p_value == before.kendall.p_value


@pytest.mark.spec("TRD-2", "TRD-3", "TRD-7")
@pytest.mark.parametrize("a", [1.0, 2.0**-565, 2.0**565])
@pytest.mark.parametrize("b", [1.0, 2.0**-565, 2.0**300])
def test_units_whose_squares_leave_binary64(a, b):
    x, y = np.random.default_rng(0).standard_normal((2, 6))
    before, after = fit_trend(x, y, resamples=20), fit_trend(a * x, b * y, resamples=20)
    assert before.r_squared == pytest.approx(np.corrcoef(x, y)[0, 1] ** 2, rel=1e-12)
    assert after.r_squared == before.r_squared
    assert after.r_squared_ci95 == before.r_squared_ci95
    assert after.slope == pytest.approx(before.slope * (b / a), rel=1e-12)
    assert after.rmse == pytest.approx(before.rmse * b, rel=1e-12)


@pytest.mark.spec("TRD-6")
@given(series(least=4))
def test_ranges_are_those_of_the_series_without_one_model(sample):
    x, y = sample
    trend = fit_trend(x, y, resamples=10)
    subsets = [(np.delete(x, i), np.delete(y, i)) for i in range(x.size)]
    if any(np.ptp(part) == 0 for subset in subsets for part in subset):
        assert trend.slope_range is None
        assert trend.kendall_range is None
        assert "once one is left out" in trend.null_reasons["slope_range"]
        return
    slopes = [stats.linregress(*subset).slope for subset in subsets]
    taus = [stats.kendalltau(*subset).statistic for subset in subsets]
    assert trend.slope_range == pytest.approx((min(slopes), max(slopes)), **EXACT)
    assert trend.kendall_range == pytest.approx((min(taus), max(taus)), **EXACT)


@pytest.mark.spec("TRD-7")
def test_the_interval_is_that_of_all_resamples():
    """Five models have 5^5 = 3125 equally likely resamples; quantiles over all are the limit."""
    x, y = np.array([0.0, 1, 2, 3, 5]), np.array([4.0, 5, 1, 2, 0])
    resamples = (list(chosen) for chosen in itertools.product(range(5), repeat=5))
    squares = [
        np.corrcoef(x[chosen], y[chosen])[0, 1] ** 2 for chosen in resamples if len(set(chosen)) > 2
    ]
    assert len(squares) == 3125 - 5 - 300
    found = fit_trend(x, y, resamples=20_000, seed=3).r_squared_ci95
    assert found == pytest.approx(np.quantile(squares, (0.025, 0.975)), rel=1e-9)


@pytest.mark.spec("TRD-7")
def test_resamples_without_an_r_squared_are_left_out():
    trend = fit_trend([0, 0, 0, 0, 1], [1, 2, 3, 4, 9], resamples=200)
    low, high = trend.r_squared_ci95
    assert 0 < low < high <= 1


@pytest.mark.spec("TRD-1", "TRD-7")
def test_without_any_resample_there_is_no_interval():
    # Of 5^5 resamples 305 have fewer than three different models: of 60 single ones, some.
    x, y = [1.0, 2, 3, 4, 5], [1.0, 3, 2, 5, 4]
    trends = [fit_trend(x, y, resamples=1, seed=seed) for seed in range(60)]
    without = [trend for trend in trends if trend.r_squared_ci95 is None]
    assert 0 < len(without) < 30
    for trend in trends:
        check_nulls(trend)
    reason = "no resample has 3 different models that vary"
    assert {trend.null_reasons["r_squared_ci95"] for trend in without} == {reason}


@pytest.mark.spec("TRD-7")
def test_the_seed_decides_the_interval():
    x, y = np.random.default_rng(0).random((2, 8))
    first, again, other = (fit_trend(x, y, seed=seed).r_squared_ci95 for seed in (0, 0, 1))
    assert first == again != other


@pytest.mark.spec("TRD-1")
@pytest.mark.parametrize(
    ("x", "y", "reason"),
    [
        ([], [], "fewer than 3 models"),
        ([1, 2], [3, 4], "fewer than 3 models"),
        ([0.1, 0.1, 0.1], [1, 2, 3], "the metric is the same for all models"),
        ([1, 2, 3], [0.1, 0.1, 0.1], "the accuracy is the same for all models"),
    ],
)
def test_an_undefined_trend_says_why(x, y, reason):
    trend = fit_trend(x, y)
    assert trend.models == len(x)
    assert set(trend.null_reasons.values()) == {reason}
    check_nulls(trend)


@pytest.mark.spec("TRD-1", "TRD-6", "TRD-7")
@pytest.mark.parametrize(
    ("n", "null"),
    [
        (3, {"slope_range", "kendall_range", "r_squared_ci95"}),
        (4, {"r_squared_ci95"}),
        (5, set()),
    ],
)
def test_short_series_lack_what_they_cannot_tell(n, null):
    trend = fit_trend(range(n), np.sqrt(range(n)))
    assert set(trend.null_reasons) == null
    check_nulls(trend)


def check_nulls(trend: Trend) -> None:
    """Every field that is None has a reason, and no other."""
    none = {field.name for field in fields(trend) if getattr(trend, field.name) is None}
    assert set(trend.null_reasons) == none


@pytest.mark.parametrize(
    ("x", "y"), [([1, 2, 3], [1, 2]), ([1, 2, np.nan], [1, 2, 3]), ([[1, 2, 3]], [[1, 2, 3]])]
)
def test_what_is_no_series_is_refused(x, y):
    with pytest.raises(HtsrError, match="finite sequences of equal length"):
        fit_trend(x, y)


@pytest.mark.spec("TRD-1", "TRD-9")
def test_a_model_counts_where_its_metric_is_defined():
    models = [
        Model(f"m{i}", i**0.5, {**dict.fromkeys(METRICS, float(-i)), "alpha_hat": alpha_hat})
        for i, alpha_hat in enumerate([1.0, None, 3.0, 2.0, None])
    ]
    found = fit_series("s", models, resamples=10)
    assert tuple(found.trends) == METRICS
    assert [found.trends[name].models for name in METRICS] == [3, 5, 5, 5, 5]
    assert found.trends["alpha_hat"] == fit_trend([1, 3, 2], np.sqrt([0, 2, 3]), resamples=10)
    undefined = fit_series("s", [Model("m", 1.0, dict.fromkeys(METRICS))])
    assert undefined.trends["alpha_hat"].models == 0
