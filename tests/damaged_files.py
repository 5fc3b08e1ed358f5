"""Damaged copies of what frameworks wrote, limits for reading them, and what is run meanwhile."""

import codecs
import resource
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from conversions import CONVERTERS, fixtures
from hdf5 import trial

CASES = [(module, path) for folder, module in CONVERTERS.items() for path in fixtures(folder)]
SECONDS = 10
RUNS_CODE = ("compile", "ctypes", "exec", "import", "os.exec", "os.system", "pickle", "subprocess")
"""Audit events of code that is run or fetched, by how their names begin."""
SPARE_BYTES = 2**30
# Python imports its text encodings when they are first needed: by a zip or by old texts.
for encoding in ("ascii", "cp437", "latin_1", "raw_unicode_escape", "unicode_escape", "utf_8"):
    codecs.lookup(encoding)
TRIAL = [sys.executable, str(trial.SCRIPT)]
"""Beginning of the one command that is run: the reading of HDF5 in a process of its own."""
events: list[str] = []


def listen(event, arguments):
    """Note what happens, but for the trial."""
    if event != "subprocess.Popen" or list(arguments[1][:2]) != TRIAL:
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
