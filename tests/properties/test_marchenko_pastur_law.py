"""Eigenvalues of Gaussian matrices fill the Marchenko-Pastur law, and its quantiles its cdf."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm
from strategies import generators

from htsr_ref.randommatrix.bulk import counting_error
from htsr_ref.randommatrix.ensembles import gaussian
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur
from htsr_ref.spectra.eigenvalues import spectrum

FALSE_ALARM = 1e-10
"""In each example: 1e-6 in a run of 10,000."""

shapes = st.integers(10, 150).flatmap(lambda M: st.tuples(st.integers(M, 4 * M), st.just(M)))
sigmas = st.sampled_from([1e-3, 1.0, 50.0])
aspect_ratios = st.one_of(
    st.floats(0, 12).map(lambda exponent: 10.0**exponent),
    st.floats(-15, 0).map(lambda exponent: 1 + 10.0**exponent),
)
shares = st.one_of(st.floats(0, 1), st.floats(-300, 0).map(lambda exponent: 10.0**exponent))


@pytest.mark.spec("RMT-20")
@given(shapes, generators, sigmas)
def test_no_eigenvalue_is_far_beyond_the_edges(shape, rng, sigma):
    """P(σ_max > √λ₊ + t) and P(σ_min < √λ₋ - t) ≤ exp(-N·t²/2σ²): Davidson & Szarek 2001."""
    N, M = shape
    law = MarchenkoPastur(N / M, sigma**2)
    singular_values = np.sqrt(spectrum(gaussian(N, M, rng, sigma=sigma)).eigenvalues)
    t = sigma * math.sqrt(2 * math.log(2 / FALSE_ALARM) / N)
    assert singular_values[-1] <= math.sqrt(law.lambda_plus) + t
    assert singular_values[0] >= math.sqrt(law.lambda_minus) - t


@pytest.mark.spec("RMT-22", "RMT-27")
@given(shapes, generators, sigmas)
def test_the_ks_distance_shrinks_as_the_number_of_eigenvalues(shape, rng, sigma):
    """The count at each of the M quantiles is normal, its mean within ¼ of the law's (β = 1).

    Between two quantiles it grows, and adds at most 1.
    """
    N, M = shape
    law = MarchenkoPastur(N / M, sigma**2)
    cdf = law.cdf(spectrum(gaussian(N, M, rng, sigma=sigma)).eigenvalues)
    steps = np.arange(M + 1) / M
    distance = np.maximum(steps[1:] - cdf, cdf - steps[:-1]).max()
    deviate = norm.isf(FALSE_ALARM / (2 * M))
    assert M * distance <= deviate * counting_error(M) + 1.25


@pytest.mark.spec("RMT-22", "RMT-23")
@given(aspect_ratios, shares, st.floats(1e-6, 1e6))
def test_quantile_round_trip(Q, share, variance):
    law = MarchenkoPastur(Q, variance)
    x = law.quantile(share)
    assert law.lambda_minus <= x <= law.lambda_plus
    tolerance = 1e-14 + 2e-16 * math.sqrt(law.Q)
    assert abs(law.cdf(x) - share) <= tolerance


@pytest.mark.spec("RMT-23")
@given(aspect_ratios, st.lists(shares, min_size=2, max_size=20))
def test_quantiles_grow(Q, shares):
    """But for the rounding of RMT-23."""
    quantiles = MarchenkoPastur(Q).quantile(np.sort(shares))
    assert (np.diff(quantiles) >= -2e-14).all()
