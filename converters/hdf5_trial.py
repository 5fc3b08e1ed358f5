"""Read an HDF5 file's structure: `hdf5_trial.py FILE START SIZE SECONDS`; no converter.

A damaged or hostile file can make the HDF5 library loop forever, allocate memory forever, or
crash, and nothing in the same process can stop it. So whoever reads such a file first runs this
script, which goes through the whole structure under a limit of time and memory.
"""

import faulthandler
import math
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from common.containers import open_regular
from common.errors import ConversionError
from common.windows import Window
from hdf5.datasets import check_dataset

MEMORY = 2**30
"""Address space on top of the size of the file; Python takes a tenth of it."""

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


def walk(
    path: Path, start: int, size: int, at_each_step: Callable[[], None] = lambda: None
) -> None:
    """Touch all but the numbers: links, groups, attributes, datasets, references.

    Damage that the library itself reports is passed over, and left to the reader to report.
    """
    try:
        import h5py
    except ImportError:
        return
    entered = set()
    waiting: list[Callable[[], Any]] = [
        partial(h5py.File, Window(open_regular(path), start, size), "r")
    ]
    while waiting:
        at_each_step()
        item = attempt(waiting.pop())
        if not isinstance(item, h5py.Group | h5py.Dataset):
            continue
        address = getattr(attempt(partial(h5py.h5o.get_info, item.id)), "addr", None)
        if address in entered:
            continue
        entered.add(address)
        for attribute in attempt(partial(list, item.attrs)) or ():
            attempt(partial(item.attrs.get, attribute))
        if isinstance(item, h5py.Group):
            waiting += [partial(_member, item, key) for key in attempt(partial(list, item)) or ()]
        else:
            attempt(item.id.get_storage_size)
            attempt(partial(_text, item))
            references = attempt(partial(_references, item)) or ()
            waiting += [partial(item.file.__getitem__, reference) for reference in references]


def _references(dataset: Any) -> list[Any]:
    import h5py

    if h5py.check_ref_dtype(dataset.dtype) is not h5py.Reference:
        return []
    check_dataset(dataset.name, dataset)
    value = dataset[()]
    references = value.reshape(-1) if dataset.shape else [value]
    return [reference for reference in references if reference]


def _text(dataset: Any) -> None:
    if dataset.shape == () and dataset.dtype.hasobject:
        dataset[()]


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


def walk_within_limits(path: Path, start: int, size: int, seconds: float) -> None:
    """Walk, ending the process where a step or memory exceeds its limit."""
    _limit_memory(MEMORY + size)
    walk(path, start, size, _watch(seconds))
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
    start, size = map(int, sys.argv[2:4])
    walk_within_limits(Path(sys.argv[1]), start, size, float(sys.argv[4]))
