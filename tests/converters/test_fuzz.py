"""Damaged files: each ends in one line and nothing written, or in a weight file; none is run.

10 damaged copies of each fixture, all but the first copy of one a kind `slow`, and 400 with
`--hypothesis-profile=nightly`; what a case needs to be made again is its number.
"""

import importlib
import shutil
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conversions import convert, read
from cpu import cpu_limit
from damaged_files import CASES, RUNS_CODE, SECONDS, damage, events, limited_memory
from hypothesis import settings

from htsr_ref.weights import open_weights

FIRST_OF_KIND = {(module, path.suffix): path for module, path in reversed(CASES)}.values()
"""Fixtures that are damaged whenever the tests run, one a converter and suffix."""
CHECKED = (".keras", ".npz", ".skops", ".pt", ".ckpt")
"""Zip archives, whose checksums tell every change of a number."""
FIRST = 1
"""Damaged copies of a fixture that are tried apart from the others, as that may be quick."""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
@pytest.mark.parametrize(
    ("module", "path"),
    [
        pytest.param(*case, id=case[1].name, marks=() if quick else pytest.mark.slow)
        for case in CASES
        for quick in [case[1] in FIRST_OF_KIND]
    ],
)
@pytest.mark.parametrize("others", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_damaged_files(module, path, others, tmp_path):
    converter = importlib.import_module(module)
    copy, output = tmp_path / path.name, tmp_path / "out.safetensors"
    convert(converter, path, "-o", output)  # whatever is imported on the way is imported here
    original = read(output).arrays
    output.unlink()
    numbers = range(FIRST, settings().max_examples // 5) if others else range(FIRST)
    for number in numbers:
        if path.is_dir():
            shutil.rmtree(copy, ignore_errors=True)
            shutil.copytree(path, copy)
        else:
            shutil.copyfile(path, copy)
        damage(copy, np.random.default_rng(number))
        events.clear()
        with cpu_limit(SECONDS), limited_memory(), warnings.catch_warnings():
            warnings.simplefilter("error")
            run = convert(converter, copy, "-o", output)
        case = f"{path.name}, case {number}: {run}"
        assert [event for event in events if event.startswith(RUNS_CODE)] == [], case
        if run.code == 0:
            check(output, path, original, case)
            output.unlink()
        else:
            assert run.code == 2, case
            assert run.err.startswith("error: "), case
            assert run.err.count("\n") == 1, case
            assert "there is not enough memory" not in run.err, case
        assert [file.name for file in tmp_path.iterdir()] == [copy.name], case


def check(output: Path, path: Path, original: dict[str, np.ndarray], case: str) -> None:
    """What was written is a weight file, and that of the original where checksums guard it."""
    open_weights(output)
    if path.suffix in CHECKED and zipfile.is_zipfile(path):
        for name, array in read(output).arrays.items():
            assert array.tobytes() == original[name].tobytes(), case
