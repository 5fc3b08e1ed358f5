"""The threshold is the candidate of least KS distance, found by an exhaustive scan in mpmath."""

import numpy as np
import pytest
import reference
from hypothesis import assume, given
from strategies import positive_samples, tied_samples

from htsr_ref.powerlaw import fit_power_law

ROUNDING = 1e-12
KINDS = ["two-sided", "one-sided"]


@pytest.mark.spec("PL-4")
@pytest.mark.parametrize("ks", KINDS)
@given(positive_samples)
def test_no_candidate_is_closer(ks, sample):
    tails = reference.scan(sample)
    least = reference.best(tails, ks)
    fit = fit_power_law(sample, ks=ks)
    chosen = next(tail for tail in tails if tail.xmin == fit.xmin)
    assert chosen.distance(ks) - least.distance(ks) <= ROUNDING
    if reference.lead(tails, ks) > ROUNDING:
        assert fit.xmin == least.xmin


@pytest.mark.spec("PL-1", "PL-2", "PL-3", "PL-4")
@pytest.mark.parametrize("ks", KINDS)
@given(positive_samples)
def test_the_fit_is_that_of_the_scan(ks, sample):
    tails = reference.scan(sample)
    assume(reference.lead(tails, ks) > ROUNDING)
    least = reference.best(tails, ks)
    fit = fit_power_law(sample, ks=ks)
    assert (fit.xmin, fit.tail_size, fit.sample_size) == (least.xmin, least.size, sample.size)
    assert fit.alpha == pytest.approx(float(least.alpha), rel=1e-12)
    assert fit.ks_distance == pytest.approx(float(least.distance(ks)), abs=1e-12)


@pytest.mark.spec("PL-4")
@pytest.mark.parametrize("ks", KINDS)
@given(tied_samples())
def test_the_threshold_is_a_distinct_value_but_the_largest(ks, sample):
    fit = fit_power_law(sample, ks=ks)
    assert fit.xmin in np.unique(sample)[:-1]
    assert fit.tail_size == np.count_nonzero(sample >= fit.xmin)
