"""A spike of the covariance is seen from the threshold on, at the predicted place."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import generators

from htsr_ref.randommatrix.ensembles import spiked
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.randommatrix.spikes import spike_position
from htsr_ref.randommatrix.tracy_widom import largest_eigenvalue
from htsr_ref.spectra.eigenvalues import spectrum

FALSE_ALARM = 1e-9
"""In each example: 1e-6 in a run of 1,000."""

DRAWS = 16

shapes = st.integers(100, 160).flatmap(lambda M: st.tuples(st.integers(M, 3 * M), st.just(M)))


@pytest.mark.spec("RMT-31")
@settings(max_examples=20)
@given(shapes, st.one_of(st.floats(0.0, 0.6), st.floats(1.8, 20.0)), generators)
def test_the_largest_singular_value_is_where_it_is_predicted(shape, multiple, rng):
    """The mean of 16 matrices, by the concentration of measure about its expectation.

    σ_max/√N of a matrix with covariance 1 + θ is a Lipschitz function of independent normal
    numbers with the constant √((1 + θ)/N), so that the mean of n draws differs from its expectation
    by t or more with a probability of at most 2·exp(-n·N·t²/(2(1 + θ))). The expectation differs
    from its limit by no more than that of noise does, 1.2 scales of Tracy & Widom's law.
    """
    N, M = shape
    theta = multiple / math.sqrt(N / M)
    t = math.sqrt(2 * (1 + theta) * math.log(2 / FALSE_ALARM) / (DRAWS * N))
    edge = MarchenkoPastur(N / M).lambda_plus
    finite_size = 1.21 * largest_eigenvalue(N, M).scale / (2 * math.sqrt(edge))
    draws = [spectrum(spiked(N, M, [theta], rng), solver="gram") for _ in range(DRAWS)]
    mean = np.mean([math.sqrt(eigen.lambda_max) for eigen in draws])
    assert abs(mean - math.sqrt(spike_position(theta, N / M))) <= t + finite_size
    # The second largest stays at the edge, whatever the spike.
    second = np.mean([math.sqrt(eigen.eigenvalues[-2]) for eigen in draws])
    assert second <= math.sqrt(edge) + math.sqrt(2 * math.log(1 / FALSE_ALARM) / (DRAWS * N))
