"""The Kolmogorov-Smirnov distance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest

from htsr_ref.powerlaw.ks import ks_gaps

pytestmark = pytest.mark.spec("PL-3")


@pytest.mark.parametrize(
    ("cdf", "one_sided", "two_sided"),
    [
        pytest.param([0.0], 0.0, 1.0, id="one point"),
        pytest.param([0.0, 0.5], 0.0, 0.5, id="on the lower ends of the steps"),
        pytest.param([0.5, 1.0], 0.5, 0.5, id="on the upper ends of the steps"),
        pytest.param([0.0, 0.0, 0.0, 0.0], 0.75, 1.0, id="model below"),
        pytest.param([0.875, 0.875, 0.875, 0.875], 0.875, 0.875, id="model above"),
        pytest.param([0.0, 0.125, 0.75, 0.875], 0.25, 0.375, id="largest at an upper end"),
    ],
)
def test_distances_found_by_hand(cdf, one_sided, two_sided):
    assert ks_gaps(np.array(cdf), "one-sided").max() == one_sided
    assert ks_gaps(np.array(cdf), "two-sided").max() == two_sided


def test_tied_points_are_one_step_or_many():
    # F = 1/4, where the empirical function jumps from 0 to 3/4: at the ends of three steps, or one.
    cdf = np.array([0.25, 0.25, 0.25, 0.75])
    assert ks_gaps(cdf, "one-sided").tolist() == [0.25, 0.0, 0.25, 0.0]
    assert ks_gaps(cdf, "one-sided-steps").tolist() == [0.25, 0.25, 0.25, 0.0]
    assert ks_gaps(cdf, "one-sided-steps", np.array([1.0, 2.0, 2.0, 3.0])).tolist() == [
        0.25,
        0.0,
        0.0,
        0.0,
    ]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=20).map(sorted), st.integers(1, 4))
def test_steps_do_not_depend_on_how_often_points_are_repeated(points, k):
    once, often = np.array(points), np.repeat(points, k)
    distances = [ks_gaps(cdf, "one-sided-steps").max() for cdf in (once, often)]
    assert distances[0] == pytest.approx(distances[1], abs=1e-15)


def test_two_sided_is_the_default():
    assert ks_gaps(np.array([0.0, 0.5])).max() == 0.5


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40, unique=True).map(sorted))
def test_two_sided_is_scipys_statistic(points):
    expected = kstest(points, "uniform").statistic
    assert ks_gaps(np.array(points), "two-sided").max() == pytest.approx(expected, abs=1e-15)


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40).map(sorted))
def test_one_sided_is_smaller_by_at_most_one_step(points):
    cdf = np.array(points)
    one_sided, two_sided = ks_gaps(cdf, "one-sided").max(), ks_gaps(cdf, "two-sided").max()
    assert one_sided <= two_sided <= one_sided + (1 + 1e-12) / cdf.size
