"""The plain search for the threshold."""

from functools import partial

import numpy as np
import pytest

from htsr_ref.powerlaw import TailFit
from htsr_ref.powerlaw.plain import candidate_starts, fit_tail, search_plain


def search(sample: np.ndarray) -> TailFit | None:
    """Search all candidates of an ascending sample."""
    fit = partial(fit_tail, sample, np.log(sample), ks="two-sided", renormalized=False)
    return search_plain(candidate_starts(sample).tolist(), fit)


@pytest.mark.spec("PL-4")
@pytest.mark.parametrize(
    ("sample", "starts"),
    [
        ([1.0, 2.0, 5.0], [0, 1]),
        ([1.0, 1.0, 2.0, 5.0, 5.0], [0, 2]),
        ([1.0, 2.0, 2.0, 2.0, 5.0], [0, 1]),
        ([1.0, 5.0], [0]),
        ([3.0, 3.0, 3.0], []),
        ([3.0], []),
    ],
)
def test_candidates_are_the_distinct_values_except_the_largest(sample, starts):
    assert candidate_starts(np.array(sample)).tolist() == starts


@pytest.mark.spec("PL-4")
def test_the_smallest_of_equally_good_thresholds_wins():
    # A value that fills half of its tail has F = 0 where the empirical function jumps to 1/2, and
    # every other step of these two tails is closer: both distances are 1/2 without rounding.
    sample = np.array([1.0, 1.0, 3.0, 20.0])
    found = search(sample)
    assert (found.start, found.ks_distance) == (0, 0.5)
    tail = sample[2:]
    assert search(tail).ks_distance == 0.5


@pytest.mark.spec("PL-4")
def test_the_threshold_is_where_the_power_law_begins():
    # Quantiles of a flat body below 1 and of a power law above it.
    body = np.linspace(0.1, 0.999, 100)
    tail = (1 - (np.arange(1, 201) - 0.5) / 200) ** (-1 / 1.5)
    sample = np.concatenate((body, tail))
    found = search(sample)
    assert abs(found.start - 100) <= 2
    assert found.alpha == pytest.approx(2.5, abs=0.03)


@pytest.mark.spec("PL-7")
@pytest.mark.parametrize("sample", [[2.0], [0.1] * 7])
def test_without_two_distinct_values_there_is_no_threshold(sample):
    assert search(np.array(sample)) is None
