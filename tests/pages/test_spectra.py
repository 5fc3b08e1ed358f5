"""Thinned spectra."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref import analyze
from htsr_ref.pages.spectra import LEAST_POINTS, MOST_POINTS, POINTS_OF_PAGE, thin, thin_spectra
from htsr_ref.spectra.store import MemoryStore
from htsr_ref.weights import open_weights

samples = st.lists(st.floats(1e-10, 1e10), min_size=1, max_size=500).map(np.sort)


@pytest.mark.spec("PAG-5")
@given(samples, st.integers(2, 200))
def test_points_are_those_of_the_survival_function(sample, most):
    found = thin(sample, most)
    assert len(found.values) == len(found.ranks) <= max(most, 1)
    for rank, value in zip(found.ranks, found.values, strict=True):
        assert value == sample[sample.size - rank]
    assert (found.ranks[0], found.ranks[-1]) == (sample.size, 1)


@pytest.mark.spec("PAG-5")
@given(samples)
def test_every_value_is_in_a_bin(sample):
    found = thin(sample)
    assert sum(found.counts) == found.size == sample.size
    assert found.low <= sample[0] * (1 + 1e-12)
    assert found.high >= sample[-1] * (1 - 1e-12)


@pytest.mark.spec("PAG-5")
def test_spectra_are_those_of_the_analysis():
    singular = np.array([1.0, 2.0, 3.0, 5.0])
    arrays = {"bias": np.ones(3), "fc": np.diag(singular), "zero": np.zeros((4, 4))}
    weights, store = open_weights(arrays), MemoryStore()
    report = analyze(weights, store=store)
    found = thin_spectra(report, weights, store)
    assert found.keys() == {(1, 0)}  # A zero matrix has no positive eigenvalue.
    np.testing.assert_allclose(found[1, 0].values, singular**2, rtol=1e-12)


@pytest.mark.spec("PAG-5", "PAG-1")
@pytest.mark.parametrize(
    ("matrices", "points"),
    [(1, MOST_POINTS), (650, 200), (1000, 130), (10**6, LEAST_POINTS)],
)
def test_matrices_share_the_points(monkeypatch, matrices, points):
    asked = []
    monkeypatch.setattr("htsr_ref.pages.spectra.thin", lambda _, most: asked.append(most))
    monkeypatch.setattr("htsr_ref.pages.spectra.POINTS_OF_PAGE", POINTS_OF_PAGE / matrices)
    weights, store = open_weights({"fc": np.eye(3)}), MemoryStore()
    thin_spectra(analyze(weights, store=store), weights, store)
    assert asked == [points]
