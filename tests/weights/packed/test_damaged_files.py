"""Packed files damaged at random: 500 of the cases of fuzz.py, which runs as many as one likes."""

from pathlib import Path

import pytest
from commands import fuzz_counts


@pytest.mark.spec("FMT-17", "PAK-14")
@pytest.mark.parametrize(
    ("count", "first"), [(50, 0), pytest.param(450, 50, marks=pytest.mark.slow)]
)
def test_damaged_files_are_read_or_refused(count, first):
    counts = fuzz_counts(Path(__file__).with_name("fuzz.py"), count, first)
    assert sum(counts.values()) == count
    assert counts.keys() >= {"read", "bad-data", "not-understood"}
    assert counts.keys() <= {
        *("read", "bad-data", "not-understood", "left-out", "nothing", "large"),
        "refused: WeightFileError",
    }
