"""Whether the HDF5 library comes to an end in a file: tried in a process of its own.

A damaged or hostile file can make the library loop without end, take memory without end, or
crash, and nothing in the same process can stop it. So a child goes through all that a reader
touches, under a limit of time and memory, before the file is opened here. This module imports
nothing of the package: the child runs it as a script.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

START_SECONDS = 5.0
"""Time that any file is given."""

BYTES_PER_SECOND = 20e6
"""Speed at which a disk must deliver what the library reads of a file, which is at most all."""

MEMORY = 2**30
"""Address space of the child beside the size of the file; Python and its packages take a tenth."""

DAMAGE = (OSError, RuntimeError, LookupError, ValueError, TypeError, ArithmeticError)
"""What h5py raises where a file is damaged."""


def trouble(path: str | os.PathLike[str]) -> str | None:
    """Say what goes wrong when the HDF5 library reads a file's structure.

    Parameters
    ----------
    path : an existing file.

    Returns
    -------
    A sentence without its end, or None if the library comes to an end, be it with an error.

    Raises
    ------
    OSError
        If the file is gone, or Python cannot be started.

    Spec: FMT-10.
    """
    seconds = START_SECONDS + Path(path).stat().st_size / BYTES_PER_SECOND
    # -P: a file of that name in the working folder or beside this one is not taken for h5py.
    command = [sys.executable, "-P", __file__, os.fspath(path)]
    # Threads of a BLAS, which is not used here, would take up the address space.
    environment = os.environ | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    try:
        child = subprocess.run(  # noqa: S603 - our own file
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"the HDF5 library came to no end in it within {seconds:.0f} s"
    if child.returncode == 0:
        return None
    last = child.stderr.decode(errors="replace").strip().rpartition("\n")[2]
    return f"the HDF5 library failed in it ({last or f'exit {child.returncode}'})"


def walk(path: str) -> None:
    """Touch all that the reader touches: groups, names of layers, datasets, texts.

    Damage that the library itself reports is passed over, and left to the reader to report.
    """
    import h5py

    entered = set()
    waiting = [attempt(h5py.File, path, "r")]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, h5py.Group | h5py.Dataset):
            continue
        address = getattr(attempt(h5py.h5o.get_info, item.id), "addr", None)
        if address in entered:
            continue
        entered.add(address)
        if isinstance(item, h5py.Group):
            attempt(item.attrs.get, "name")
            links = {
                key: attempt(item.get, key, None, False, True) for key in attempt(list, item) or ()
            }
            hard = [key for key, link in links.items() if isinstance(link, h5py.HardLink)]
            waiting += [attempt(item.get, key) for key in hard]
        else:
            attempt(item.id.get_storage_size)
            if getattr(attempt(getattr, item, "dtype"), "hasobject", False) and item.shape == ():
                attempt(item.__getitem__, ())


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it; None if the file is damaged there."""
    try:
        return function(*arguments)
    except DAMAGE:
        return None


def _walk_within_limits(path: str) -> None:
    size = Path(path).stat().st_size
    _limit_memory(MEMORY + size)
    walk(path)
    # Where the limit cut it short, the library reports an error that nothing would stop elsewhere.
    if _peak_memory() > MEMORY // 2 + size:
        raise MemoryError("it took memory without end")


def _limit_memory(size: int) -> None:
    try:
        import resource
    except ImportError:  # Windows has no such limit; that of time holds there, too
        return
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
    resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _peak_memory() -> int:
    """Most memory that this process ever had, in bytes; 0 where the system does not tell."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return 0
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return 1024 * int(found[1]) if found else 0


if __name__ == "__main__":
    _walk_within_limits(sys.argv[1])
