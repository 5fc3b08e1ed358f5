"""The goodness-of-fit test of Clauset, Shalizi & Newman."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.uncertainty import goodness_of_fit
from htsr_ref.powerlaw.uncertainty.p_value import draw_samples, draw_tails

KINDS = pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
FOLDER = Path(__file__).parents[2] / "spec" / "published" / "clauset2009"


def power_law(n: int, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).exponential(1 / 1.5, n))


def body_and_tail(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(n) < 0.5, rng.random(n), power_law(n, seed + 1))


@pytest.mark.spec("PL-49")
def test_samples_are_the_body_resampled_and_a_tail_of_the_law():
    x = np.array([0.1, 0.2, 0.5, 1.0, 2.0, 4.0])
    drawn = draw_samples(np.random.default_rng(1), np.log(x), 3, 2.5, 20_000)
    assert (np.diff(drawn, axis=1) >= 0).all()
    body, tail = drawn[drawn < 0], drawn[drawn >= 0]
    values, counts = np.unique(body, return_counts=True)
    assert values.tolist() == np.log(x[:3]).tolist()
    assert stats.chisquare(counts).pvalue > 0.001
    # Each point is one of the tail's with probability 1/2, independently of the others.
    in_tail = (drawn >= 0).sum(axis=1)
    expected = stats.binom.pmf(np.arange(7), 6, 0.5) * len(drawn)
    assert stats.chisquare(np.bincount(in_tail), expected).pvalue > 0.001
    assert stats.kstest(tail, stats.expon(scale=1 / 1.5).cdf).pvalue > 0.001


@pytest.mark.spec("PL-40", "PL-49")
def test_samples_of_equal_values_are_drawn_again():
    # One point in the body, two in the tail: all three fall into the body once in 27.
    drawn = draw_samples(np.random.default_rng(1), np.array([-1.0, 0.0, 1.0]), 1, 2.0, 5000)
    assert (drawn[:, 0] < drawn[:, -1]).all()
    assert (drawn[:, 1] == -1.0).any()


@pytest.mark.spec("PL-53")
def test_tails_of_a_known_threshold_are_exponential():
    drawn = draw_tails(np.random.default_rng(2), 8, 3000, begin_at_xmin=False)
    assert stats.kstest(drawn.ravel(), "expon").pvalue > 0.001
    assert (np.diff(drawn, axis=1) >= 0).all()
    begun = draw_tails(np.random.default_rng(2), 8, 3000, begin_at_xmin=True)
    assert (begun[:, 0] == 0).all()
    assert stats.kstest(begun[:, 1:].ravel(), "expon").pvalue > 0.001


@pytest.mark.slow
@pytest.mark.spec("PL-49", "PL-50")
@KINDS
@pytest.mark.parametrize("sample", [power_law(60), body_and_tail(150), np.arange(1.0, 40.0)])
def test_p_is_that_of_a_plain_loop(ks, sample):
    fit = fit_power_law(sample, ks=ks)
    rng = np.random.default_rng(5)
    body = sample[sample < fit.xmin]
    replicas = 600
    not_smaller = 0
    for _ in range(replicas):
        above = rng.binomial(sample.size, fit.tail_size / sample.size)
        tail = fit.xmin * (1 - rng.random(above)) ** (-1 / (fit.alpha - 1))
        below = rng.choice(body, sample.size - above) if body.size else []
        again = fit_power_law(np.concatenate((below, tail)), ks=ks)
        not_smaller += again.ks_distance >= fit.ks_distance
    p = not_smaller / replicas
    found = goodness_of_fit(sample, fit)
    error = np.sqrt(p * (1 - p) * (1 / replicas + 1 / found.replicas))
    assert found.p_value == pytest.approx(p, abs=4 * error + 1e-3)


@pytest.mark.spec("PL-50")
@KINDS
def test_distances_that_are_equal_but_for_rounding_are_not_smaller(ks):
    # All tails of two points lie equally far from their fits.
    assert goodness_of_fit([1.0, 2.3], fit_power_law([1.0, 2.3], ks=ks)).p_value == 1.0


@pytest.mark.slow
@pytest.mark.spec("PL-50")
@pytest.mark.parametrize(
    ("data", "replicas"),
    [("blackouts", 2500), ("surnames", 1500), ("flares", 300), ("cities", 200)],
)
def test_published_p_values(data, replicas):
    with (FOLDER / "table.csv").open(encoding="utf-8") as file:
        printed = {row["data"]: float(row["p_value"]) for row in csv.DictReader(file)}[data]
    x = np.loadtxt(FOLDER / f"{data}.txt")
    found = goodness_of_fit(x, fit_power_law(x, ks="one-sided"), replicas=replicas)
    # Theirs has the error of 2,500 replicas, and two decimals; 3/N stands for p = 1.
    p = found.p_value
    error = np.sqrt(max(p * (1 - p), 1e-2) * (1 / replicas + 1 / 2500))
    assert p == pytest.approx(printed, abs=3 * error + 0.005)


@pytest.mark.slow
@pytest.mark.spec("PL-53")
@pytest.mark.parametrize("n", [20, 100])
@pytest.mark.parametrize(
    ("percentage", "modified"), [(15, 0.926), (10, 0.990), (5, 1.094), (1, 1.308)]
)
def test_known_threshold_reproduces_stephens_table_for_exponential_samples(n, percentage, modified):
    # ln(x/xmin) is exponential with an unknown mean. Stephens, JASA 69 (1974) 730, gives percentage
    # points of (D - 0.2/n)(√n + 0.26 + 0.5/√n).
    sample = power_law(n)
    distance = modified / (np.sqrt(n) + 0.26 + 0.5 / np.sqrt(n)) + 0.2 / n
    fit = replace(fit_power_law(sample, xmin=0.999), ks_distance=distance)
    found = goodness_of_fit(sample, fit, xmin="known", replicas=10_000)
    error = np.sqrt(found.p_value * (1 - found.p_value) / 10_000)
    assert found.p_value == pytest.approx(percentage / 100, abs=4 * error + 0.05 * percentage / 100)


@pytest.mark.spec("PL-53")
@KINDS
def test_one_point_above_a_known_threshold_is_always_as_far(ks):
    fit = fit_power_law([1.0, 5.0], ks=ks, xmin=2.0)
    assert goodness_of_fit([1.0, 5.0], fit, xmin="known", replicas=50).p_value == 1.0


@pytest.mark.spec("PL-50")
def test_p_is_a_share_of_the_replicas():
    found = goodness_of_fit(body_and_tail(100), fit_power_law(body_and_tail(100)), replicas=400)
    assert 0 < found.p_value < 1
    # Not (r + 1)/(N + 1).
    assert (400 * found.p_value) == pytest.approx(round(400 * found.p_value), abs=1e-9)


@pytest.mark.spec("PL-52")
def test_the_fit_is_one_of_the_sample():
    x = power_law(50)
    fit = fit_power_law(x)
    for other in (x[:-1], 3 * x, power_law(50, seed=9)):
        for xmin in ("searched", "known"):
            with pytest.raises(SampleError, match="not one of this sample"):
                goodness_of_fit(other, fit, xmin=xmin)


@pytest.mark.spec("PL-52")
def test_a_threshold_that_was_not_searched_is_named_as_known():
    x = body_and_tail(200)
    median = fit_power_law(x, xmin="median")
    assert median.xmin != fit_power_law(x).xmin
    with pytest.raises(SampleError, match='pass xmin="known"'):
        goodness_of_fit(x, median)
    assert 0 <= goodness_of_fit(x, median, xmin="known", replicas=100).p_value <= 1


@pytest.mark.spec("PL-42")
@pytest.mark.parametrize("xmin", ["searched", "known"])
def test_a_seed_fixes_the_result_and_is_recorded(xmin):
    x = body_and_tail(100)
    fit = fit_power_law(x)
    first = goodness_of_fit(x, fit, xmin=xmin, replicas=500, seed=7)
    assert goodness_of_fit(x, fit, xmin=xmin, replicas=500, seed=7) == first
    others = {goodness_of_fit(x, fit, xmin=xmin, replicas=500, seed=s).p_value for s in range(5)}
    assert len(others) > 1
    assert (first.seed, first.replicas) == (7, 500)
    given = goodness_of_fit(x, fit, xmin=xmin, replicas=500, seed=np.random.default_rng(7))
    assert given == replace(first, seed=None)


@pytest.mark.spec("PL-50")
def test_the_unit_does_not_matter():
    x = body_and_tail(100)
    p = goodness_of_fit(x, fit_power_law(x), replicas=300).p_value
    scaled = x * 2.0**500
    assert goodness_of_fit(scaled, fit_power_law(scaled), replicas=300).p_value == p


@pytest.mark.spec("PL-43")
@pytest.mark.parametrize("xmin", ["searched", "known"])
def test_progress_ends_at_the_number_of_replicas(xmin):
    x = power_law(1000)
    seen = []
    goodness_of_fit(
        x, fit_power_law(x), xmin=xmin, replicas=150, progress=lambda *pair: seen.append(pair)
    )
    done = [pair[0] for pair in seen]
    assert len(done) > 2
    assert done == sorted(set(done))
    assert seen[-1] == (150, 150)


@pytest.mark.spec("PL-43")
def test_an_interrupt_leaves_no_result():
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    x = power_law(1000)
    with pytest.raises(KeyboardInterrupt):
        goodness_of_fit(x, fit_power_law(x), replicas=150, progress=interrupt)


@pytest.mark.spec("PL-43")
def test_at_least_one_replica_is_drawn():
    with pytest.raises(ValueError, match="0 replicas"):
        goodness_of_fit([1.0, 2.0, 4.0], fit_power_law([1.0, 2.0, 4.0]), replicas=0)
