"""How many cores the process may use."""

import os
from pathlib import Path

from htsr_ref.machine.cgroups import groups, words


def usable_cores() -> int:
    """Cores that affinity and the quota of a container leave to the process, at least 1.

    Spec: SCL-1.
    """
    try:
        there = len(os.sched_getaffinity(0))
    except AttributeError:
        there = os.cpu_count() or 1
    granted = [quota for group in groups("cpu") if (quota := quota_of(group)) is not None]
    return max(1, min([there, *granted]))


def quota_of(group: Path) -> int | None:
    """Whole cores of processor time that a control group grants; None without a limit.

    Spec: SCL-1.
    """
    limit = words(group, ["cpu.max"])
    if limit is None:
        limit = (words(group, ["cpu.cfs_quota_us"]) or []) + (
            words(group, ["cpu.cfs_period_us"]) or []
        )
    if len(limit) != 2 or not all(word.isdecimal() for word in limit) or int(limit[1]) == 0:
        return None
    return int(limit[0]) // int(limit[1])
