"""The search in many samples at once finds what the searches in each of them find."""

import numpy as np
import pytest
import reference
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from strategies import generators, positive_samples

from htsr_ref.powerlaw import TailFit
from htsr_ref.powerlaw.fit import relative_logs
from htsr_ref.powerlaw.plain import candidate_starts
from htsr_ref.powerlaw.pruned import search_pruned
from htsr_ref.powerlaw.uncertainty.rows import any_closer, search_rows

ROUNDING = 1e-12
KINDS = pytest.mark.parametrize("ks", ["two-sided", "one-sided", "one-sided-steps"])


@st.composite
def tables(draw: st.DrawFn) -> np.ndarray:
    """Ascending rows: exponential variables, uniform ones, resamples of either, equal values."""
    rng = draw(generators)
    n = draw(st.integers(2, 150))
    rows = [rng.exponential(size=(2, n)), rng.random((2, n))]
    rows += [row[:, rng.integers(n, size=n)] for row in rows]
    table = np.concatenate([*rows, np.full((1, n), 0.5)])
    return np.sort(rng.permutation(table), axis=1)


def search_alone(row: np.ndarray, ks: str, starts: list[int] | None = None) -> TailFit | None:
    """Search one row by itself, all its candidates or those given."""
    chosen = candidate_starts(row) if starts is None else np.array(starts)
    return search_pruned(np.exp(row), row, chosen, ks)


@pytest.mark.spec("PL-41")
@KINDS
@given(tables())
def test_every_row_gets_the_result_of_its_own_search(ks, table):
    for row, start, alpha, distance in zip(table, *search_rows(table, ks), strict=True):
        alone = search_alone(row, ks)
        if alone is None:
            assert (start, distance) == (row.size, np.inf)
            assert np.isnan(alpha)
            continue
        assert distance == pytest.approx(alone.ks_distance, abs=ROUNDING)
        # Two-point tails are all equally good: there the smallest is a matter of rounding.
        if start == alone.start:
            assert alpha == pytest.approx(alone.alpha, rel=1e-12)
        else:
            others = [search_alone(row, ks, [i]) for i in (start, alone.start)]
            assert others[0].ks_distance == pytest.approx(others[1].ks_distance, abs=ROUNDING)


@pytest.mark.spec("PL-41")
@KINDS
@given(positive_samples)
def test_the_result_is_that_of_the_exhaustive_scan(ks, sample):
    x = np.sort(sample)
    tails = reference.scan(x)
    least = reference.best(tails, ks)
    starts, alphas, distances = search_rows(relative_logs(x)[np.newaxis], ks)
    assert distances[0] == pytest.approx(float(least.distance(ks)), abs=ROUNDING)
    if reference.lead(tails, ks) > ROUNDING:
        assert starts[0] == np.searchsorted(x, least.xmin)
        assert alphas[0] == pytest.approx(float(least.alpha), rel=1e-12)


@pytest.mark.spec("PL-41")
def test_the_smallest_of_equally_good_thresholds_wins():
    # The case of test_plain.py: D = 1/2 without rounding at both candidates.
    starts, _, distances = search_rows(np.log([[1.0, 1.0, 3.0, 20.0]]), "two-sided")
    assert (starts[0], distances[0]) == (0, 0.5)


@pytest.mark.spec("PL-41")
@KINDS
def test_large_rows_agree_as_well(ks):
    rng = np.random.default_rng(20)
    # A body and a tail, some points taken several times: xmin lies inside the sample.
    body = np.log(rng.random((5, 1500)))
    table = np.sort(np.concatenate((body, rng.exponential(0.5, (5, 1500))), axis=1), axis=1)
    table[2:] = np.sort(table[2:, rng.integers(3000, size=3000)], axis=1)
    starts, alphas, distances = search_rows(table, ks)
    alone = [search_alone(row, ks) for row in table]
    assert starts.tolist() == [fit.start for fit in alone]
    assert_allclose(alphas, [fit.alpha for fit in alone], rtol=1e-12)
    assert_allclose(distances, [fit.ks_distance for fit in alone], atol=ROUNDING)


@pytest.mark.spec("PL-41", "PL-50")
@KINDS
@given(tables())
def test_a_row_has_a_closer_fit_if_its_least_distance_is_smaller(ks, table):
    _, _, least = search_rows(table, ks)
    for limit in least[np.isfinite(least)][:3]:
        apart = np.abs(least - limit) > ROUNDING
        assert any_closer(table, ks, limit)[apart].tolist() == (least < limit)[apart].tolist()
        assert any_closer(table, ks, limit + ROUNDING)[least == limit].all()
        assert not any_closer(table, ks, limit - ROUNDING)[least == limit].any()
