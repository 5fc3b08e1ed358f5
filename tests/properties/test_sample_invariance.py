"""A fit follows a change of unit, and does not see the order of the sample."""

import dataclasses

import pytest
import reference
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import distinct_samples, generators, positive_samples

from htsr_ref.powerlaw import fit_power_law

pytestmark = pytest.mark.spec("PL-10")
KINDS = st.sampled_from(["two-sided", "one-sided"])


@given(positive_samples, KINDS, st.integers(-500, 500))
def test_a_power_of_two_moves_the_threshold_and_no_other_bit(sample, ks, exponent):
    factor = 2.0**exponent
    expected = fit_power_law(sample, ks=ks)
    law = dataclasses.replace(expected.law, xmin=factor * expected.xmin)
    assert fit_power_law(factor * sample, ks=ks) == dataclasses.replace(expected, law=law)


@given(distinct_samples(), KINDS, st.floats(1e-9, 1e9))
def test_any_factor_moves_the_threshold_and_nothing_beyond_rounding(sample, ks, factor):
    assume(reference.lead(reference.scan(sample), ks) > 1e-9)
    expected = fit_power_law(sample, ks=ks)
    fit = fit_power_law(factor * sample, ks=ks)
    assert fit.xmin == factor * expected.xmin
    assert fit.tail_size == expected.tail_size
    assert fit.alpha == pytest.approx(expected.alpha, rel=1e-12)
    assert fit.ks_distance == pytest.approx(expected.ks_distance, abs=1e-12)


@given(positive_samples, KINDS, generators)
def test_the_order_does_not_matter(sample, ks, rng):
    assert fit_power_law(rng.permutation(sample), ks=ks) == fit_power_law(sample, ks=ks)
