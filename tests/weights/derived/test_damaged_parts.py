"""Parts of weights and adapters damaged at random: 500 of the cases of fuzz.py."""

import subprocess
import sys
from pathlib import Path

import pytest
from commands import environment


@pytest.mark.spec("FMT-17", "DER-5", "DER-8")
@pytest.mark.parametrize(
    ("count", "first"), [(150, 0), pytest.param(350, 150, marks=pytest.mark.slow)]
)
def test_damaged_parts_are_computed_or_refused(count, first):
    command = [sys.executable, Path(__file__).with_name("fuzz.py"), str(count), str(first)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(), check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (line.split(maxsplit=1) for line in done.stdout.splitlines()[:-1])
    counts = {kind: int(times) for times, kind in rows}
    assert sum(counts.values()) == count
    assert counts.keys() >= {"read", "bad-data", "not-understood"}
