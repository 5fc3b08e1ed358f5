"""Run a script of converters/ as a process of its own, with bounded time and memory."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from htsr_ref.errors import WeightFileError
from htsr_ref.text import strictjson
from htsr_ref.weights.foreign.scripts import environment, interpreter, scripts_folder

if TYPE_CHECKING:
    from collections.abc import Mapping

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
MAX_ANSWER = 200_000_000
"""Bytes of what it says of the tensors, at most."""
_LAUNCH = Path(__file__).with_name("launch.py")


@dataclass(frozen=True)
class Answer:
    """What a script says of a file.

    Attributes
    ----------
    manifest : text of the manifest.
    files : files that the weights consist of, in the order of their names.
    copied : dtype and shape of the tensors whose numbers must be copied, by name.
    places : of the others, see `read_places`.
    """

    manifest: str
    files: tuple[Path, ...]
    copied: Mapping[str, Mapping[str, Any]]
    places: Mapping[str, Mapping[str, Any]]


def run_script(path: Path, found: Foreign, output: Path | None) -> Answer:
    """Let a script say what is in a file.

    Parameters
    ----------
    path : file or folder to convert.
    found : its format.
    output : file to write, for the numbers that must be copied, if there are any; None to copy
        none.

    Raises
    ------
    WeightFileError
        If the script refuses it, fails, or comes to no end within its limits.

    Spec: FMT-25, FMT-27.
    """
    arguments = [] if output is None else ["-o", os.fspath(output)]
    text = _run(path, found, [*arguments, "--places"])
    if len(text) > MAX_ANSWER:
        raise _refusal(path, found, f"its list of tensors is longer than {MAX_ANSWER} bytes")
    try:
        value = strictjson.loads(text)
        files = tuple(Path(file) for file in value["files"])
        return Answer(value["manifest"], files, value["copied"], value["places"])
    except (ValueError, LookupError, TypeError) as error:
        raise _refusal(path, found, "nothing that can be read. Install htsr-ref again") from error


def convert_by_script(path: Path, found: Foreign, output: Path) -> None:
    """Let a script write all that it makes of a file.

    Raises
    ------
    WeightFileError
        If the script refuses it, fails, or comes to no end within its limits.

    Spec: FMT-25, FMT-27.
    """
    _run(path, found, ["-o", os.fspath(output)])


def _run(path: Path, found: Foreign, arguments: list[str]) -> bytes:
    """Run the script with its limits; what it prints."""
    script = scripts_folder() / found.script
    if not script.is_file():
        raise WeightFileError(
            path, f"it is {found.what}, and {script} is missing", "Install htsr-ref again"
        )
    size = _size_of(path)
    seconds = SECONDS + size / BYTES_PER_SECOND
    limits = (MEMORY + MEMORY_PER_BYTE * size, OUTPUT + OUTPUT_PER_BYTE * size)
    try:
        # -P: a file in the working folder is not taken for a module.
        command = [interpreter(), "-P", os.fspath(_LAUNCH), *map(str, limits), os.fspath(script)]
        command += [*arguments, "--", os.fspath(path)]
        with _in_memory() as printed:
            child = subprocess.run(  # noqa: S603 - our own script
                command,
                env=environment() | {"PYTHONIOENCODING": "utf-8:backslashreplace"},
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.PIPE,
                timeout=seconds,
                check=False,
            )
            printed.seek(0)
            text = printed.read(MAX_ANSWER + 1)
    except subprocess.TimeoutExpired as error:
        said = f"it came to no end within {seconds:.0f} s"
        raise _refusal(path, found, said) from error
    except OSError as error:
        said = f"it could not be started ({error.strerror or error})"
        raise _refusal(path, found, said) from error
    if child.returncode:
        raise _refusal(path, found, _last_words(child, path))
    return text


def _in_memory() -> BinaryIO:
    """Make a file that takes no room on a disk, where the system has such."""
    if sys.platform == "linux":
        return os.fdopen(os.memfd_create("htsr"), "w+b")
    return tempfile.TemporaryFile()


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
        has_company = path.suffix in (".index", ".json", ".onnx", ".gguf")
        files = list(path.parent.iterdir()) if has_company else [path]
    return sum(file.stat().st_size for file in files if file.is_file())
