"""Whether the HDF5 library comes to an end in a file: tried in a process of its own.

A damaged or hostile file can make the library loop without end, take memory without end, or
crash, and nothing in the same process can stop it. So a child, which runs this file as a script,
goes through the whole structure under a limit of time and memory before the file is opened here.
"""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from _containers import DAMAGED, open_regular
from _errors import ConversionError
from _hdf5 import check_dataset
from _windows import Window

START_SECONDS = 5.0
"""Time that any file is given."""

BYTES_PER_SECOND = 20e6
"""Speed at which a disk must deliver what the library reads of a file, which is at most all."""

MEMORY = 2**30
"""Address space of the child beside the size of the file; Python and its packages take a tenth."""

DAMAGE = (
    OSError,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    ArithmeticError,
    ConversionError,
)
"""What h5py raises where a file is damaged."""


def try_out(path: Path, stretch: tuple[int, int] | None = None) -> None:
    """Have a child read an HDF5 file's structure.

    Parameters
    ----------
    stretch : start and size of the HDF5 file within the file; None if it is all of it.

    Raises
    ------
    ConversionError
        If the library comes to no end, or crashes. An error that it reports is left to the reader.
    """
    start, size = stretch or (0, path.stat().st_size)
    seconds = START_SECONDS + size / BYTES_PER_SECOND
    command = [sys.executable, __file__, str(path), str(start), str(size)]
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
        raise ConversionError(
            f"the HDF5 library came to no end in it within {seconds:.0f} s", DAMAGED
        ) from None
    if child.returncode:
        last = child.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        why = last or f"exit {child.returncode}"
        raise ConversionError(f"the HDF5 library failed in it ({why})", DAMAGED)


def walk(path: Path, start: int, size: int) -> None:
    """Touch all but the numbers: links, groups, attributes, datasets, references.

    Damage that the library itself reports is passed over, and left to the reader to report.
    """
    try:
        import h5py
    except ImportError:
        return

    entered = set()
    file = attempt(h5py.File, Window(open_regular(path), start, size), "r")
    waiting = [file]
    while waiting:
        item = waiting.pop()
        if not isinstance(item, h5py.Group | h5py.Dataset):
            continue
        address = getattr(attempt(h5py.h5o.get_info, item.id), "addr", None)
        if address in entered:
            continue
        entered.add(address)
        for key in attempt(list, item.attrs) or ():
            attempt(item.attrs.get, key)
        if isinstance(item, h5py.Group):
            links = {
                key: attempt(item.get, key, None, False, True) for key in attempt(list, item) or ()
            }
            hard = [key for key, link in links.items() if isinstance(link, h5py.HardLink)]
            waiting += [attempt(item.get, key) for key in hard]
        else:
            attempt(item.id.get_storage_size)
            dtype = attempt(getattr, item, "dtype")
            if dtype is not None and h5py.check_ref_dtype(dtype) is h5py.Reference:
                references = attempt(_references, item)
                waiting += [attempt(file.__getitem__, reference) for reference in references or ()]


def _references(dataset: Any) -> list[Any]:
    check_dataset(dataset.name, dataset)
    return [reference for reference in dataset[()].reshape(-1) if reference]


def attempt(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call it; None if the file is damaged there."""
    try:
        return function(*arguments)
    except DAMAGE:
        return None


def _walk_within_limits(path: Path, start: int, size: int) -> None:
    _limit_memory(MEMORY + size)
    walk(path, start, size)
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
    _walk_within_limits(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
