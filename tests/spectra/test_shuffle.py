"""Shuffled copies: distances, p-values and verdicts against independent computations."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom, ks_2samp, wasserstein_distance
from strategies import generators, matrices, seeds

from htsr_ref.errors import HtsrError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.extreme import tail_index
from htsr_ref.randommatrix.ensembles import (
    correlated_rows,
    gaussian,
    low_rank_plus_noise,
    pareto,
    power_law_eigenvalues,
    prescribed,
)
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum
from htsr_ref.spectra.shuffle import ShuffleNull, shuffle_null

FALSE_ALARM = 1e-10


def shuffled(W: np.ndarray, seed: int, **options) -> ShuffleNull:
    return shuffle_null(W, spectrum(W, solver="gram"), np.random.default_rng(seed), **options)


@pytest.mark.spec("RMT-60", "RMT-61", "RMT-62", "RMT-63")
@pytest.mark.parametrize("normalization", ["1/N", "none"])
@pytest.mark.parametrize("shuffles", [19, 24])
def test_every_number_against_its_definition(normalization, shuffles):
    rng = np.random.default_rng(5)
    W = rng.standard_t(3, (50, 40))
    copies: list[Spectrum] = []

    def alpha_of(copy: Spectrum) -> float:
        copies.append(copy)
        return fit_power_law(copy.positive).alpha

    eigen = spectrum(W, normalization=normalization)
    null = shuffle_null(W, eigen, rng, shuffles=shuffles, alpha_of=alpha_of)
    assert len(copies) == null.shuffles == shuffles
    whole = [eigen.eigenvalues, *(copy.eigenvalues for copy in copies)]
    for copy in copies:
        # Other matrices with the same entries: the trace stays, the spectrum does not.
        assert copy.eigenvalues.sum() == pytest.approx(eigen.eigenvalues.sum(), rel=1e-12)
        assert abs(copy.lambda_max / eigen.lambda_max - 1) > 1e-6
        assert (copy.N, copy.M, copy.scale) == (eigen.N, eigen.M, eigen.scale)
    distances = [
        sum(wasserstein_distance(one, other) for other in whole) / shuffles for one in whole
    ]
    assert null.wasserstein == pytest.approx(distances[0], rel=1e-12)
    assert null.p_distance == np.mean(np.array(distances) >= distances[0] * (1 - 1e-9))
    largest = np.array([copy.lambda_max for copy in copies])
    assert null.p_lambda_max == (1 + np.count_nonzero(largest >= eigen.lambda_max)) / (1 + shuffles)
    assert null.lambda_max == pytest.approx(np.median(largest), rel=1e-12)
    assert null.ks_distance == pytest.approx(
        np.mean([ks_2samp(whole[0], copy).statistic for copy in whole[1:]]), rel=1e-12
    )
    alphas = [fit_power_law(copy.positive).alpha for copy in copies]
    assert null.alpha == pytest.approx(np.median(alphas), rel=1e-12)
    indices = [tail_index(copy.positive).xi for copy in copies]
    assert null.xi == pytest.approx(np.median(indices), rel=1e-12)
    assert null.entry_share == pytest.approx((W**2).max() / (W**2).sum(), rel=1e-12)


@pytest.mark.spec("RMT-60")
def test_every_entry_can_come_to_every_place():
    # The only entry that is not zero gives λ = 1 wherever it stands; what tells its places apart
    # is a second one: in the same row or column they share one eigenvalue, 2, elsewhere they are 1.
    W = np.zeros((4, 3))
    W[0, 0] = W[1, 1] = 1.0
    eigen = spectrum(W, normalization="none")
    tries = 1000
    found: list[float] = []
    shuffle_null(
        W,
        eigen,
        np.random.default_rng(1),
        shuffles=tries,
        alpha_of=lambda copy: found.append(round(copy.lambda_max, 9)),
    )
    assert set(found) == {1.0, 2.0}
    # Of the 11 places left to the second, 2 lie in the row and 3 in the column of the first.
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], tries, 5 / 11)
    assert low <= found.count(2.0) <= high


@pytest.mark.slow
@pytest.mark.spec("RMT-62")
@settings(max_examples=2)
@given(generators, st.booleans())
def test_independent_entries_are_found_correlated_as_often_as_the_level_says(rng, heavy):
    draws, small, either = 200, [0, 0], 0
    for _ in range(draws):
        W = pareto(12, 10, 1.5, rng) if heavy else gaussian(12, 10, rng)
        null = shuffle_null(W, spectrum(W, solver="gram"), rng, alpha_of=lambda _: None)
        at_level = [null.p_distance <= 0.05, null.p_lambda_max <= 0.05]
        small = [count + hit for count, hit in zip(small, at_level, strict=True)]
        either += null.verdict in ("correlations", "both")
    # p is uniform on 0.05, 0.10, …, 1.
    low, high = binom.ppf([FALSE_ALARM / 2, 1 - FALSE_ALARM / 2], draws, 0.05)
    assert all(low <= count <= high for count in small)
    assert max(small) <= either <= sum(small)


STRONG = [
    pytest.param(lambda rng: gaussian(60, 50, rng), "neither", id="Gaussian"),
    pytest.param(lambda rng: pareto(60, 50, 1.0, rng), "heavy-tailed entries", id="Pareto"),
    pytest.param(
        lambda rng: low_rank_plus_noise(60, 50, 2, rng, strength=4.0), "correlations", id="low rank"
    ),
    pytest.param(lambda rng: correlated_rows(60, 50, 0.8, rng), "correlations", id="rows"),
    pytest.param(
        lambda rng: prescribed(np.sqrt(power_law_eigenvalues(50, 2.0)), 60, rng),
        "correlations",
        id="power law",
    ),
    pytest.param(
        lambda rng: np.repeat(pareto(60, 50, 2.0, rng)[:30], 2, axis=0), "both", id="equal rows"
    ),
]


@pytest.mark.slow
@pytest.mark.spec("RMT-63", "RMT-64")
@pytest.mark.parametrize(("draw", "verdict"), STRONG)
def test_the_verdict(draw, verdict):
    draws = 30
    verdicts = [shuffled(draw(np.random.default_rng(seed)), seed).verdict for seed in range(draws)]
    # False correlations have a probability of at most 0.1; strong ones are always found.
    wrong = sum(found != verdict for found in verdicts)
    assert wrong <= binom.ppf(1 - FALSE_ALARM, draws, 0.1)
    if verdict == "correlations":
        assert wrong == 0


@pytest.mark.spec("RMT-62", "RMT-64")
@pytest.mark.parametrize(
    "W",
    [np.full((30, 20), 0.3), np.eye(1), np.ones((40, 1)) * np.arange(1, 41)[:, None]],
    ids=["constant", "1x1", "one column"],
)
def test_copies_that_equal_the_matrix_within_rounding_are_equal(W):
    null = shuffled(W, 0)
    assert (null.p_distance, null.p_lambda_max) == (1.0, 1.0)
    assert null.wasserstein <= 1e-12 * null.lambda_max


@pytest.mark.spec("RMT-61", "RMT-62")
def test_a_narrow_spectrum_differs_though_its_largest_value_does_not_stand_out():
    W = prescribed(np.ones(40), 50, np.random.default_rng(3))
    null = shuffled(W, 0)
    assert (null.p_distance, null.p_lambda_max) == (0.05, 1.0)
    # None of the copies' values but by chance; theirs spread over Marchenko-Pastur's bulk.
    assert null.wasserstein > 0.5 / 50
    assert null.verdict == "correlations"


@pytest.mark.spec("RMT-65")
@settings(max_examples=20)
@given(matrices, seeds, st.integers(-30, 30))
def test_scaling(W, seed, exponent):
    if not W.any():
        return
    before, after = shuffled(W, seed), shuffled(2.0**exponent * W, seed)
    factor = 4.0**exponent
    assert after == dataclasses.replace(
        before,
        wasserstein=factor * before.wasserstein,
        lambda_max=factor * before.lambda_max,
    )


@pytest.mark.spec("RMT-61")
def test_copies_without_an_exponent_have_none():
    null = shuffled(gaussian(6, 5, np.random.default_rng(0)), 0, alpha_of=lambda _: None)
    assert null.alpha is None
    assert shuffled(np.ones((3, 1)), 0).alpha is None
    assert shuffled(np.ones((3, 1)), 0).xi is None


def test_the_same_state_gives_the_same_result():
    W = gaussian(30, 20, np.random.default_rng(0))
    assert shuffled(W, 1) == shuffled(W, 1)
    assert shuffled(W, 1) != shuffled(W, 2)


def test_the_matrix_is_left_alone():
    W = gaussian(30, 20, np.random.default_rng(0))
    kept = W.copy()
    shuffled(W, 1)
    np.testing.assert_array_equal(W, kept)


@pytest.mark.spec("RMT-60", "RMT-62")
@pytest.mark.parametrize(
    ("W", "shuffles", "message"),
    [(np.eye(3), 18, "18 shuffles cannot give a p-value of 0.05"), (np.zeros((3, 2)), 19, "zero")],
)
def test_what_cannot_be_tested_is_refused(W, shuffles, message):
    with pytest.raises(HtsrError, match=message) as caught:
        shuffled(W, 0, shuffles=shuffles)
    assert "\n" not in str(caught.value)
