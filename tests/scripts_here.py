"""The scripts of converters/ run in this process, in place of one of their own."""

import os
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from subprocess import CompletedProcess
from typing import BinaryIO

from conversions import convert
from hdf5_trial import walk


def run(command: Sequence[str], *, stdout: BinaryIO, **_: object) -> CompletedProcess[bytes]:
    """Take the place of `subprocess.run` in htsr_ref.weights.foreign.running."""
    _python, _option, _launch, _memory, _size, script, *arguments, _end, path = command
    done = convert(import_module(Path(script).stem), Path(path), *arguments)
    stdout.write(done.out.encode("utf-8", "backslashreplace"))
    return CompletedProcess(command, done.code, stderr=done.err.encode("utf-8", "backslashreplace"))


def trouble(path: str | os.PathLike[str]) -> None:
    """Take the place of htsr_ref.weights.hdf5_trial.trouble, with files that do no harm."""
    walk(Path(path), 0, Path(path).stat().st_size)


def try_out(path: Path, stretch: tuple[int, int] | None = None) -> None:
    """Take the place of hdf5.trial.try_out, which comes to nothing with such files."""
