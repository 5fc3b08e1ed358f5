"""The table of fitted exponents."""

import csv
import math
from importlib.resources import files

import numpy as np
import pytest
from pareto_matrices import fitted_alphas

from htsr_ref.randommatrix.universality import UniversalityError, expected_alpha

TABLE = files("htsr_ref.randommatrix").joinpath("alpha_of_mu.csv").read_text(encoding="utf-8")
ROWS = {
    (float(row["mu"]), int(row["N"]), int(row["M"])): row
    for row in csv.DictReader(TABLE.splitlines())
}


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize("mu", [0.0, -1.0, math.nan, math.inf])
def test_a_tail_index_is_positive(mu):
    with pytest.raises(UniversalityError, match="a tail index is a positive number"):
        expected_alpha(mu, 100, 100)


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


@pytest.mark.slow
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


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize(("N", "M"), [(47, 47), (2001, 1000), (201, 50), (400, 99)])
def test_the_table_is_not_extrapolated_to_other_shapes(N, M):
    with pytest.raises(UniversalityError, match=r"N from 48 to 2000 and N/M up to 4: .*\dx\d"):
        expected_alpha(1.0, N, M)


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize("mu", [0.4, 6.1])
def test_the_table_is_not_extrapolated_to_other_indices(mu):
    with pytest.raises(UniversalityError, match=f"from 0.5 to 6, .* mu = {mu}"):
        expected_alpha(mu, 100, 100)


@pytest.mark.spec("RMT-44")
@pytest.mark.parametrize(("N", "M"), [(100, 101), (0, 0), (100, 0), (100, -1)])
def test_a_shape_has_at_least_as_many_rows_as_columns(N, M):
    with pytest.raises(UniversalityError, match="not the shape of a matrix"):
        expected_alpha(1.0, N, M)
