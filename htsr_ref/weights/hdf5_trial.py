"""Whether the HDF5 library can finish reading a file: tried in a separate process.

A damaged or hostile file can make the library loop forever, allocate memory forever, or
crash, and nothing in the same process can stop it. So a script of converters/ goes through its
structure, under a limit of time and memory, before the file is opened here.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from htsr_ref.weights.foreign.scripts import environment, interpreter, scripts_folder

if TYPE_CHECKING:
    import os

STEP_SECONDS = 5.0
"""Time for a step, such as opening one group, besides the time to read the file."""

BYTES_PER_SECOND = 20e6
"""Speed at which a disk must deliver what the library reads of a file, which is at most all."""


def trouble(path: str | os.PathLike[str]) -> str | None:
    """Say what goes wrong when the HDF5 library reads a file's structure.

    Parameters
    ----------
    path : an existing file.

    Returns
    -------
    A sentence without its end, or None if the library finishes, even if with an error.

    Raises
    ------
    OSError
        If the file is gone.

    Spec: FMT-10.
    """
    size = Path(path).stat().st_size
    seconds = STEP_SECONDS + size / BYTES_PER_SECOND
    script = scripts_folder() / "hdf5_trial.py"
    try:
        command = [interpreter(), *map(str, (script, path, 0, size, seconds))]
        child = subprocess.run(  # noqa: S603 - our own file
            command,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    except OSError as error:
        return f"the HDF5 library could not be tried in a separate process ({error})"
    if child.returncode == 0:
        return None
    said = child.stderr.decode(errors="replace").strip()
    if said.startswith("Timeout"):
        return f"the HDF5 library did not finish reading it within {seconds:.0f} s"
    why = said.rpartition("\n")[2] or f"exit {child.returncode}"
    return f"the HDF5 library failed to read it ({why})"
