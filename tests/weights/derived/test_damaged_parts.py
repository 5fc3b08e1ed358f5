"""Parts of weights and adapters damaged at random: 500 of the cases of fuzz.py."""

from pathlib import Path

import pytest
from commands import fuzz_counts


@pytest.mark.spec("FMT-17", "DER-5", "DER-8")
@pytest.mark.parametrize(
    ("count", "first"), [(50, 0), pytest.param(450, 50, marks=pytest.mark.slow)]
)
def test_damaged_parts_are_computed_or_refused(count, first):
    counts = fuzz_counts(Path(__file__).with_name("fuzz.py"), count, first)
    assert sum(counts.values()) == count
    assert counts.keys() >= {"read", "bad-data", "not-understood"}
