"""Packed files damaged at random: 500 of the cases of fuzz.py, which runs as many as one likes."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment

FUZZ = Path(__file__).with_name("fuzz.py")


def counts_of(count, first):
    """What came of the cases, each in the same process with a limit of memory and time."""
    command = [sys.executable, FUZZ, str(count), str(first)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (line.split(maxsplit=1) for line in done.stdout.splitlines()[:-1])
    return {kind: int(times) for times, kind in rows}


@pytest.mark.spec("FMT-17", "PAK-14")
@pytest.mark.parametrize(
    ("count", "first"), [(150, 0), pytest.param(350, 150, marks=pytest.mark.slow)]
)
def test_damaged_files_are_read_or_refused(count, first):
    counts = counts_of(count, first)
    assert sum(counts.values()) == count
    assert counts.keys() >= {"read", "bad-data", "not-understood"}
    assert counts.keys() <= {
        *("read", "bad-data", "not-understood", "left-out", "nothing", "large"),
        "refused: WeightFileError",
    }
