"""Helpers of the tests of the command line: small weight files and real processes."""

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import htsr_ref


@dataclass(frozen=True)
class Outcome:
    """What a command did."""

    code: int
    out: str
    err: str


def tensors(seed: int = 0, scale: float = 1.0) -> dict[str, np.ndarray]:
    """Two linear layers, a small convolution and a bias, as float32."""
    rng = np.random.default_rng(seed)
    shapes = {
        "conv.weight": (8, 4, 3, 3),
        "fc1.weight": (32, 24),
        "fc1.bias": (32,),
        "fc2.weight": (16, 32),
    }
    return {
        name: (scale * rng.standard_normal(shape)).astype(np.float32)
        for name, shape in shapes.items()
    }


def trained(seed: int = 0, scale: float = 1.0) -> dict[str, np.ndarray]:
    """The same with a direction in fc1 that rises far above the noise."""
    arrays = tensors(seed, scale)
    arrays["fc1.weight"][:, 0] *= 5
    return arrays


def environment(**changes: str) -> dict[str, str]:
    """Surroundings of a process that imports the package under test, wherever it runs."""
    package = Path(htsr_ref.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(package), "OPENBLAS_NUM_THREADS": "1", **changes}


def python(*arguments: str, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run the interpreter."""
    options = {
        "stdout": subprocess.PIPE,
        "stderr": subprocess.PIPE,
        "env": environment(),
        "timeout": 600,  # only so that one that hangs ends at last
        "check": False,
        **options,
    }
    return subprocess.run([sys.executable, *arguments], **options)


def spawn(*arguments: object, **options: object) -> subprocess.CompletedProcess[bytes]:
    """Run `htsr` as a process of its own."""
    return python("-m", "htsr_ref.cli.start", *map(str, arguments), **options)


def fuzz_counts(script: Path, count: int, first: int) -> dict[str, int]:
    """What came of the cases of a fuzz.py, run as a process with limits of memory and time."""
    done = python(str(script), str(count), str(first), text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = (line.split(maxsplit=1) for line in done.stdout.splitlines()[:-1])
    return {kind: int(times) for times, kind in rows}


def rows_of_layers(table: str) -> list[str]:
    """Return the lines of the first table, below its rule."""
    block = next(piece for piece in table.split("\n\n") if piece.startswith("layer "))
    return block.splitlines()[2:]
