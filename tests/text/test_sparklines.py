"""Numbers as lines of blocks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.text.sparklines import BINS, BLOCKS, log_histogram

pytestmark = pytest.mark.spec("RPT-13")


@given(st.lists(st.integers(0, 24), min_size=BINS, max_size=BINS))
def test_heights_are_shares_of_the_largest_count_in_eighths(counts):
    counts[0] += 1
    counts[-1] += 1
    # Values in the middle of each bin, and one at each end, where the bins begin and end.
    exponents = np.repeat(np.arange(BINS) + 0.5, counts)
    exponents[0], exponents[-1] = 0.0, BINS
    heights = [-(-8 * count // max(counts)) for count in counts]
    expected = "".join(BLOCKS[height - 1] if height else " " for height in heights)
    assert log_histogram(10.0**exponents) == expected


def test_one_value_and_none():
    assert len(log_histogram(np.array([3.0]))) == BINS
    assert log_histogram(np.array([3.0])).strip() == BLOCKS[-1]
    assert log_histogram(np.array([])) == ""
