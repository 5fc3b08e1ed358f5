"""The search that leaves candidates unevaluated returns what the plain search returns."""

from functools import partial

import numpy as np
import pytest
import reference
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import large_samples, positive_samples

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.fit import relative_logs
from htsr_ref.powerlaw.plain import candidate_starts, fit_tail, search_plain
from htsr_ref.powerlaw.pruned import search_pruned

KINDS = ["two-sided", "one-sided", "one-sided-steps"]


@pytest.mark.spec("PL-11", "CNV-7")
@pytest.mark.parametrize("renormalized", [False, True])
@pytest.mark.parametrize("ks", KINDS)
@settings(max_examples=4 * settings().max_examples)
@given(st.one_of(large_samples(), positive_samples))
def test_shortcuts_change_no_bit(ks, renormalized, sample):
    ascending = np.sort(sample)
    logs = relative_logs(ascending)
    starts = candidate_starts(ascending)
    found = search_pruned(ascending, logs, starts, ks, renormalized=renormalized)
    fit = partial(fit_tail, ascending, logs, ks=ks, renormalized=renormalized)
    assert found == search_plain(starts.tolist(), fit)


@pytest.mark.slow
@pytest.mark.spec("PL-4", "PL-11")
@pytest.mark.parametrize("ks", KINDS)
@settings(max_examples=settings().max_examples // 5)
@given(large_samples().map(lambda sample: sample[:: 1 + sample.size // 130]))
def test_no_candidate_of_a_larger_sample_is_closer(ks, sample):
    tails = reference.scan(sample)
    least = reference.best(tails, ks)
    chosen = reference.fit_tail(sample, fit_power_law(sample, ks=ks).xmin)
    assert chosen.distance(ks) - least.distance(ks) <= 1e-12
