"""Positions, strengths and overlaps of spikes."""

import math

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.spikes import (
    half_overlap_theta,
    spike_overlap,
    spike_position,
    spike_stdev,
    spike_strength,
)

aspect_ratios = st.floats(1, 1000)


@pytest.mark.spec("RMT-31")
@given(aspect_ratios, st.floats(1.01, 1e6), st.floats(1e-6, 1e6))
def test_strength_is_the_inverse_of_position(Q, multiple, variance):
    theta = multiple / math.sqrt(Q)
    position = spike_position(theta, Q, variance)
    assert position > MarchenkoPastur(Q, variance).lambda_plus
    # dλ/dθ vanishes at the threshold as the distance from it.
    tolerance = 1e-12 * (1 + Q / (multiple - 1))
    assert spike_strength(position, Q, variance) == pytest.approx(theta, rel=tolerance)


@pytest.mark.spec("RMT-31")
@given(aspect_ratios, st.floats(1e-6, 1e6), st.integers(1, 5))
@example(1.25, 1.0, 1)
def test_just_above_the_edge_the_strength_is_that_of_the_threshold(Q, variance, ulps):
    position = MarchenkoPastur(Q, variance).lambda_plus
    for _ in range(ulps):
        position = math.nextafter(position, math.inf)
    # θ√Q - 1 = √(h√Q) + O(h√Q), h the distance from λ₊ over σ², some units in the last place.
    tolerance = 2 * math.sqrt(16 * 2.0**-52 * math.sqrt(Q) * (1 + 1 / math.sqrt(Q)) ** 2)
    assert spike_strength(position, Q, variance) * math.sqrt(Q) == pytest.approx(1, abs=tolerance)


@pytest.mark.spec("RMT-31", "RMT-32")
@given(aspect_ratios, st.floats(-0.9, 1.0))
def test_up_to_the_threshold_there_is_nothing_to_see(Q, multiple):
    theta = multiple / math.sqrt(Q) * (1 - 1e-12)
    edge = MarchenkoPastur(Q).lambda_plus
    assert spike_position(theta, Q) == edge
    assert spike_strength(edge, Q) is None
    assert spike_overlap(theta, Q) == 0.0


@pytest.mark.spec("RMT-32")
@given(aspect_ratios)
def test_half_overlap(Q):
    assert spike_overlap(half_overlap_theta(Q), Q) == pytest.approx(0.5, abs=1e-12)


@pytest.mark.spec("RMT-31", "RMT-32")
def test_spread_and_overlap_of_a_simulated_spike():
    """N = 400, M = 100, θ = 2: 400 draws; 5 standard errors, and 10 % for the finite size."""
    N, M, theta, draws = 400, 100, 2.0, 400
    rng = np.random.default_rng(20)
    found = []
    for _ in range(draws):
        W = rng.standard_normal((N, M))
        W[:, 0] *= math.sqrt(1 + theta)
        eigenvalues, vectors = np.linalg.eigh(W.T @ W / N)
        found.append((eigenvalues[-1], vectors[0, -1] ** 2))
    (position, overlap), (spread, _) = np.mean(found, axis=0), np.std(found, axis=0)
    stdev = spike_stdev(theta, N / M, N)
    assert spread == pytest.approx(stdev, rel=0.1 + 5 / math.sqrt(2 * draws))
    assert position == pytest.approx(3.375, abs=5 * stdev / math.sqrt(draws) + 2 / N)
    assert overlap == pytest.approx(5 / 6, abs=0.01)
