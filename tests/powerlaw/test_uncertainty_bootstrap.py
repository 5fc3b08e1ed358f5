"""Bootstrap intervals of the exponent and the threshold."""

import itertools

import numpy as np
import pytest
import reference
from scipy import stats

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.uncertainty import bootstrap

KINDS = pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
METHODS = pytest.mark.parametrize("method", ["percentile", "bca"])


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


@pytest.mark.spec("PL-46", "PL-47", "PL-48")
@METHODS
def test_intervals_above_a_given_threshold_are_scipys(method):
    x = power_law(60, seed=2)
    replicas = 20_000
    expected = stats.bootstrap(
        (np.log(x),),
        lambda logs, axis: 1 + 1 / logs.mean(axis=axis),
        vectorized=True,
        method={"percentile": "percentile", "bca": "BCa"}[method],
        n_resamples=replicas,
        rng=1,
    )
    found = bootstrap(x, xmin=1.0, replicas=replicas, method=method)
    # Error of an extreme quantile of an about normal distribution: √(p(1-p)/B)/φ(1.96).
    error = np.sqrt(0.025 * 0.975 / replicas) / stats.norm.pdf(1.96) * expected.standard_error
    assert found.alpha == pytest.approx(tuple(expected.confidence_interval), abs=5 * error)


@pytest.mark.spec("PL-48")
def test_bca_of_searched_thresholds_follows_from_replicas_and_jackknife():
    # 4 points: all resamples, the jackknife and the correction by their definitions.
    sample = [1.0, 2.0, 2.5, 20.0]
    values = np.array([float(tail.alpha) for tail in all_replicas(sample, "two-sided")])
    estimate, *without_each = (
        float(reference.best(reference.scan(points), "two-sided").alpha)
        for points in (sample, *(np.delete(sample, i) for i in range(4)))
    )
    equal = np.abs(values - estimate) < 1e-9
    bias = stats.norm.ppf(np.mean((values < estimate) & ~equal) + np.mean(equal) / 2)
    influence = np.mean(without_each) - without_each
    acceleration = np.sum(influence**3) / (6 * np.sum(influence**2) ** 1.5)
    compared = 0
    for level in (0.3, 0.4, 0.5):
        shifted = bias + stats.norm.ppf([(1 - level) / 2, (1 + level) / 2])
        corrected = stats.norm.cdf(bias + shifted / (1 - acceleration * shifted))
        found = bootstrap(sample, replicas=20_000, level=level, method="bca").alpha
        for end, p in zip(found, corrected, strict=True):
            around = np.quantile(values, [p - 0.02, p + 0.02], method="inverted_cdf")
            assert around[0] * (1 - 1e-12) <= end <= around[1] * (1 + 1e-12)
            compared += around[0] == pytest.approx(around[1], rel=1e-12)
    assert compared == 3, "hardly any quantile lies within one value"


@pytest.mark.spec("PL-46")
@METHODS
@KINDS
def test_thresholds_scale_with_the_unit_and_exponents_do_not(ks, method):
    x = power_law(80)
    found = bootstrap(x, ks=ks, replicas=200, method=method)
    scaled = bootstrap(x * 2.0**40, ks=ks, replicas=200, method=method)
    assert scaled.alpha == found.alpha
    assert scaled.xmin == tuple(end * 2.0**40 for end in found.xmin)


@pytest.mark.spec("PL-48")
@pytest.mark.parametrize("sample", [[1.0, 5.0], [1.0, 1.0, 5.0]])
def test_bca_needs_a_fit_without_each_point(sample):
    with pytest.raises(NoFitError, match="percentile"):
        bootstrap(sample, method="bca")


@pytest.mark.spec("PL-48")
def test_bca_defines_no_interval_for_a_threshold_below_all_replicas():
    # The fit keeps the whole sample, quantiles of a power law with its smallest point taken
    # once: no resample finds a smaller threshold.
    x = (1 - (np.arange(1, 65) - 0.5) / 64) ** (-1 / 1.5)
    found = bootstrap(x, replicas=50, method="bca", seed=3)
    assert found.alpha is not None
    smallest = bootstrap(x, replicas=50, level=0.999, seed=3).xmin[0]
    assert (found.xmin is None) == (smallest > x[0])


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
@METHODS
def test_a_seed_fixes_the_result_and_is_recorded(method):
    x = power_law(50)
    first = bootstrap(x, replicas=300, method=method, seed=7)
    assert bootstrap(x, replicas=300, method=method, seed=7) == first
    assert bootstrap(x, replicas=300, method=method, seed=8).alpha != first.alpha
    assert (first.seed, first.replicas, first.level, first.method) == (7, 300, 0.95, method)
    given = bootstrap(x, replicas=300, method=method, seed=np.random.default_rng(7))
    assert given.seed is None
    assert given.alpha == first.alpha


@pytest.mark.spec("PL-43")
@pytest.mark.parametrize(("method", "total"), [("percentile", 300), ("bca", 800)])
def test_progress_ends_at_the_number_of_all_fits(method, total):
    seen = []
    bootstrap(
        power_law(500),
        replicas=300,
        method=method,
        progress=lambda done, of: seen.append((done, of)),
    )
    done = [pair[0] for pair in seen]
    assert len(done) > 3
    assert done == sorted(set(done))
    assert {of for _, of in seen} == {total}
    assert done[-1] == total


@pytest.mark.spec("PL-43")
def test_an_interrupt_leaves_no_result():
    def interrupt(done: int, total: int) -> None:
        if done > total / 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bootstrap(power_law(500), replicas=300, progress=interrupt)
