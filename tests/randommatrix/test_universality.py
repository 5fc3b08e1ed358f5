"""Universality classes, the table of fitted exponents and its inverse, the growth of λ_max."""

import csv
import math
from importlib.resources import files

import numpy as np
import pytest
from pareto_matrices import fitted_alphas, pareto_spectrum

from htsr_ref.randommatrix.universality import (
    UniversalityError,
    asymptotic_alpha,
    expected_alpha,
    lambda_max_exponent,
    mu_of_alpha,
    universality_class,
)

TABLE = files("htsr_ref.randommatrix").joinpath("alpha_of_mu.csv").read_text(encoding="utf-8")
ROWS = {
    (float(row["mu"]), int(row["N"]), int(row["M"])): row
    for row in csv.DictReader(TABLE.splitlines())
}


@pytest.mark.spec("RMT-40")
@pytest.mark.parametrize(
    ("mu", "name"),
    [
        (1e-9, "VHT"),
        (math.nextafter(2, 0), "VHT"),
        (2, "border VHT/MHT"),
        (math.nextafter(2, 3), "MHT"),
        (math.nextafter(4, 0), "MHT"),
        (4, "border MHT/WHT"),
        (math.nextafter(4, 5), "WHT"),
        (1e9, "WHT"),
    ],
)
def test_the_class_is_set_by_the_moments_that_exist(mu, name):
    assert universality_class(mu) == name


@pytest.mark.spec("RMT-40", "RMT-41", "RMT-42")
@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan, math.inf])
@pytest.mark.parametrize("question", [universality_class, asymptotic_alpha, lambda_max_exponent])
def test_a_tail_index_is_positive(mu, question):
    with pytest.raises(UniversalityError, match="a tail index is a positive number"):
        question(mu)


@pytest.mark.spec("RMT-41")
@pytest.mark.parametrize(("mu", "alpha"), [(0.5, 1.25), (2, 2), (3, 2.5), (4, None), (5, None)])
def test_the_infinite_matrix_has_a_tail_below_four(mu, alpha):
    assert asymptotic_alpha(mu) == alpha


@pytest.mark.spec("RMT-43")
def test_the_table_is_what_the_specification_says():
    mus, Ns = [sorted({cell[i] for cell in ROWS}) for i in (0, 1)]
    assert (mus[0], mus[-1], len(mus)) == (0.5, 6, 18)
    assert Ns == [48, 100, 200, 500, 1000, 2000]
    assert set(ROWS) == {(mu, N, N // Q) for mu in mus for N in Ns for Q in (1, 2, 4)}
    assert len(TABLE) < 500_000
    for row in ROWS.values():
        figures = [float(row[name]) for name in ("q025", "q25", "median", "q75", "q975")]
        assert figures == sorted(figures)
        assert figures[0] > 1
        assert 0 < float(row["median_error"]) < figures[3] - figures[1]
        assert int(row["draws"]) >= 40


@pytest.mark.spec("RMT-43")
@pytest.mark.parametrize("cell", [(0.75, 100, 50), (1.5, 100, 100), (3.0, 48, 24), (5.0, 100, 25)])
def test_other_draws_agree_with_the_table(cell):
    # Of 400 draws, the share below a quantile q of n other draws has the standard deviation
    # √(q(1-q)·(1/400 + 1/n)). 5.4 of them: 7e-8 a comparison, 9e-7 for all twelve.
    row, rng = ROWS[cell], np.random.default_rng([42, round(100 * cell[0])])
    alphas = fitted_alphas(*cell, 400, rng)
    for name, q in (("q25", 0.25), ("median", 0.5), ("q75", 0.75)):
        deviation = math.sqrt(q * (1 - q) * (1 / 400 + 1 / int(row["draws"])))
        assert abs(np.mean(alphas < float(row[name])) - q) < 5.4 * deviation


@pytest.mark.spec("RMT-43")
@pytest.mark.parametrize("mu", [0.5, 0.75, 1.0, 1.25])
@pytest.mark.parametrize("N", [100, 200, 500, 1000, 2000])
def test_the_very_heavy_tailed_class_is_near_its_limit(mu, N):
    assert expected_alpha(mu, N, N).median == pytest.approx(mu / 2 + 1, abs=0.07)


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize("cell", [(0.5, 48, 48), (2.25, 2000, 500), (6.0, 2000, 2000)])
def test_a_cell_of_the_table_is_returned_as_it_is(cell):
    found, row = expected_alpha(*cell), ROWS[cell]
    figures = {
        "median": found.median,
        "q25": found.lower_quartile,
        "q75": found.upper_quartile,
        "q025": found.low95,
        "q975": found.high95,
        "median_error": found.monte_carlo_error,
    }
    assert figures == pytest.approx({name: float(row[name]) for name in figures}, rel=1e-12)
    assert found.asymptotic == asymptotic_alpha(cell[0])


@pytest.mark.spec("RMT-44")
def test_between_cells_it_is_linear_in_mu_log_n_and_log_q():
    def median(mu, N, M):
        return float(ROWS[mu, N, M]["median"])

    at = math.log(150 / 100) / math.log(200 / 100)
    assert expected_alpha(1.0, 150, 150).median == pytest.approx(
        (1 - at) * median(1.0, 100, 100) + at * median(1.0, 200, 200)
    )
    at = math.log(200 / 125) / math.log(2)
    assert expected_alpha(1.0, 200, 125).median == pytest.approx(
        (1 - at) * median(1.0, 200, 200) + at * median(1.0, 200, 100)
    )
    assert expected_alpha(4.2, 200, 50).median == pytest.approx(
        0.6 * median(4.0, 200, 50) + 0.4 * median(4.5, 200, 50)
    )


@pytest.mark.spec("RMT-44", "RMT-45")
@pytest.mark.parametrize(("N", "M"), [(47, 47), (2001, 1000), (201, 50), (400, 99)])
def test_the_table_is_not_extrapolated_to_other_shapes(N, M):
    for question in (lambda: expected_alpha(1.0, N, M), lambda: mu_of_alpha(2.0, N, M)):
        with pytest.raises(UniversalityError, match=r"N from 48 to 2000 and N/M up to 4: .*\dx\d"):
            question()


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize("mu", [0.4, 6.1])
def test_the_table_is_not_extrapolated_to_other_indices(mu):
    with pytest.raises(UniversalityError, match=f"from 0.5 to 6, .* mu = {mu}"):
        expected_alpha(mu, 100, 100)


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize(("N", "M"), [(100, 101), (0, 0), (100, 0), (100, -1)])
def test_a_shape_has_at_least_as_many_rows_as_columns(N, M):
    with pytest.raises(UniversalityError, match="no shape of a matrix"):
        expected_alpha(1.0, N, M)


@pytest.mark.spec("RMT-45")
def test_the_interval_ends_where_alpha_leaves_the_central_95_percent():
    found = mu_of_alpha(2.0, 300, 200)
    assert expected_alpha(found.low, 300, 200).high95 == pytest.approx(2.0, abs=0.01)
    assert expected_alpha(found.high, 300, 200).low95 == pytest.approx(2.0, abs=0.01)
    assert found.low < 1.6 < found.high


@pytest.mark.spec("RMT-45")
def test_the_interval_is_open_where_the_table_ends_first():
    saturated, least = mu_of_alpha(6.0, 200, 200), mu_of_alpha(1.2, 200, 200)
    assert saturated.high is None
    assert 2 < saturated.low < 4
    assert least.low is None
    assert 0.5 < least.high < 1


@pytest.mark.spec("RMT-45")
@pytest.mark.parametrize("alpha", [1.01, 1000.0, math.nan])
def test_no_index_is_invented_for_an_alpha_that_none_gives(alpha):
    with pytest.raises(UniversalityError, match=r"agrees with no mu from 0.5 to 6"):
        mu_of_alpha(alpha, 100, 100)


@pytest.mark.spec("RMT-45")
def test_the_interval_covers_the_true_index():
    # 95 %, 92 % at least by the errors of the table: P(Bin(200, 0.92) ≤ 158) is 7e-9.
    rng = np.random.default_rng(44)
    found = [mu_of_alpha(alpha, 100, 80) for alpha in fitted_alphas(1.6, 100, 80, 200, rng)]
    covering = [(i.low or 0.0) <= 1.6 <= (i.high or math.inf) for i in found]
    assert sum(covering) > 158
    assert np.mean([i.high is None for i in found]) < 0.1


@pytest.mark.spec("RMT-42")
@pytest.mark.parametrize(("mu", "exponent"), [(0.5, 7), (1, 3), (2, 1), (4, 0), (8, 0)])
def test_the_growth_of_lambda_max(mu, exponent):
    assert lambda_max_exponent(mu) == exponent


@pytest.mark.spec("RMT-42")
@pytest.mark.parametrize("mu", [1.0, 1.5])
def test_lambda_max_grows_as_stated(mu):
    # ln λ_max is nearly 2/μ times a Gumbel variable, whose density at its median is ln(2)/2: the
    # median of n draws has the standard error (2/μ)/(ln(2)·√n). 5.5 of them: 4e-8.
    rng, draws = np.random.default_rng(45), 300
    logs = {
        N: np.median([math.log(pareto_spectrum(mu, N, N, rng).lambda_max) for _ in range(draws)])
        for N in (25, 200)
    }
    error = (2 / mu) / math.log(2) * math.sqrt(2 / draws) / math.log(8)
    assert (logs[200] - logs[25]) / math.log(8) == pytest.approx(
        lambda_max_exponent(mu), abs=5.5 * error
    )
