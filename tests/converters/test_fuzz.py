"""Damaged files: each ends in one line and nothing written, or in a weight file; none is run.

10 damaged copies of each fixture, all but the first copy of one a kind `slow`, and 400 with
`--hypothesis-profile=nightly`; what a case needs to be made again is its number.
"""

import codecs
import importlib
import resource
import shutil
import sys
import warnings
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from conversions import CONVERTERS, convert, fixtures, read
from cpu import cpu_limit
from hdf5 import trial
from hypothesis import settings

from htsr_ref.weights import open_weights

CASES = [(module, path) for folder, module in CONVERTERS.items() for path in fixtures(folder)]
FIRST_OF_KIND = {(module, path.suffix): path for module, path in reversed(CASES)}.values()
"""Fixtures that are damaged whenever the tests run, one a converter and suffix."""
CHECKED = (".keras", ".npz", ".skops", ".pt", ".ckpt")
"""Zip archives, whose checksums tell every change of a number."""
FIRST = 1
"""Damaged copies of a fixture that are tried apart from the others, as that may be quick."""
SECONDS = 10
RUNS_CODE = ("compile", "ctypes", "exec", "import", "os.exec", "os.system", "pickle", "subprocess")
"""Audit events of code that is run or fetched, by how their names begin."""
SPARE_BYTES = 2**30
# Python imports its text encodings when they are first needed: by a zip or by old texts.
for encoding in ("ascii", "cp437", "latin_1", "raw_unicode_escape", "unicode_escape", "utf_8"):
    codecs.lookup(encoding)
TRIAL = [sys.executable, "-c", trial.CHILD]
"""Beginning of the one command that is run: the reading of HDF5 in a process of its own."""
events: list[str] = []


def listen(event, arguments):
    """Note what happens, but for the trial."""
    if event != "subprocess.Popen" or list(arguments[1][:3]) != TRIAL:
        events.append(event)


sys.addaudithook(listen)


def damaged(content: bytes, rng: np.random.Generator) -> bytes:
    """Some bytes set, the end cut off, or a piece copied to another place."""
    result = bytearray(content)
    how = rng.integers(10)
    if how == 0:
        return bytes(result[: rng.integers(len(result))])
    if how == 1:
        length = int(rng.integers(1, 64))
        start, target = rng.integers(len(result), size=2)
        result[target : target + length] = result[start : start + length]
        return bytes(result)
    for position in rng.integers(len(result), size=rng.integers(1, 7)):
        # All kinds of bytes, and often those that sizes and instructions are made of.
        result[position] = rng.choice([rng.integers(256), 0, 1, 0x7F, 0xFF, result[position] ^ 1])
    return bytes(result)


def damage(path: Path, rng: np.random.Generator) -> None:
    """Damage a file, or one file of a folder."""
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.is_file())
    file = files[rng.integers(len(files))]
    file.write_bytes(damaged(file.read_bytes(), rng))


@contextmanager
def limited_memory() -> Iterator[None]:
    """Let the process take a gigabyte more than it has."""
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    before = resource.getrlimit(resource.RLIMIT_AS)
    limit = pages * resource.getpagesize() + SPARE_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


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
