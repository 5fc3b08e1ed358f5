"""A matrix whose eigenvalues are the quantiles of a power law: every metric in closed form.

With a = 1/(α - 1) the quantiles at (i - ½)/M are λ = (2M)^a·(2j - 1)^-a, j = M … 1. The product
of the first n odd numbers is (2n)!/(2^n·n!), so that the exponent of every tail is known.
"""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from strategies import generators

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.randommatrix.ensembles import power_law_eigenvalues, prescribed
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.solvers import solver_error


def quantiles(a: mpf, M: int) -> list[mpf]:
    """λ/scale, ascending."""
    return [(mpf(2 * M) / odd) ** a for odd in range(2 * M - 1, 0, -2)]


def tail_alpha(a: mpf, n: int) -> mpf:
    """Maximum-likelihood exponent of the n largest quantiles above the smallest of them."""
    odd = mp.loggamma(2 * n + 1) - n * mp.log(2) - mp.loggamma(n + 1)
    return 1 + n / (a * (n * mp.log(2 * n - 1) - odd))


def matrix(rng: np.random.Generator, alpha: float, M: int, more: int, scale: float) -> np.ndarray:
    N = M + more
    return prescribed(np.sqrt(N * power_law_eigenvalues(M, alpha, xmin=scale)), N, rng)


def assert_closed_form(found: MatrixReport, alpha: float, M: int, scale: float) -> None:
    with mp.workdps(30):
        a = 1 / (mpf(alpha) - 1)
        eigenvalues = [scale * x for x in quantiles(a, M)]
        trace, largest = mp.fsum(eigenvalues), eigenvalues[-1]
        fitted = tail_alpha(a, found.tail_size)
        log_N, log_max = mp.log10(found.N), mp.log10(largest)
        shares = [x / trace for x in eigenvalues]
        expected = {
            "lambda_max": largest,
            "alpha": fitted,
            "log10_frobenius_norm": (log_N + mp.log10(trace)) / 2,
            "log10_spectral_norm": (log_N + log_max) / 2,
            "log10_alpha_norm": mp.log10(mp.fsum(x**fitted for x in eigenvalues)),
            "stable_rank": trace / largest,
            "entropy": -mp.fsum(p * mp.log(p) for p in shares) / mp.log(M),
            "weighted_alpha": fitted * log_max,
        }
        if abs(log_max) > 1e-3:
            expected["log_stable_rank"] = (log_N + mp.log10(trace)) / log_max
    # SPC-4 for svd, twice: W itself is rounded. Relative to λ_min it is largest, where
    # √(λ_max/λ_min) = (2M)^(a/2) at most; α is 1 + 1/mean of differences of ln λ.
    relative = 4 * solver_error(found.N) * (2 * M) ** (0.5 / (alpha - 1))
    tolerance = 2 * relative * float(fitted) * (1 + float(fitted)) * (1 + abs(float(log_max)))
    for name, value in expected.items():
        assert getattr(found, name) == pytest.approx(float(value), rel=tolerance, abs=tolerance), (
            name
        )
    assert (found.rank, found.num_zero, found.num_eigenvalues) == (M, 0, M)


layers = st.tuples(
    generators,
    st.floats(1.6, 6.0),
    st.integers(4, 40),
    st.integers(0, 30),
    st.sampled_from([1e-3, 0.02, 1.0, 300.0]),
)


@pytest.mark.spec("SPC-1", "PL-2", "MET-1", "MET-2", "MET-3", "MET-4", "MET-5", "MET-6", "MET-7")
@pytest.mark.spec("MET-8", "MAT-1")
@given(layers, st.booleans())
def test_a_matrix(layer, transposed):
    _, alpha, M, _, scale = layer
    W = matrix(*layer)
    (found,) = (
        analyze({"W": W.T if transposed else W}, SDM2020_TEXT, solver="svd").layers[0].matrices
    )
    assert_closed_form(found, alpha, M, scale)


@pytest.mark.spec("MET-10")
@given(st.lists(layers, min_size=1, max_size=4))
def test_a_model(drawn):
    report = analyze(
        {f"fc{i}": matrix(*layer) for i, layer in enumerate(drawn)}, SDM2020_TEXT, solver="svd"
    )
    alpha_hats, log_norms = [], []
    for (_, alpha, M, more, scale), layer in zip(drawn, report.layers, strict=True):
        a = 1 / (mpf(alpha) - 1)
        fitted = tail_alpha(a, layer.matrices[0].tail_size)
        alpha_hats.append(float(fitted * mp.log10(scale * mpf(2 * M) ** a)))
        log_norms.append(float(mp.log10((M + more) * scale * mp.fsum(quantiles(a, M))) / 2))
    assert report.model.alpha_hat == pytest.approx(math.fsum(alpha_hats) / len(drawn), abs=1e-9)
    assert report.model.mean_log10_frobenius_norm == pytest.approx(
        math.fsum(log_norms) / len(drawn), abs=1e-9
    )
