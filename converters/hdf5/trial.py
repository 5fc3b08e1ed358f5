"""Whether the HDF5 library can finish reading a file: tried in a separate process.

A damaged or hostile file can make the library loop forever, allocate memory forever, or
crash, and nothing in the same process can stop it. So the script `hdf5_trial.py` goes through the
whole structure under a limit of time and memory before the file is opened here.

htsr runs the same script before it opens a file (weights/hdf5_trial.py). Limits and sentences are
written in both, since neither imports the other; what is tried is written once, in the script.
"""

import os
import subprocess
import sys
from pathlib import Path

from common.containers import DAMAGED
from common.errors import ConversionError

STEP_SECONDS = 5.0
"""Time for a step, such as opening one group, besides the time to read the file."""

BYTES_PER_SECOND = 20e6
"""Speed at which a disk must deliver what the library reads of a file, which is at most all."""

SCRIPT = Path(__file__).parents[1] / "hdf5_trial.py"


def try_out(path: Path, stretch: tuple[int, int] | None = None) -> None:
    """Have a child read an HDF5 file's structure.

    Parameters
    ----------
    stretch : start and size of the HDF5 file within the file; None if it is all of it.

    Raises
    ------
    ConversionError
        If the library does not finish, or crashes. An error that it reports is left to the reader.
    """
    start, size = stretch or (0, path.stat().st_size)
    seconds = STEP_SECONDS + size / BYTES_PER_SECOND
    command = [sys.executable, str(SCRIPT), str(path), str(start), str(size), str(seconds)]
    # Threads of a BLAS, which is not used here, would take up the address space.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(  # noqa: S603 - our own file
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
    except OSError as error:
        problem = f"the HDF5 library could not be tried in a separate process ({error})"
        raise ConversionError(problem, f"Make {sys.executable!r} run") from error
    if child.returncode == 0:
        return
    said = child.stderr.decode(errors="replace").strip()
    if said.startswith("Timeout"):
        problem = f"the HDF5 library did not finish reading it within {seconds:.0f} s"
    else:
        why = said.rpartition("\n")[2] or f"exit {child.returncode}"
        problem = f"the HDF5 library failed to read it ({why})"
    raise ConversionError(problem, DAMAGED)
