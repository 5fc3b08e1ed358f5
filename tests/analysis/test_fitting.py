"""The fit of a spectrum as a convention wants it: what enters, and what is refused.

The numbers themselves: conformance/test_convention_vectors.py.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, haar

from htsr_ref.analysis.fitting import fit_eigenvalues, selected
from htsr_ref.conventions import SDM2020_TEXT, Convention
from htsr_ref.errors import NoFitError
from htsr_ref.layers.matrices import Pool, matrix_from_array
from htsr_ref.powerlaw import TailFit, fit_power_law
from htsr_ref.powerlaw.fingers import clip_fingers
from htsr_ref.powerlaw.laws import fit_law
from htsr_ref.spectra.accuracy import accuracy_of
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum
from htsr_ref.spectra.solvers import solver_error

RENORMALIZED = {"xmax": "largest", "ks_model": "renormalized"}


def fit(values: np.ndarray, **fields: object) -> TailFit:
    return fit_spectrum(eigen(values), SDM2020_TEXT.override(fields))


def fit_spectrum(found: Spectrum, convention: Convention) -> TailFit:
    return fit_eigenvalues(found.eigenvalues, accuracy_of(found), convention)


def eigen(values: np.ndarray) -> Spectrum:
    ascending = np.sort(values)
    return Spectrum(ascending, ascending.size, ascending.size, 1.0, "svd", 0.0)


def pareto(rng: np.random.Generator, n: int = 60) -> np.ndarray:
    return rng.pareto(1.5, n) + 1.0


@pytest.mark.spec("CNV-5", "CNV-6")
@pytest.mark.parametrize("xmin", ["ks", "peak", "peak-slip", "grid", 1.5])
@given(generators)
def test_the_plain_fit_is_that_of_samples(xmin, rng):
    values = pareto(rng)
    found = fit(values, xmin=xmin)
    expected = fit_power_law(values, xmin=xmin)
    for name in (
        "alpha",
        "stderr",
        "ci95",
        "xmin",
        "tail_size",
        "sample_size",
        "ks_distance",
        "ks",
    ):
        assert getattr(found, name) == getattr(expected, name)
    assert found.start == values.size - found.tail_size
    assert found.xmax is None


@pytest.mark.spec("CNV-5")
@pytest.mark.parametrize(
    ("estimator", "law", "fields"),
    [
        ("truncated", "truncated_power_law", {}),
        ("bounded-mle", "bounded_power_law", RENORMALIZED),
    ],
)
@pytest.mark.parametrize("xmin", ["ks", "peak-slip", 1.5])
def test_other_laws_are_searched_as_in_samples(estimator, law, fields, xmin):
    values = pareto(np.random.default_rng(7), 40)
    found = fit(values, estimator=estimator, xmin=xmin, **fields)
    expected = fit_law(values, law, xmin=xmin)
    assert found.alpha == expected.law.alpha
    assert (found.xmin, found.tail_size) == (expected.law.xmin, expected.tail_size)
    assert found.ks_distance == pytest.approx(expected.ks_distance, rel=1e-12)
    assert found.xmax == (values.max() if fields else None)


@pytest.mark.spec("CNV-6")
def test_tied_points_before_the_median_stay_outside():
    values = np.array([1.0, 2.0, 2.0, 2.0, 3.0, 5.0])
    found = fit(values, xmin="median", xmin_position=2.0)
    assert (found.xmin, found.tail_size) == (2.0, 3)
    alpha = 1 + 3 / np.log([1.0, 1.5, 2.5]).sum()
    assert found.alpha == pytest.approx(alpha, rel=1e-14)


@pytest.mark.spec("CNV-6")
def test_an_erg_tail_of_values_below_the_floor_begins_at_the_floor():
    values = np.array([0.5, 0.5, 0.6, 0.8, 3.0, 4.0])
    whole = fit(values, xmin="erg")
    assert whole.xmin == 0.6
    assert fit(values, xmin="erg", eigenvalue_floor=0.7).xmin == 0.8


@pytest.mark.spec("CNV-9")
@given(generators, st.integers(2, 8))
def test_fingers_are_clipped_as_in_samples(rng, most):
    values = np.concatenate((rng.pareto(4.0, 50) + 1.0, 1e6 * (rng.random(3) + 1)))
    found = fit(values, clip_fingers=most)
    expected = clip_fingers(values, max_fingers=most + 1)
    assert replace(found, xmax=None) == expected
    assert found.xmax == np.sort(values)[expected.sample_size - 1]
    assert values.size - expected.sample_size <= most


@pytest.mark.spec("SPC-10", "SPC-11")
def test_what_enters_the_fit():
    values = np.array([0.0, 1e-9, 1e-5, 2e-5, 1.0, 2.0])
    for fields, expected in [
        ({}, values[1:]),
        ({"drop_smallest": 2}, values[2:]),
        ({"eigenvalue_floor": "none", "drop_smallest": 1}, values[1:]),
        ({"eigenvalue_floor": 1e-5}, values[3:]),
        ({"eigenvalue_floor": 1e-5, "drop_smallest": 4}, values[4:]),
    ]:
        np.testing.assert_array_equal(
            selected(values, accuracy_of(eigen(values)), SDM2020_TEXT.override(fields)), expected
        )


@pytest.mark.spec("CNV-8")
def test_the_rule_for_few_eigenvalues_ends_at_twenty_above_the_floor():
    rng = np.random.default_rng(3)
    for n in (19, 20):
        values = np.concatenate((np.full(5, 1e-7), pareto(rng, n)))
        found = fit(values, small_samples="corrected", eigenvalue_floor=1e-5)
        plain = fit_power_law(values[5:])
        assert ((found.alpha, found.xmin) == (plain.alpha, plain.xmin)) == (n == 20)
        assert n == 20 or found.tail_size >= 8


@pytest.mark.spec("PL-7", "SPC-10", "CNV-6", "CNV-8")
@pytest.mark.parametrize(
    ("values", "fields", "reason"),
    [
        ([0.0, 0.0], {}, "all eigenvalues are zero"),
        (
            [0.0, 1e-6],
            {"eigenvalue_floor": 1e-5},
            "no eigenvalue is above eigenvalue_floor = 1e-05",
        ),
        ([2.0, 2.0], {"xmin": "erg"}, "all eigenvalues are equal"),
        ([1.0, 2.0, 2.0], {"xmin": "median", "xmin_position": 2.0}, "the rule xmin = median"),
        ([1.0, 2.0], {"estimator": "mle-unbiased"}, "the rule xmin = ks"),
        ([2.0, 2.0], {"small_samples": "corrected"}, "the rule xmin = ks"),
        ([2.0, 2.0], RENORMALIZED, "all 2 positive values are equal"),
        ([1.0, 2.0], {"xmin": 5.0}, "no value lies above xmin = 5.0"),
        ([1.0, 2.0], {"xmin": 5.0, "estimator": "truncated"}, "the rule xmin = 5.0"),
    ],
)
def test_what_has_no_fit_has_a_reason(values, fields, reason):
    with pytest.raises(NoFitError) as refusal:
        fit(np.array(values), **fields)
    assert reason in str(refusal.value)


@pytest.mark.spec("PL-7", "SPC-4", "SPC-6")
@pytest.mark.parametrize("r", [0.0, 2.0**-53, 2.0**-11])
@pytest.mark.parametrize("solver", ["gram", "svd"])
def test_a_tail_is_equal_within_its_errors_up_to_twice_their_sum(solver, r):
    # Eight eigenvalues of a 100×8 matrix: seven of 3 and a smaller one, which is xmin.
    s, error = r * (1 / 10 + 1 / np.sqrt(8)), solver_error(100)
    trace, largest = 24.0, 3.0
    solving = error * largest if solver == "gram" else (2 * error + error**2) * largest
    bound = 2 * (2 * s * np.sqrt(trace * largest) + s**2 * trace + solving)
    for share, fitted in ((0.98, False), (1.02, True)):
        values = np.concatenate(([3.0 - share * bound], np.full(7, 3.0)))
        found = Spectrum(values, 100, 8, 1.0, solver, r)
        if fitted:
            assert fit_spectrum(found, SDM2020_TEXT).tail_size == 8
        else:
            with pytest.raises(NoFitError, match="above xmin are equal within their errors"):
                fit_spectrum(found, SDM2020_TEXT)


@pytest.mark.spec("PL-7", "SPC-12")
def test_a_pool_is_as_coarse_as_its_coarsest_matrix():
    # Rounding to float16 spreads the eigenvalues of the one; those of the other are all 1/64.
    coarse = matrix_from_array(haar(np.random.default_rng(1), 64, 64).astype(np.float16))
    fine = matrix_from_array(np.eye(64))
    for members in ((coarse, fine), (fine, coarse)):
        pool = Pool("", 64, 64, members, fine.origin)
        with pytest.raises(NoFitError, match="above xmin are equal within their errors"):
            fit_spectrum(spectrum(pool), SDM2020_TEXT)


@pytest.mark.spec("CNV-7")
@given(generators)
def test_a_renormalized_distance_vanishes_at_the_upper_end(rng):
    values = pareto(rng, 30)
    convention: Convention = SDM2020_TEXT.override({**RENORMALIZED, "ks": "one-sided", "xmin": 1.0})
    found = fit_spectrum(eigen(values), convention)
    tail = np.sort(values)
    cdf = 1 - tail ** (1 - found.alpha)
    gaps = np.abs(cdf / cdf[-1] - np.arange(30) / 30)
    assert found.ks_distance == pytest.approx(gaps.max(), abs=1e-13)
    assert found.alpha == pytest.approx(1 + 30 / np.log(tail).sum(), rel=1e-13)


@pytest.mark.spec("CNV-5")
@pytest.mark.parametrize(
    ("estimator", "others"), [("bounded-mle", RENORMALIZED), ("truncated", {})]
)
def test_the_interval_is_that_of_the_estimator(estimator, others):
    found = fit(np.linspace(1.0, 3.0, 60), **others, estimator=estimator, xmin=1.0)
    assert found.alpha < 1  # where the formula of the plain law gives a negative error
    assert found.stderr > 0
    half = 1.959963984540054 * found.stderr
    assert found.ci95 == (found.alpha - half, found.alpha + half)


@pytest.mark.spec("PL-5", "SPC-13")
def test_a_given_threshold_fits_values_that_are_equal():
    found = fit(np.array([np.nextafter(3.0, 2.0), 3.0]), xmin=1.0)
    assert found.alpha == pytest.approx(1 + 1 / np.log(3.0), rel=1e-14)
    with pytest.raises(NoFitError, match="equal within their errors"):
        fit(np.array([np.nextafter(3.0, 2.0), 3.0]))
