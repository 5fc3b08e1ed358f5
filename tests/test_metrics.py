"""Formulas of the metrics, against mpmath and hand computation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mpmath import mp, mpf
from scipy.stats import linregress
from strategies import positive_samples

from htsr_ref import metrics
from htsr_ref.metrics import Line, Mean


@pytest.fixture(autouse=True, scope="module")
def forty_digits():
    with mp.workdps(40):
        yield


spectra = st.builds(
    lambda zeros, sample: np.concatenate((np.zeros(zeros), np.sort(sample))),
    st.integers(0, 3),
    positive_samples,
)
"""Ascending eigenvalues, some of them zero, not all."""

scales = st.sampled_from([1.0, 0.25, 1 / 3, 1 / 1000])
exponents = st.floats(1.01, 40) | st.just(-1.0)


def exact(eigenvalues: np.ndarray) -> list[mpf]:
    return [mpf(float(x)) for x in eigenvalues if x > 0]


def close(value: mpf) -> object:
    return pytest.approx(float(value), rel=1e-12, abs=1e-13)


@pytest.mark.spec("MET-2")
@given(spectra, scales)
def test_frobenius_norm(eigenvalues, scale):
    norm = mp.sqrt(mp.fsum(exact(eigenvalues)) / mpf(scale))
    assert metrics.log10_frobenius_norm(eigenvalues, scale) == close(mp.log10(norm))


@pytest.mark.spec("MET-3")
@given(spectra, scales)
def test_spectral_norm(eigenvalues, scale):
    norm = mp.sqrt(exact(eigenvalues)[-1] / mpf(scale))
    assert metrics.log10_spectral_norm(eigenvalues, scale) == close(mp.log10(norm))


@pytest.mark.spec("MET-2", "MET-3")
@pytest.mark.parametrize("scale", [1.0, 1 / 3])
def test_norms_are_those_of_the_weights_and_not_squared(scale):
    W = np.diag([3.0, 4.0, 12.0])
    eigenvalues = scale * np.array([9.0, 16.0, 144.0])
    frobenius, spectral = np.linalg.norm(W), np.linalg.norm(W, 2)
    assert 10 ** metrics.log10_frobenius_norm(eigenvalues, scale) == pytest.approx(frobenius)
    assert 10 ** metrics.log10_spectral_norm(eigenvalues, scale) == pytest.approx(spectral)


@pytest.mark.spec("MET-4")
@given(spectra, exponents)
def test_alpha_norm(eigenvalues, alpha):
    norm = mp.fsum(x ** mpf(alpha) for x in exact(eigenvalues))
    assert metrics.log10_alpha_norm(eigenvalues, alpha) == close(mp.log10(norm))


@pytest.mark.spec("MET-4")
def test_alpha_norm_of_one_and_ten_squared():
    assert metrics.log10_alpha_norm(np.array([1.0, 10.0]), 2.0) == close(mp.log10(101))


@pytest.mark.spec("MET-4")
@pytest.mark.parametrize("unit", [1e-300, 1e300])
def test_powers_beyond_binary64_neither_overflow_nor_underflow(unit):
    norm = metrics.log10_alpha_norm(np.array([0.0, 0.5 * unit, unit]), 30.0)
    assert norm == pytest.approx(30 * math.log10(unit) + math.log10(1 + 0.5**30), rel=1e-14)


@pytest.mark.spec("MET-4")
@pytest.mark.parametrize("alpha", [-1.0, -2.5])
def test_negative_powers_beyond_binary64_do_not_overflow_either(alpha):
    # λ^α of the smaller ones alone counts, 11 times 10^(-300α); (λ/λ_max)^α is beyond binary64.
    norm = metrics.log10_alpha_norm(np.array([1e-300] * 11 + [1e300]), alpha)
    assert norm == pytest.approx(-300 * alpha + math.log10(11), rel=1e-14)


@pytest.mark.spec("MET-5")
@given(spectra)
def test_stable_rank(eigenvalues):
    values = exact(eigenvalues)
    assert metrics.stable_rank(eigenvalues) == close(mp.fsum(values) / values[-1])
    assert 1 <= metrics.stable_rank(eigenvalues) <= len(values) * (1 + 1e-12)


@pytest.mark.spec("MET-6")
@given(spectra, scales)
def test_log_units_stable_rank(eigenvalues, scale):
    values = exact(eigenvalues)
    ratio = mp.log10(mp.fsum(values) / mpf(scale)) / mp.log10(values[-1])
    assert metrics.log_stable_rank(eigenvalues, scale) == close(ratio)


@pytest.mark.spec("MET-6")
def test_log_units_stable_rank_changes_sign_as_the_largest_passes_one():
    spectrum = np.array([0.5, 0.5])
    assert metrics.log_stable_rank(4 * spectrum, 0.1) == close(mp.log10(40) / mp.log10(2))
    assert metrics.log_stable_rank(2 * spectrum, 0.1) is None
    assert metrics.log_stable_rank(spectrum, 0.1) == close(-1 / mp.log10(2))


@pytest.mark.spec("MET-7")
@given(spectra, st.data())
def test_entropy(eigenvalues, data):
    values = exact(eigenvalues)
    rank = data.draw(st.integers(2, len(values)))
    largest = values[-rank:]
    p = [x / mp.fsum(largest) for x in largest]
    expected = -mp.fsum(x * mp.log(x) for x in p) / mp.log(rank)
    entropy = metrics.entropy(eigenvalues, rank)
    assert entropy == close(expected)
    assert 0 <= entropy <= 1 + 1e-12


@pytest.mark.spec("MET-7")
def test_entropy_of_equal_values_is_one_and_of_fewer_than_two_is_null():
    assert metrics.entropy(np.array([0.0, 0.0, 7.0, 7.0, 7.0]), 3) == pytest.approx(1, abs=1e-15)
    assert metrics.entropy(np.array([1e-30, 7.0]), 1) is None
    assert metrics.entropy(np.array([0.0, 0.0]), 0) is None


@pytest.mark.spec("MET-7")
def test_a_share_that_binary64_cannot_hold_adds_nothing_to_the_entropy():
    assert metrics.entropy(np.array([1e-300, 1e300]), 2) == 0
    expected = math.log(2) / math.log(3)
    assert metrics.entropy(np.array([1e-300, 1e300, 1e300]), 3) == pytest.approx(expected)


@pytest.mark.spec("MET-7")
def test_entropy_of_a_quarter_and_three_quarters():
    expected = -(0.25 * math.log2(0.25) + 0.75 * math.log2(0.75))
    assert metrics.entropy(np.array([1.0, 3.0]), 2) == pytest.approx(expected, rel=1e-15)


@pytest.mark.spec("MET-8")
def test_weighted_alpha_is_in_powers_of_ten_and_may_be_negative():
    assert metrics.weighted_alpha(2.5, 1000.0) == pytest.approx(7.5, rel=1e-15)
    assert metrics.weighted_alpha(2.5, 0.01) == pytest.approx(-5.0, rel=1e-15)
    assert metrics.weighted_alpha(4.0, 1.0) == 0


@pytest.mark.spec("MET-9", "MET-10")
def test_means_are_over_defined_values_and_counted():
    assert metrics.mean([1.0, None, 2.0, 6.0]) == Mean(3.0, 3)
    assert metrics.mean([None, None]) == Mean(None, 0)
    assert metrics.mean([]) == Mean(None, 0)
    assert metrics.mean([0.0]) == Mean(0.0, 1)


@pytest.mark.spec("MET-9", "MET-10")
def test_means_do_not_depend_on_the_order():
    values = [1e16, 1.0, -1e16, 3.0]
    assert metrics.mean(values) == metrics.mean(sorted(values)) == Mean(1.0, 4)


finite = st.floats(-100, 100).map(lambda x: round(x, 6))


@pytest.mark.spec("MET-11")
@given(st.lists(st.tuples(finite, finite), min_size=3, max_size=30, unique_by=lambda xy: xy[0]))
def test_relation_is_the_least_squares_line(points):
    norms, weighted = map(list, zip(*points, strict=True))
    found = metrics.pl_norm_relation(norms, weighted)
    expected = linregress([2 * norm for norm in norms], weighted)
    tolerance = 1e-9 * (1 + abs(expected.slope)) * 200
    assert found.slope == pytest.approx(expected.slope, abs=tolerance)
    assert found.intercept == pytest.approx(expected.intercept, abs=tolerance)
    if np.ptp(weighted) > 0:
        assert found.pearson_r == pytest.approx(expected.rvalue, abs=1e-9)


@pytest.mark.spec("MET-11")
def test_relation_takes_the_squared_norm():
    # Slope 1 and intercept 0: the relation holds exactly.
    assert metrics.pl_norm_relation([0.5, 1.0, 2.0], [1.0, 2.0, 4.0]) == Line(1.0, 0.0, 1.0)


@pytest.mark.spec("MET-11")
def test_correlations_do_not_exceed_one():
    for y in ([1.9, 2.7], [-1.9, -2.7]):
        assert abs(metrics.pl_norm_relation([0.6, 2.4], y).pearson_r) == 1.0


@pytest.mark.spec("MET-16")
def test_the_largest_eigenvalue_alone_is_no_erg_tail():
    # The computed mean of these is above the largest, which no mean is.
    eigenvalues = np.full(15, 0.1)
    eigenvalues[-1] = np.nextafter(0.1, 1.0)
    assert eigenvalues.mean() > eigenvalues[-1]
    assert 2 <= metrics.erg_tail_size(eigenvalues) <= 15


@pytest.mark.spec("MET-16")
def test_eigenvalues_equal_within_the_resolution_have_no_erg_tail():
    eigenvalues = np.array([1.0, 1.5, 2.0])
    assert metrics.erg_tail_size(eigenvalues, resolution=1.0) is None
    # Over the mean 3/2 these are 2/3, 1 and 4/3, whose product 8/9 is the first below 1.
    assert metrics.erg_tail_size(eigenvalues, resolution=0.999) == 3


@pytest.mark.spec("MET-11")
def test_relation_is_undefined_without_two_different_norms():
    assert metrics.pl_norm_relation([], []) is None
    assert metrics.pl_norm_relation([1.0], [2.0]) is None
    assert metrics.pl_norm_relation([1.0, 1.0], [2.0, 3.0]) is None
    assert metrics.pl_norm_relation([1.0, 2.0], [3.0, 3.0]) == Line(0.0, 3.0, None)
