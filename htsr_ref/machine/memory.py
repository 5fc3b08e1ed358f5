"""How much memory the process may still use."""

import os
from pathlib import Path

from htsr_ref.machine.cgroups import groups, words

MEMINFO = Path("/proc/meminfo")
OWN_SIZE = Path("/proc/self/statm")


def usable_memory() -> int | None:
    """Bytes that the machine, a container's limit and RLIMIT_AS still leave to the process.

    Returns
    -------
    The least of them; None where the system says nothing.

    Spec: SCL-3.
    """
    left = [_available(), _left_of_address_space(), *map(left_in, groups("memory"))]
    known = [max(0, number) for number in left if number is not None]
    return min(known) if known else physical_memory()


def physical_memory() -> int | None:
    """Bytes of memory of this machine; None where it does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def left_in(group: Path) -> int | None:
    """Bytes that the limit of a control group leaves; None without a limit.

    Pages of files count as left, since the system drops them where room is needed.

    Spec: SCL-3.
    """
    limit = words(group, ["memory.max", "memory.limit_in_bytes"])
    used = words(group, ["memory.current", "memory.usage_in_bytes"])
    if not limit or not used or not limit[0].isdecimal() or not used[0].isdecimal():
        return None
    stat = words(group, ["memory.stat"]) or []
    numbers = dict(zip(stat[::2], map(int, stat[1::2]), strict=False))
    of_files = max(
        sum(numbers.get(f"{prefix}{kind}_file", 0) for kind in ("inactive", "active"))
        for prefix in ("", "total_")
    )
    return int(limit[0]) - int(used[0]) + of_files


def _available() -> int | None:
    """Bytes that the system could give without swapping."""
    try:
        lines = MEMINFO.read_text(encoding="ascii").splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvail"))
    except (OSError, ValueError, StopIteration):
        return None


def _left_of_address_space() -> int | None:
    """Bytes that RLIMIT_AS leaves; None without one."""
    try:
        import resource

        limit = resource.getrlimit(resource.RLIMIT_AS)[0]
        pages = int(OWN_SIZE.read_text(encoding="ascii").split()[0])
    except (ImportError, OSError, ValueError):
        return None
    return None if limit == resource.RLIM_INFINITY else limit - pages * resource.getpagesize()
