"""Run a script of converters/ as a process of its own, with bounded time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from htsr_ref.errors import WeightFileError

if TYPE_CHECKING:
    from htsr_ref.weights.foreign.kinds import Foreign

SECONDS = 60.0
BYTES_PER_SECOND = 1e6
"""A script has 60 s, and beside them a second for each megabyte of what it reads."""
MEMORY = 4 * 2**30
MEMORY_PER_BYTE = 8
"""Address space: that of Python, its packages and their threads, and what maps and arrays take."""
OUTPUT = 2**30
OUTPUT_PER_BYTE = 16
"""Size of the file that it may write."""
_LAUNCH = Path(__file__).with_name("launch.py")


def scripts_folder() -> Path:
    """Folder of the scripts: in the package where it was installed, else beside it."""
    package = Path(__file__).parents[2]
    installed = package / "_converters"
    return installed if installed.is_dir() else package.parent / "converters"


def run_script(path: Path, found: Foreign, output: Path, places: Path) -> None:
    """Let a script convert a file.

    Parameters
    ----------
    path : file or folder to convert.
    found : its format.
    output : file to write, for the numbers that must be copied.
    places : file to write, of where the others lie.

    Raises
    ------
    WeightFileError
        If the script refuses it, fails, or comes to no end within its limits.

    Spec: FMT-25.
    """
    script = scripts_folder() / found.script
    if not script.is_file():
        raise WeightFileError(
            path, f"it is {found.what}, and {script} is missing", "Install htsr-ref again"
        )
    size = _size_of(path)
    seconds = SECONDS + size / BYTES_PER_SECOND
    limits = (MEMORY + MEMORY_PER_BYTE * size, OUTPUT + OUTPUT_PER_BYTE * size)
    # -P: a file in the working folder is not taken for a module.
    command = [sys.executable, "-P", os.fspath(_LAUNCH), *map(str, limits), os.fspath(script)]
    command += ["-o", os.fspath(output), "--places", os.fspath(places), "--", os.fspath(path)]
    environment = os.environ | {
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
        "PYTHONIOENCODING": "utf-8:backslashreplace",
    }
    try:
        child = subprocess.run(  # noqa: S603 - our own script
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        said = f"it came to no end within {seconds:.0f} s"
        raise _refusal(path, found, said) from error
    except OSError as error:
        said = f"it could not be started ({error.strerror or error})"
        raise _refusal(path, found, said) from error
    if child.returncode:
        raise _refusal(path, found, _last_words(child, path))


def _last_words(child: subprocess.CompletedProcess[bytes], path: Path) -> str:
    lines = child.stderr.decode("utf-8", "backslashreplace").splitlines()
    errors = [line.removeprefix("error: ") for line in lines if line.startswith("error: ")]
    if errors:
        return errors[-1].removeprefix(f"{path}: ").rstrip(".")
    why = lines[-1] if lines else "no message"
    return f"it failed with exit code {child.returncode} ({why[:200]})"


def _refusal(path: Path, found: Foreign, said: str) -> WeightFileError:
    problem, point, cure = said.rpartition(". ")
    if not point:
        problem, cure = said, "Check the file, or convert it where its framework is installed"
    return WeightFileError(path, f"it is {found.what}, and {found.script} says: {problem}", cure)


def _size_of(path: Path) -> int:
    """Bytes that a script may read: of a folder all, beside a file also those of its folder."""
    if path.is_dir():
        files = list(path.rglob("*"))
    else:
        has_company = path.suffix in (".index", ".onnx", ".gguf")
        files = list(path.parent.iterdir()) if has_company else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
