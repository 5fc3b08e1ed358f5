"""PL-73: replicas of a fit whose law is renormalized and whose smallest value is left out."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.conventions import SDM2020
from htsr_ref.powerlaw.uncertainty.rows import any_closer, search_rows
from htsr_ref.samples.examining import examine_sample

REPLICAS = 20_000
FOUR_SIGMA = 4 * math.sqrt(0.25 / REPLICAS)


def plain_fit(x):
    """Least distance, its tail's start and exponent, straight from PL-2, PL-3 and CNV-7."""
    best = (math.inf, 0, math.nan)
    for start in range(len(x)):
        tail = x[start:]
        if tail[0] == x[-1] or (start and x[start] == x[start - 1]):
            continue
        alpha = 1 + len(tail) / sum(math.log(value / tail[0]) for value in tail)
        end = 1 - (x[-1] / tail[0]) ** (1 - alpha)
        gaps = [
            abs((1 - (value / tail[0]) ** (1 - alpha)) / end - tail.index(value) / len(tail))
            for value in tail
        ]
        if max(gaps) < best[0] - 1e-12:
            best = (max(gaps), start, alpha)
    return best


@pytest.mark.spec("PL-73", "PL-41", "CNV-7")
@given(st.lists(st.lists(st.integers(1, 40), min_size=6, max_size=6), min_size=1, max_size=4))
def test_rows_are_searched_with_renormalized_laws(rows):
    samples = np.sort(np.array(rows, dtype=float), axis=1)
    starts, alphas, distances = search_rows(np.log(samples), "one-sided-steps", renormalized=True)
    for i, row in enumerate(samples.tolist()):
        if row[0] == row[-1]:
            assert np.isnan(alphas[i])
            continue
        distance, start, alpha = plain_fit(row)
        assert distances[i] == pytest.approx(distance, abs=1e-12)
        if starts[i] == start:
            assert alphas[i] == pytest.approx(alpha, rel=1e-12)
        for limit in (distance - 1e-9, distance + 1e-9):
            closer = any_closer(np.log(samples), "one-sided-steps", limit, renormalized=True)
            assert closer[i] == (limit > distance)


@pytest.mark.spec("PL-73", "PL-53")
@pytest.mark.parametrize("share", [0.3, 0.4])
def test_p_of_two_points_above_a_known_threshold(share):
    # With l = ln(x/xmin) and u = l_1/(l_1 + l_2), α - 1 = 2/(l_1 + l_2) and the larger gap is
    # F(x_1)/F(x_2), which increases with u and is above 1/2 here; u of two exponential variates
    # is uniform on [0, 1/2]. The third value is below xmin and left out.
    x = [0.5, math.exp(share), math.exp(1 - share)]
    report = examine_sample(x, "x", SDM2020.override({"xmin": 1.0}), gof=4_000)
    gap = math.expm1(-2 * share) / math.expm1(-2 * (1 - share))
    assert gap > 0.5
    assert report.fit.ks_distance == pytest.approx(gap, rel=1e-12)
    assert report.p_value == pytest.approx(1 - 2 * share, abs=FOUR_SIGMA * math.sqrt(5))


@pytest.mark.spec("PL-73", "PL-50")
@pytest.mark.parametrize("below", [0.02, 0.1, 0.6])
def test_p_of_three_points_and_one_that_was_left_out(below):
    # Logarithms -δ (left out), 0, t, 1 - t. Three points 0, a, b have the gap r(a/(a+b)) - 1/3 if
    # it is in (1/3, 1/2), r(t) = (1 - e^-3t)/(1 - e^-3(1-t)); two have 1/2. A replica has four
    # points, each of the law with probability 3/4 and else the value that was left out, and loses
    # its smallest: from three or four of the law come three with a/(a+b) uniform on [0, 1/2]; from
    # two, a = δ + min and b = δ + max; from one, two equal values and a gap of 1/3.
    t = 0.35
    x = [math.exp(-below), 1.0, math.exp(t), math.exp(1 - t)]
    report = examine_sample(x, "x", SDM2020, gof=REPLICAS)
    gap = math.expm1(-3 * t) / math.expm1(-3 * (1 - t)) - 1 / 3
    assert 1 / 3 < gap < 1 / 2
    assert (report.fit.alpha, report.fit.tail_size) == (pytest.approx(4, rel=1e-12), 3)
    assert report.fit.ks_distance == pytest.approx(gap, rel=1e-12)
    weights = [math.comb(4, k) * 3**k / 4**4 for k in range(5)]
    two = 1 - 2 * t * math.exp(-3 * below * (1 - 2 * t) / t)
    expected = (weights[2] * two + (weights[3] + weights[4]) * (1 - 2 * t)) / (1 - weights[0])
    assert report.p_value == pytest.approx(expected, abs=FOUR_SIGMA)


@pytest.mark.spec("PL-73", "PL-46")
def test_resamples_lose_their_smallest_value_and_are_fitted_alike():
    x = np.sort(np.random.default_rng(2).pareto(1.5, 30) + 1.0)
    report = examine_sample(x, "x", SDM2020, replicas=60, seed=5)
    picks = np.random.default_rng(5).integers(30, size=(60, 30))
    fits = []
    for row in np.sort(x[picks], axis=1)[:, 1:].tolist():
        _, start, alpha = plain_fit(row)
        fits.append((alpha, row[start]))
    for found, values in zip(
        (report.alpha_bootstrap95, report.xmin_bootstrap95), zip(*fits, strict=True), strict=True
    ):
        np.testing.assert_allclose(found, np.quantile(values, [0.025, 0.975]), rtol=1e-10)


@pytest.mark.spec("CNV-5", "PL-6")
def test_standard_error_and_interval_are_those_of_maximum_likelihood():
    x = np.sort(np.random.default_rng(3).pareto(2.0, 80) + 1.0)
    found = json.loads(examine_sample(x, "x").to_json())
    distance, start, alpha = plain_fit(x[1:].tolist())
    error = (alpha - 1) / math.sqrt(79 - start)
    assert found["ks_distance"] == pytest.approx(distance, rel=1e-10)
    assert found["alpha_stderr"] == pytest.approx(error, rel=1e-10)
    quantile = 1.959963984540054
    assert found["alpha_ci95"] == pytest.approx(
        [alpha - quantile * error, alpha + quantile * error], rel=1e-10
    )
    assert found["xmax"] == x[-1]
