"""Rules for xmin other than the least KS distance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.laws import fit_law
from htsr_ref.powerlaw.thresholds import histogram_peak


@pytest.mark.spec("PL-12")
@pytest.mark.parametrize("n", [3, 4, 5, 10, 101])
def test_the_median_rule_takes_the_upper_half(n):
    x = np.exp(np.arange(n, dtype=float))
    fit = fit_power_law(x, xmin="median")
    tail = n - n // 2
    # ln(x_j/xmin) = 0, 1, …, tail - 1.
    assert fit.tail_size == tail
    assert fit.xmin == x[n // 2]
    assert fit.alpha == pytest.approx(1 + tail / (tail * (tail - 1) / 2), rel=1e-12)


@pytest.mark.spec("PL-12")
def test_the_median_rule_leaves_ties_below_its_index_outside():
    fit = fit_power_law([1.0, 2.0, 2.0, 2 * math.e], xmin="median")
    assert (fit.xmin, fit.tail_size) == (2.0, 2)
    assert fit.alpha == pytest.approx(3.0, rel=1e-14)


@pytest.mark.spec("PL-12")
def test_no_median_fit_if_the_upper_half_is_one_value():
    with pytest.raises(NoFitError, match="median"):
        fit_power_law([1.0, 3.0, 3.0, 3.0], xmin="median")


@pytest.mark.spec("PL-13")
def test_the_peak_is_the_left_edge_of_the_first_fullest_bin():
    # Bins of width 0.02 decades over [1, 100]: 3 values in the bin at 10^0.5, 3 in that at 10^1.5.
    decades = [0.0, 0.505, 0.51, 0.515, 1.505, 1.51, 1.515, 2.0]
    assert histogram_peak(10.0 ** np.array(decades)) == pytest.approx(10**0.5, rel=1e-12)


@pytest.mark.spec("PL-13")
@pytest.mark.parametrize("rule", ["peak", "peak-slip"])
@pytest.mark.parametrize("step", [2.0**-52, 2.0**-50, 2.0**-46])
def test_values_too_close_for_bins_are_all_in_the_window(rule, step):
    # log10 x moves by about an ulp, a few, or hundreds from end to end.
    x = 1e10 * (1 + np.arange(12) * step)
    assert histogram_peak(x) == pytest.approx(x[0], rel=1e-12)
    assert fit_power_law(x, xmin=rule) == fit_power_law(x)


def window(x: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Least one-point-at-a-time distance over the window, from scratch."""
    best = (math.inf, math.nan)
    for xmin in np.unique(x)[:-1]:
        if low <= xmin <= high:
            best = min(best, (fit_power_law(x, xmin=float(xmin)).ks_distance, float(xmin)))
    return best


@pytest.mark.spec("PL-13")
@pytest.mark.parametrize("scale", [1e-3, 1.0, 50.0])
def test_both_peak_rules_search_their_windows(scale):
    x = scale * np.sort(np.random.default_rng(3).lognormal(0.0, 1.0, 400))
    peak = histogram_peak(x)
    meant = fit_power_law(x, xmin="peak")
    slipped = fit_power_law(x, xmin="peak-slip")
    assert meant.xmin == window(x, 0.95 * peak, 1.5 * peak)[1]
    assert slipped.xmin == window(x, math.log10(0.95 * peak), 1.5 * peak)[1]


@pytest.mark.spec("PL-13")
def test_no_peak_fit_without_a_candidate_in_the_window():
    # The fullest bin is that of the largest value, which is not a candidate.
    with pytest.raises(NoFitError, match="peak"):
        fit_power_law([1.0, 10.0, 100.0, 100.0], xmin="peak")


@pytest.mark.spec("PL-14")
def test_the_grid_rule_tries_equal_ratios_up_to_the_fourth_largest_value():
    x = np.sort(np.random.default_rng(5).pareto(1.5, 60) + 1)
    grid = np.geomspace(x[0], x[-4], 100)
    fits = [fit_power_law(x, xmin=float(xmin)) for xmin in grid]
    best = min(range(100), key=lambda i: fits[i].ks_distance)
    fit = fit_power_law(x, xmin="grid")
    assert fit.xmin == pytest.approx(grid[best], rel=1e-12)
    assert fit.ks_distance == pytest.approx(fits[best].ks_distance, abs=1e-12)
    assert fit.alpha == pytest.approx(fits[best].alpha, rel=1e-9)


@pytest.mark.spec("PL-14")
def test_the_grid_has_a_hundredth_of_the_sample_if_that_is_more():
    # The fourth largest is 2^20000·…: only the spacing shows how many thresholds there are.
    x = np.exp(np.linspace(0.0, 10.0, 20_000))
    fit = fit_power_law(x, xmin="grid")
    spacing = math.log(x[-4]) / 199
    steps = math.log(fit.xmin) / spacing
    assert steps == pytest.approx(round(steps), abs=1e-6)


@pytest.mark.spec("PL-14")
def test_the_grid_spans_all_of_binary64():
    # ln(x/xmin) is 5k·ln 10, k = 0 … 120: tails from every 5th decade fit alike, the longest best.
    x = 10.0 ** np.linspace(-300, 300, 121)
    fit = fit_power_law(x, xmin="grid")
    assert fit.xmin == pytest.approx(1e-300, rel=1e-12)
    assert fit.alpha == pytest.approx(1 + 121 / (5 * math.log(10) * 7260), rel=1e-12)
    assert fit_law(x, "power_law", xmin="grid").law.xmin == fit.xmin


@pytest.mark.spec("PL-14")
def test_no_grid_fit_with_fewer_than_four_values():
    with pytest.raises(NoFitError, match="grid"):
        fit_power_law([1.0, 2.0, 3.0, 3.0], xmin="grid")


@pytest.mark.spec("PL-10")
@given(
    st.lists(st.floats(1e-3, 1e3), min_size=5, max_size=60, unique=True),
    st.sampled_from(["median", "peak", "grid"]),
)
def test_these_rules_do_not_depend_on_the_scale(values, rule):
    try:
        fit = fit_power_law(values, xmin=rule)
    except NoFitError:
        return
    scaled = fit_power_law(4.0 * np.array(values), xmin=rule)
    if rule == "median":
        assert scaled.xmin == 4.0 * fit.xmin
    # Bin edges and grid points are rounded: a value on an edge may change sides.
    elif scaled.tail_size == fit.tail_size:
        assert scaled.alpha == pytest.approx(fit.alpha, rel=1e-9)
