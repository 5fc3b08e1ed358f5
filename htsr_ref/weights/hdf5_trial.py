"""Whether the HDF5 library can finish reading a file: tried in a separate process.

A damaged or hostile file can make the library loop forever, allocate memory forever, or
crash, and nothing in the same process can stop it. So a child goes through all that a reader
touches, under a limit of time and memory, before the file is opened here. This module imports
nothing of the package: the child runs it as a script.
"""

import faulthandler
import math
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

STEP_SECONDS = 5.0
"""Time for a step, such as opening one group, besides the time to read the file."""

BYTES_PER_SECOND = 20e6
"""Speed at which a disk must deliver what the library reads of a file, which is at most all."""

MEMORY = 2**30
"""Address space of the child on top of the size of the file; Python takes a tenth of it."""

DAMAGE = (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError)
"""What h5py raises where a file is damaged."""


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
    seconds = STEP_SECONDS + Path(path).stat().st_size / BYTES_PER_SECOND
    # -P: a file of that name in the working folder or beside this one is not taken for h5py.
    command = [sys.executable, "-P", __file__, os.fspath(path), str(seconds)]
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
        return f"the HDF5 library could not be tried in a separate process ({error})"
    if child.returncode == 0:
        return None
    said = child.stderr.decode(errors="replace").strip()
    if said.startswith("Timeout"):
        return f"the HDF5 library did not finish reading it within {seconds:.0f} s"
    why = said.rpartition("\n")[2] or f"exit {child.returncode}"
    return f"the HDF5 library failed to read it ({why})"


def walk(path: str, at_each_step: Callable[[], None] = lambda: None) -> None:
    """Touch all that the reader touches: groups, names of layers, datasets, texts.

    Damage that the library itself reports is passed over, and left to the reader to report.
    """
    import h5py

    entered = set()
    waiting: list[Callable[[], Any]] = [partial(h5py.File, path, "r")]
    while waiting:
        at_each_step()
        item = attempt(waiting.pop())
        if not isinstance(item, h5py.Group | h5py.Dataset):
            continue
        address = getattr(attempt(partial(h5py.h5o.get_info, item.id)), "addr", None)
        if address in entered:
            continue
        entered.add(address)
        if isinstance(item, h5py.Group):
            attempt(partial(item.attrs.get, "name"))
            waiting += [partial(_member, item, key) for key in attempt(partial(list, item)) or ()]
        else:
            attempt(item.id.get_storage_size)
            dtype = attempt(partial(getattr, item, "dtype"))
            if getattr(dtype, "hasobject", False) and item.shape == ():
                attempt(partial(item.__getitem__, ()))


def _member(group: Any, key: str) -> Any:
    """Open what a hard link leads to; no other link is followed."""
    import h5py

    return group[key] if isinstance(group.get(key, getlink=True), h5py.HardLink) else None


def attempt(function: Callable[[], Any]) -> Any:
    """Call it; None if the file is damaged there."""
    try:
        return function()
    except DAMAGE:
        return None


def _walk_within_limits(path: str, seconds: float) -> None:
    size = Path(path).stat().st_size
    _limit_memory(MEMORY + size)
    walk(path, _watch(seconds))
    # Where the limit cut it short, the library reports an error that nothing would stop elsewhere.
    if _peak_memory() > MEMORY // 2 + size:
        raise MemoryError("it needs too much memory")


def _watch(seconds: float) -> Callable[[], None]:
    """Return what must be called again within a time; if it is not, the process ends."""
    set_at = -math.inf

    def watch() -> None:
        nonlocal set_at
        now = time.monotonic()
        if now > set_at + 1:  # setting it takes as long as a step
            # A thread of C, which runs while the library loops, writes "Timeout" and exits.
            faulthandler.dump_traceback_later(seconds + 1, exit=True)
            set_at = now

    return watch


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; that of time holds there, too
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _peak_memory() -> int:
    """Most memory that this process ever had, in bytes; 0 where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


if __name__ == "__main__":
    _walk_within_limits(sys.argv[1], float(sys.argv[2]))
