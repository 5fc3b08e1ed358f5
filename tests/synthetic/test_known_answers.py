"""What is known of a matrix beforehand: against exact laws and arithmetic by hand."""

import math

import mpmath as mp
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import chi2, norm

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.randommatrix import ensembles
from htsr_ref.randommatrix.universality import expected_alpha
from htsr_ref.synthetic import known_answers
from htsr_ref.synthetic.expectations import compare

pytestmark = pytest.mark.spec("RMT-13")


def by_metric(known):
    return {one.metric: one for one in known}


def wishart_law(N: int, M: int, x: float) -> mp.mpf:
    """P(λ_max(WᵀW) ≤ x)·constant for even M: Chiani 2014, by de Bruijn's Pfaffian.

    With a_i = (N-M-1)/2 + i the entries are ∬ sign(v-u)·u^(a_i-1)·v^(a_j-1)·exp(-u-v) over
    [0, x/2]², for which integration by parts gives a recursion in j.
    """
    top = mp.mpf(x) / 2
    a = [mp.mpf(N - M - 1) / 2 + i for i in range(1, M + 1)]
    gammas = [mp.gammainc(s, 0, top) for s in a]
    sums = [2 * a[0] + k for k in range(2 * M - 1)]
    doubled = [mp.gammainc(s, 0, 2 * top) / mp.mpf(2) ** s for s in sums]
    A = mp.zeros(M)
    for i in range(M):
        below = gammas[i] ** 2 / 2
        for j in range(i, M - 1):
            below = a[j] * below - doubled[i + j]
            A[i, j + 1] = (
                (gammas[i] * gammas[j + 1] - 2 * below) / mp.gamma(a[i]) / mp.gamma(a[j + 1])
            )
            A[j + 1, i] = -A[i, j + 1]
    return mp.sqrt(mp.det(A))


@pytest.mark.slow
@pytest.mark.spec("RMT-2")
@pytest.mark.parametrize(("N", "M"), [(2, 2), (6, 4), (30, 10), (40, 40), (80, 40)])
def test_the_largest_eigenvalue_by_its_exact_law(N, M):
    largest = by_metric(known_answers.of_gaussian(N, M, {"sigma": 2.0}))["lambda_max"]
    with mp.workdps(90):
        whole, high, low = (
            wishart_law(N, M, x) for x in (1e6, largest.high * N / 4, largest.low * N / 4)
        )
        assert 1 - high / whole + low / whole < largest.false_alarm


@pytest.mark.spec("RMT-2")
def test_normal_entries_in_closed_form():
    known = by_metric(known_answers.of_gaussian(1600, 900, {"sigma": 0.5}))
    assert known["lambda_max"].value == pytest.approx(0.25 * (70 / 40) ** 2, rel=1e-15)
    assert known["lambda_min"].value == pytest.approx(0.25 * (10 / 40) ** 2, rel=1e-15)
    t = math.sqrt(2 * math.log(2e8))
    assert known["lambda_min"].low == pytest.approx(0.25 * (10 - t) ** 2 / 1600, rel=1e-12)
    size = known["log10_frobenius_norm"]
    assert size.value == pytest.approx(math.log10(600), rel=1e-15)
    # χ² of so many degrees is normal nearly: 5.73 of its deviations are left with 1e-8.
    deviations = (10 ** (2 * size.high) / (0.25 * 1.44e6) - 1) / math.sqrt(2 / 1.44e6)
    assert deviations == pytest.approx(norm.isf(5e-9), rel=0.01)


@pytest.mark.spec("RMT-2")
def test_one_column_is_a_chi_square():
    known = by_metric(known_answers.of_gaussian(9, 1, {"sigma": 1.0}))
    assert known.keys() == {"log10_frobenius_norm", "lambda_min"}
    smallest = known["lambda_min"]
    assert chi2(9).cdf(9 * smallest.low) + chi2(9).sf(9 * smallest.high) <= 1e-8


@pytest.mark.spec("RMT-10")
@pytest.mark.parametrize("rho", [0.0, -0.6, 0.95])
def test_the_norm_of_two_correlated_entries_by_its_exact_law(rho):
    """λ₁z₁² + λ₂z₂² with λ = 1 ± ρ, in polar coordinates."""
    (size,) = known_answers.of_correlated_rows(2, 1, {"rho": rho, "sigma": 3.0})
    assert size.value == pytest.approx(math.log10(math.sqrt(18)), rel=1e-15)
    assert size.low is None

    def beyond(angle):
        form = 9 * ((1 + rho) * math.cos(angle) ** 2 + (1 - rho) * math.sin(angle) ** 2)
        return math.exp(-(10 ** (2 * size.high)) / (2 * form)) / math.pi

    assert quad(beyond, 0, math.pi)[0] < 1e-8


@pytest.mark.spec("RMT-5", "RMT-9", "RMT-10")
def test_norms_of_larger_matrices():
    p = {"sigma": 2.0, "spikes": [3.0, -0.5], "rho": 0.0, "rank": 2, "strength": 3.0}
    squares = {
        known_answers.of_spikes: 4 * 100 * (50 + 2.5),
        known_answers.of_low_rank: 100 * (2 * 9 + 50 * 4),
        known_answers.of_correlated_rows: 4 * 100 * 50,
    }
    for known, square in squares.items():
        size = by_metric(known(100, 50, p))["log10_frobenius_norm"]
        assert size.value == pytest.approx(0.5 * math.log10(square), rel=1e-14)
        assert size.low < size.value < size.high < size.value + 0.1
    # Without correlations the law is χ²: concentration gives an interval that is wider.
    low, high = (10 ** (2 * end) / 4 for end in (size.low, size.high))
    assert chi2(5000).cdf(low) + chi2(5000).sf(high) < 1e-8


@pytest.mark.spec("RMT-5", "RMT-9")
def test_places_of_outliers_and_where_there_are_none():
    spike = {"spikes": [0.5, 3.0], "sigma": 2.0}
    (place,) = known_answers.of_spikes(200, 100, spike)[1:]
    assert place.value == pytest.approx(4 * 4 * (1 + 1 / 6), rel=1e-15)
    signal = {"rank": 2, "strength": 2.0, "sigma": 1.0}
    (place,) = known_answers.of_low_rank(200, 100, signal)[1:]
    assert place.value == pytest.approx(5 * 4.5 / 4, rel=1e-15)
    for known in (
        known_answers.of_spikes(200, 100, {"spikes": [0.7], "sigma": 1.0}),
        known_answers.of_spikes(200, 100, {"spikes": [], "sigma": 1.0}),
        known_answers.of_low_rank(200, 100, {"rank": 2, "strength": 0.8, "sigma": 1.0}),
        known_answers.of_low_rank(200, 100, {"rank": 0, "strength": 8.0, "sigma": 1.0}),
    ):
        assert by_metric(known).keys() == {"log10_frobenius_norm"}


@pytest.mark.spec("RMT-3")
def test_pareto_entries():
    p = {"mu": 2.0, "scale": 3.0}
    known = by_metric(known_answers.of_pareto(200, 100, p))
    assert 10 ** known["log10_frobenius_norm"].low == pytest.approx(3 * math.sqrt(2e4))
    largest = 10 ** known["log10_spectral_norm"].low
    assert (1 - (3 / largest) ** 2) ** 20_000 == pytest.approx(1e-8, rel=1e-6)
    table = expected_alpha(2.0, 200, 100)
    alpha = known["alpha"]
    assert (alpha.value, alpha.low, alpha.high) == (table.median, table.low95, table.high95)
    assert alpha.false_alarm == 0.05
    assert "in the limit 2" in alpha.why
    beyond = by_metric(known_answers.of_pareto(20, 10, p))
    assert beyond.keys() == {"log10_frobenius_norm", "log10_spectral_norm"}


@pytest.mark.spec("RMT-4", "RMT-8")
def test_the_largest_of_other_heavy_entries():
    (size,) = known_answers.of_student(50, 40, {"dof": 1.0, "scale": 2.0})
    # ν = 1 is Cauchy: P(|w| ≤ x) = 2·arctan(x/2)/π.
    inside = 2 * math.atan(10**size.low / 2) / math.pi
    assert inside**2000 == pytest.approx(1e-8, rel=1e-6)
    (size,) = known_answers.of_heavy_part(50, 40, {"mu": 1.0, "weight": 2.0, "sigma": 0.5})
    pareto = 2.0 / (1 - 1e-8 ** (1 / 2000))
    assert 10**size.low == pytest.approx(pareto - 0.5 * math.sqrt(2 * math.log(2e8)), rel=1e-9)
    assert known_answers.of_heavy_part(50, 40, {"mu": 6.0, "weight": 0.1, "sigma": 1.0}) == ()


@pytest.mark.spec("RMT-6")
def test_singular_values_by_hand():
    known = by_metric(known_answers.of_singular_values([3.0, 0.0, 4.0], 4))
    assert {name: one.value for name, one in known.items()} == {
        "log10_frobenius_norm": math.log10(5),
        "lambda_max": 4.0,
        "lambda_min": 0.0,
        "stable_rank": 25 / 16,
        "rank": 2,
    }
    assert all(one.holds(one.value) and one.false_alarm == 0 for one in known.values())
    assert not known["lambda_max"].holds(4.0 + 1e-12)
    assert by_metric(known_answers.of_singular_values([0.0, 0.0], 4)).keys() == {"rank"}
    # Which of two numbers so far apart counts as zero depends on the solver.
    assert "rank" not in by_metric(known_answers.of_singular_values([1.0, 1e-8], 4))


@pytest.mark.spec("RMT-7")
def test_the_exponent_of_two_quantiles_by_hand():
    """Of x₂/x₁ = 3^(1/(α-1)) the fit makes 1 + 2/ln(x₂/x₁)."""
    known = by_metric(known_answers.of_power_law(3, 2, {"alpha": 2.5, "xmin": 1.0}))
    assert known["alpha"].value == pytest.approx(1 + 2 * 1.5 / math.log(3), rel=1e-14)
    assert (known["tail_size"].value, known["ks_distance"].value) == (2, 0.5)


@pytest.mark.spec("RMT-7", "PL-4")
@given(
    alpha=st.floats(1.3, 6.0),
    M=st.integers(1, 80),
    more=st.integers(0, 40),
    seed=st.integers(0, 2**32),
    solver=st.sampled_from(["gram", "svd"]),
)
def test_the_search_takes_all_quantiles(alpha, M, more, seed, solver):
    N = M + more
    known = known_answers.of_power_law(N, M, {"alpha": alpha, "xmin": 0.3})
    eigenvalues = ensembles.power_law_eigenvalues(M, alpha, xmin=0.3)
    W = ensembles.prescribed(np.sqrt(N * eigenvalues), N, np.random.default_rng(seed))
    outcome = compare(analyze({"fc": W}, SDM2020_TEXT, solver=solver), {"fc": known})
    assert outcome.misses == ()
    assert ("alpha" in by_metric(known)) >= (M > 1 and alpha > 1.7)


@pytest.mark.spec("RMT-7")
def test_where_the_solver_loses_the_smallest_eigenvalues_no_exponent_is_known():
    known = by_metric(known_answers.of_power_law(400, 400, {"alpha": 1.1, "xmin": 1.0}))
    assert known.keys() & {"alpha", "rank", "tail_size"} == set()
