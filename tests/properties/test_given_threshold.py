"""A threshold that is given is one that the search could have chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import positive_samples

from htsr_ref.powerlaw import fit_power_law


@pytest.mark.spec("PL-2", "PL-5")
@given(positive_samples, st.sampled_from(["two-sided", "one-sided"]))
def test_the_fit_above_the_threshold_that_was_found(sample, ks):
    found = fit_power_law(sample, ks=ks)
    again = fit_power_law(sample, ks=ks, xmin=found.xmin)
    assert (again.xmin, again.tail_size) == (found.xmin, found.tail_size)
    assert again.alpha == pytest.approx(found.alpha, rel=1e-9)
    assert again.ks_distance == pytest.approx(found.ks_distance, abs=1e-9)


@pytest.mark.spec("PL-2", "PL-5")
@given(positive_samples, st.data())
def test_the_point_at_the_threshold_belongs_to_the_tail(sample, data):
    xmin = data.draw(st.sampled_from(np.unique(sample)[:-1].tolist()))
    assert fit_power_law(sample, xmin=xmin).tail_size == np.count_nonzero(sample >= xmin)
