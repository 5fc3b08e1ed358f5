"""Among thresholds of equal distance the smallest is chosen."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators

from htsr_ref.powerlaw import fit_power_law


@pytest.mark.spec("PL-3", "PL-4")
@given(st.integers(2, 8), st.floats(0.01, 30), generators)
def test_a_sample_all_of_whose_tails_are_equally_far_from_their_fits(levels, step, rng):
    # Each value is taken as often as all larger ones together. So half of every tail lies at its
    # threshold, where the model is 0 and the step ends at 1/2; elsewhere they differ by less.
    values = np.exp(step * np.arange(levels))
    counts = 2 ** np.maximum(np.arange(levels)[::-1] - 1, 0)
    sample = rng.permutation(np.repeat(values, counts))
    distances = {fit_power_law(sample, xmin=xmin).ks_distance for xmin in values[:-1]}
    assert distances == {0.5}
    fit = fit_power_law(sample)
    assert (fit.xmin, fit.tail_size, fit.ks_distance) == (values[0], sample.size, 0.5)
