"""Bootstrap intervals of the exponent and the threshold."""

import itertools

import numpy as np
import pytest
import reference
from scipy import stats

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.uncertainty import bootstrap

KINDS = pytest.mark.parametrize("ks", ["two-sided", "one-sided"])


def power_law(n: int, seed: int = 0) -> np.ndarray:
    return np.exp(np.random.default_rng(seed).exponential(1 / 1.5, n))


def all_replicas(sample: list[float], ks: str) -> list[reference.Tail]:
    """Fit every one of the nⁿ equally likely resamples that has a fit."""
    resamples = itertools.product(sample, repeat=len(sample))
    return [reference.best(reference.scan(r), ks) for r in resamples if len(set(r)) > 1]


@pytest.mark.spec("PL-40", "PL-46", "PL-47")
@KINDS
@pytest.mark.parametrize(
    "sample", [[1.0, 3.0], [1.0, 2.0, 7.0], [1.0, 1.0, 3.0], [1.0, 1.5, 4.0, 30.0]]
)
def test_quantiles_are_those_of_all_resamples(ks, sample):
    # Replicas without a fit are half of all for two points: they must have been drawn again.
    tails = all_replicas(sample, ks)
    replicas = 4000
    compared = 0
    for level in (0.2, 0.4, 0.6, 0.8, 0.9):
        found = bootstrap(sample, ks=ks, replicas=replicas, level=level)
        for values, interval in (
            (np.sort([float(tail.alpha) for tail in tails]), found.alpha),
            (np.sort([tail.xmin for tail in tails]), found.xmin),
        ):
            for end, p in zip(interval, ((1 - level) / 2, (1 + level) / 2), strict=True):
                margin = 5 * np.sqrt(p * (1 - p) / replicas)
                around = np.quantile(values, [p - margin, p + margin], method="inverted_cdf")
                assert around[0] * (1 - 1e-12) <= end <= around[1] * (1 + 1e-12)
                compared += around[0] == pytest.approx(around[1], rel=1e-12)
    assert compared >= 8, "hardly any quantile lies within one value"


@pytest.mark.spec("PL-46")
def test_a_given_threshold_is_kept_and_its_tail_resampled():
    # ln x = 1, 2: the mean of two is 1, 3/2 or 2 with probabilities 1/4, 1/2, 1/4.
    sample = np.exp([-5.0, -1.0, 1.0, 2.0])
    wide = bootstrap(sample, xmin=1.0, level=0.95)
    assert wide.alpha == pytest.approx((1.5, 2.0), rel=1e-12)
    assert bootstrap(sample, xmin=1.0, level=0.3).alpha == pytest.approx((5 / 3, 5 / 3), rel=1e-12)
    assert wide.xmin is None


@pytest.mark.spec("PL-40", "PL-46")
def test_tails_that_hold_nothing_above_a_given_threshold_are_drawn_again():
    # One point in twenty lies above xmin: over a third of the resamples miss it.
    sample = [1.0] * 19 + [np.e]
    found = bootstrap(sample, xmin=1.0, level=0.999)
    assert found.alpha[1] == pytest.approx(1 + 20, rel=1e-12)
    assert np.isfinite(found.alpha[0])


@pytest.mark.spec("PL-46", "PL-47")
def test_intervals_above_a_given_threshold_are_scipys():
    x = power_law(60, seed=2)
    replicas = 20_000
    expected = stats.bootstrap(
        (np.log(x),),
        lambda logs, axis: 1 + 1 / logs.mean(axis=axis),
        vectorized=True,
        method="percentile",
        n_resamples=replicas,
        rng=1,
    )
    found = bootstrap(x, xmin=1.0, replicas=replicas)
    # Error of an extreme quantile of an about normal distribution: √(p(1-p)/B)/φ(1.96).
    error = np.sqrt(0.025 * 0.975 / replicas) / stats.norm.pdf(1.96) * expected.standard_error
    assert found.alpha == pytest.approx(tuple(expected.confidence_interval), abs=5 * error)


@pytest.mark.spec("PL-46")
@KINDS
def test_thresholds_scale_with_the_unit_and_exponents_do_not(ks):
    x = power_law(80)
    found = bootstrap(x, ks=ks, replicas=200)
    scaled = bootstrap(x * 2.0**40, ks=ks, replicas=200)
    assert scaled.alpha == found.alpha
    assert scaled.xmin == tuple(end * 2.0**40 for end in found.xmin)


@pytest.mark.spec("PL-46")
@pytest.mark.parametrize(
    ("sample", "xmin", "error"),
    [
        ([1.0, -1.0], "ks", SampleError),
        ([2.0, 2.0], "ks", NoFitError),
        ([1.0, 2.0], 2.0, NoFitError),
        ([1.0, 2.0], 0.0, SampleError),
    ],
)
def test_what_cannot_be_fitted_has_no_intervals(sample, xmin, error):
    with pytest.raises(error):
        bootstrap(sample, xmin=xmin)


@pytest.mark.spec("PL-43", "PL-47")
def test_replicas_and_level_are_checked():
    with pytest.raises(ValueError, match="0 replicas"):
        bootstrap([1.0, 2.0, 4.0], replicas=0)
    with pytest.raises(ValueError, match="level is 2"):
        bootstrap([1.0, 2.0, 4.0], level=2)


@pytest.mark.spec("PL-42")
def test_a_seed_fixes_the_result_and_is_recorded():
    x = power_law(50)
    first = bootstrap(x, replicas=300, seed=7)
    assert bootstrap(x, replicas=300, seed=7) == first
    assert bootstrap(x, replicas=300, seed=8).alpha != first.alpha
    assert (first.seed, first.replicas, first.level) == (7, 300, 0.95)
    given = bootstrap(x, replicas=300, seed=np.random.default_rng(7))
    assert given.seed is None
    assert given.alpha == first.alpha


@pytest.mark.spec("PL-43")
def test_progress_ends_at_the_number_of_all_fits():
    seen = []
    bootstrap(power_law(500), replicas=300, progress=lambda done, of: seen.append((done, of)))
    done = [pair[0] for pair in seen]
    assert len(done) > 3
    assert done == sorted(set(done))
    assert {of for _, of in seen} == {300}
    assert done[-1] == 300


@pytest.mark.spec("PL-43")
def test_an_interrupt_leaves_no_result():
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bootstrap(power_law(500), replicas=300, progress=interrupt)
