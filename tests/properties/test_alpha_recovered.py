"""Alpha of sampled power laws: n(α - 1)/(α̂ - 1) has the Gamma distribution of shape n.

Sums of independent Gamma variables are Gamma variables, so that samples are pooled and even a
bias of a few percent shows. Each example may fail with a probability of 1e-10: 1e-6 in a run of
10,000 examples.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gamma
from strategies import generators, prescribed

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.eigenvalues import spectrum

FALSE_ALARM = 1e-10
exponents = st.floats(1.5, 6.0)


def sample(rng: np.random.Generator, alpha: float, n: int, xmin: float = 1.0) -> np.ndarray:
    return xmin * np.exp(rng.exponential(1 / (alpha - 1), n))


def assert_gamma(total: float, shape: int) -> None:
    """Check that a Gamma variable lies within its quantiles."""
    low, high = gamma.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], shape)
    assert low <= total <= high


@pytest.mark.slow
@pytest.mark.spec("PL-2", "PL-5")
@settings(max_examples=settings().max_examples // 2)
@given(generators, exponents, st.integers(2, 40), st.sampled_from([1.0, 1e-3, 7.0]))
def test_the_exponent_of_samples(rng, alpha, n, xmin):
    fits = [fit_power_law(sample(rng, alpha, n, xmin), xmin=xmin) for _ in range(8000 // n)]
    assert {fit.tail_size for fit in fits} == {n}
    total = sum(n * (alpha - 1) / (fit.alpha - 1) for fit in fits)
    assert_gamma(total, n * len(fits))


@pytest.mark.spec("SPC-1", "PL-1", "PL-2")
@settings(max_examples=settings().max_examples // 2)
@given(generators, exponents, st.integers(10, 40), st.integers(0, 20), st.booleans())
def test_the_exponent_of_matrices_with_such_spectra(rng, alpha, M, more, transposed):
    N, tries = M + more, 15
    total = 0.0
    for _ in range(tries):
        W = prescribed(rng, N, np.sqrt(N * np.sort(sample(rng, alpha, M))))
        eigenvalues = spectrum(W.T if transposed else W, solver="svd").positive
        # Rounding may carry the smallest value below the threshold, but not by this much.
        fit = fit_power_law(eigenvalues, xmin=1.0 - 1e-9)
        assert fit.tail_size == M
        total += M * (alpha - 1) / (fit.alpha - 1)
    assert_gamma(total, M * tries)
