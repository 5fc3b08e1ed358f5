"""The threshold chosen under any law."""

import math

import numpy as np
import pytest
from draws import draw
from hypothesis import given
from strategies import distinct_samples, tied_samples

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, TruncatedPowerLaw
from htsr_ref.powerlaw.laws import fit_law

SAMPLE = np.sort(np.random.default_rng(8).pareto(1.5, 60) + 1.0)


@pytest.mark.spec("PL-55")
@pytest.mark.parametrize("rule", ["ks", "median", "peak", "peak-slip", "grid", 1.5])
@pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
def test_under_the_power_law_it_is_the_power_law_fit(rule, ks):
    expected = fit_power_law(SAMPLE, ks=ks, xmin=rule)
    found = fit_law(SAMPLE, "power_law", ks=ks, xmin=rule)
    assert (found.law.xmin, found.tail_size) == (expected.xmin, expected.tail_size)
    # The grid's thresholds are not points of the sample, and rounded.
    assert found.law.alpha == pytest.approx(expected.alpha, rel=1e-12 if rule != "grid" else 1e-9)
    assert found.ks_distance == pytest.approx(expected.ks_distance, abs=1e-12)


@pytest.mark.spec("PL-55")
@given(sample=distinct_samples() | tied_samples())
def test_the_exponential_search_is_the_least_of_all_distances(sample):
    """Against the definition, written out for the one law whose estimate is a mean."""
    distances = {}
    for xmin in sorted(set(sample))[:-1]:
        tail = sorted(x for x in sample if x >= xmin)
        n = len(tail)
        rate = 1.0 / (math.fsum(x - xmin for x in tail) / n)
        model = [-math.expm1(-rate * (x - xmin)) for x in tail]
        distances[xmin] = max(
            max(abs(F - k / n), abs(F - (k + 1) / n)) for k, F in enumerate(model)
        )
    found = fit_law(sample, "exponential")
    assert found.ks_distance == pytest.approx(min(distances.values()), abs=1e-12)
    assert distances[found.law.xmin] == pytest.approx(found.ks_distance, abs=1e-12)


@pytest.mark.spec("PL-55")
@pytest.mark.parametrize("law", DISTRIBUTIONS)
@pytest.mark.parametrize("ks", ["two-sided", "one-sided"])
def test_no_other_threshold_is_nearer(law, ks):
    sample = SAMPLE[::3]
    found = fit_law(sample, law, ks=ks)
    others = []
    for xmin in sample[:-1]:
        try:
            others.append(fit_law(sample, law, ks=ks, xmin=float(xmin)))
        except NoFitError:
            assert xmin >= sample[-2]
    assert found == min(others, key=lambda fit: fit.ks_distance)


@pytest.mark.slow
@pytest.mark.spec("PL-55")
def test_a_cutoff_is_found_below_which_the_law_does_not_hold():
    rng = np.random.default_rng(17)
    law = TruncatedPowerLaw(1.5, 0.02, 1.0)
    sample = np.concatenate((rng.uniform(0.2, 0.9, 150), draw(law, 400, rng)))
    found = fit_law(sample, "truncated_power_law")
    # A tail cut higher still follows the law; 6 standard errors fail once in 10⁸.
    errors = found.law.stderr(found.tail_size)
    assert found.law.xmin > 0.6
    assert abs(found.law.alpha - 1.5) < 6 * errors[0]
    assert abs(found.law.rate - 0.02) < 6 * errors[1]


@pytest.mark.spec("PL-55")
def test_progress_counts_every_candidate():
    told = []
    fit_law(SAMPLE[:10], "lognormal", progress=lambda *counts: told.append(counts))
    assert told == [(done, 9) for done in range(10)]


@pytest.mark.spec("PL-55")
def test_what_cannot_be_fitted():
    with pytest.raises(SampleError, match="no law 'zipf'"):
        fit_law(SAMPLE, "zipf")
    with pytest.raises(SampleError, match=r"value 1 of the sample is -1\.0"):
        fit_law([1.0, -1.0], "lognormal")
    with pytest.raises(SampleError, match="xmin is nan"):
        fit_law(SAMPLE, "lognormal", xmin=math.nan)
    for sample, xmin in (([2.0, 2.0], "ks"), ([1.0, 2.0], 5.0), ([1.0, 2.0, 3.0], "grid")):
        with pytest.raises(NoFitError):
            fit_law(sample, "exponential", xmin=xmin)
