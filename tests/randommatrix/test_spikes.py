"""Positions of spikes, their spread, and where their eigenvectors are half noise."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.spikes import half_overlap_theta, spike_position, spike_stdev

aspect_ratios = st.floats(1, 1000)


def overlap(theta, Q):
    """Squared cosine between a spike's eigenvector and the covariance's: RMT-32."""
    return (1 - 1 / (Q * theta**2)) / (1 + 1 / (Q * theta))


@pytest.mark.spec("RMT-31")
@given(aspect_ratios, st.floats(1.01, 1e6), st.floats(1e-6, 1e6))
def test_the_position_gives_the_strength_back(Q, multiple, variance):
    theta = multiple / math.sqrt(Q)
    position = spike_position(theta, Q, variance)
    assert position > MarchenkoPastur(Q, variance).lambda_plus
    # The larger root of position/σ² = (1 + θ)(1 + 1/(Qθ)); the other one is 1/(Qθ).
    b = position / variance - 1 - 1 / Q
    assert b == pytest.approx(theta + 1 / (Q * theta), rel=1e-9)


@pytest.mark.spec("RMT-31")
@given(aspect_ratios, st.floats(-0.9, 1.0))
def test_up_to_the_threshold_there_is_nothing_to_see(Q, multiple):
    theta = multiple / math.sqrt(Q) * (1 - 1e-12)
    assert spike_position(theta, Q) == MarchenkoPastur(Q).lambda_plus


@pytest.mark.spec("RMT-32")
@given(aspect_ratios)
def test_half_overlap(Q):
    assert overlap(half_overlap_theta(Q), Q) == pytest.approx(0.5, abs=1e-12)


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
    (position, cosine), (spread, _) = np.mean(found, axis=0), np.std(found, axis=0)
    stdev = spike_stdev(theta, N / M, N)
    assert spread == pytest.approx(stdev, rel=0.1 + 5 / math.sqrt(2 * draws))
    assert position == pytest.approx(3.375, abs=5 * stdev / math.sqrt(draws) + 2 / N)
    assert overlap(theta, N / M) == pytest.approx(5 / 6)
    assert cosine == pytest.approx(5 / 6, abs=0.01)
