"""The Marchenko-Pastur law in the cases where it is another, known function."""

import math

import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from scipy.integrate import quad

from htsr_ref.errors import EnsembleError
from htsr_ref.randommatrix.marchenko_pastur import MarchenkoPastur

ASPECT_RATIOS = [1.0, 1.0001, 1.5, 9.9, 99.9, 100.1, 1e4, 1e8]


@pytest.mark.spec("RMT-20")
@pytest.mark.parametrize(("Q", "edges"), [(1.0, (0.0, 4.0)), (4.0, (0.25, 2.25)), (16.0, (9, 25))])
def test_edges(Q, edges):
    law = MarchenkoPastur(Q, 16.0 if Q == 16 else 1.0)
    assert (law.lambda_minus, law.lambda_plus) == edges


@pytest.mark.spec("RMT-22")
def test_a_square_matrix_has_the_quarter_circle_of_singular_values():
    x = np.linspace(0.01, 3.99, 50)
    law = MarchenkoPastur(1.0)
    arc = np.sqrt(x * (4 - x))
    expected = (arc + 4 * np.arcsin(np.sqrt(x) / 2)) / (2 * math.pi)
    assert_allclose(law.cdf(x), expected, atol=1e-15)


@pytest.mark.spec("RMT-22", "RMT-23")
def test_a_very_tall_matrix_has_a_semicircle():
    Q = 1e10
    law = MarchenkoPastur(Q)
    t = np.linspace(-0.99, 0.99, 23)
    semicircle = 0.5 + (t * np.sqrt(1 - t * t) + np.arcsin(t)) / math.pi
    # The law differs from its limit by 1/√Q = 1e-5, x from its rounding by 1e-16·√Q of the width.
    assert_allclose(law.cdf(1 + 2 * t / math.sqrt(Q)), semicircle, atol=2e-5)
    assert_allclose(law.quantile(semicircle), 1 + 2 * t / math.sqrt(Q), atol=1e-9)


@pytest.mark.spec("RMT-20", "RMT-22")
@pytest.mark.parametrize("Q", [1.5, 4.0, 50.0])
def test_moments(Q):
    # E x^k = λ₊^k - k·∫ x^(k-1)·cdf(x) dx between the edges.
    law = MarchenkoPastur(Q, 3.0)
    low, high = law.lambda_minus, law.lambda_plus
    moments = [
        high**k - quad(lambda x, k=k: k * x ** (k - 1) * law.cdf(x), low, high)[0] for k in (1, 2)
    ]
    assert_allclose(moments, [3, 9 * (1 + 1 / Q)], rtol=1e-7)


@pytest.mark.spec("RMT-22")
@pytest.mark.parametrize("Q", ASPECT_RATIOS)
def test_the_share_grows_from_edge_to_edge(Q):
    law = MarchenkoPastur(Q)
    share = law.cdf(np.linspace(law.lambda_minus, law.lambda_plus, 101))
    assert (share[0], share[-1]) == (0, 1)
    assert (np.diff(share) > 0).all()


@pytest.mark.spec("RMT-22")
@pytest.mark.parametrize("Q", [2.0, 400.0])
def test_the_share_keeps_its_figures_near_the_lower_edge(Q):
    """Near λ₋ it is (2/3π)·θ³/(1-r)², at an angle θ = √((x - λ₋)/r), r = 1/√Q."""
    law = MarchenkoPastur(Q)
    r, theta = 1 / math.sqrt(Q), 1e-3
    expected = 2 / (3 * math.pi) * theta**3 / (1 - r) ** 2
    assert law.cdf(law.lambda_minus + r * theta**2) == pytest.approx(expected, rel=1e-4)


@pytest.mark.spec("RMT-22")
def test_outside_the_edges():
    law = MarchenkoPastur(4.0)
    x = [-1.0, 0.0, 0.25, 2.25, 5.0]
    assert_array_equal(law.cdf(x), [0, 0, 0, 1, 1])


@pytest.mark.spec("RMT-23")
@pytest.mark.parametrize("Q", ASPECT_RATIOS)
def test_the_ends_of_the_quantiles_are_the_edges(Q):
    law = MarchenkoPastur(Q, 2.0)
    assert_array_equal(law.quantile([0, 1]), [law.lambda_minus, law.lambda_plus])


@pytest.mark.spec("RMT-22", "RMT-23")
def test_the_variance_is_a_scale():
    unit, law = MarchenkoPastur(3.0), MarchenkoPastur(3.0, 0.25)
    x = np.linspace(0.2, 2.4, 9)
    assert_array_equal(law.cdf(x / 4), unit.cdf(x))
    assert_array_equal(law.quantile(unit.cdf(x)), unit.quantile(unit.cdf(x)) / 4)


@pytest.mark.spec("RMT-20", "RMT-23")
def test_what_is_no_law_is_refused():
    for Q, variance in [(0.99, 1.0), (math.inf, 1.0), (math.nan, 1.0), (2.0, 0.0), (2.0, -1.0)]:
        with pytest.raises(EnsembleError, match="no Marchenko-Pastur law"):
            MarchenkoPastur(Q, variance)
    for share in (-0.1, 1.1, math.nan):
        with pytest.raises(EnsembleError, match="between 0 and 1"):
            MarchenkoPastur(2.0).quantile(share)
