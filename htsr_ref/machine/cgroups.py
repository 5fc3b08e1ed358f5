"""What Linux control groups allow, which containers are limited by."""

from collections.abc import Sequence
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")
"""Where control groups are mounted: version 2 itself, version 1 with a folder a controller."""

MEMBERSHIP = Path("/proc/self/cgroup")
"""Which groups the process is in."""


def groups(controller: str, *, root: Path = ROOT, membership: Path = MEMBERSHIP) -> list[Path]:
    """Folders of the groups that limit the process, each before the one that it lies in.

    Parameters
    ----------
    controller : "cpu" or "memory".
    root, membership : where groups are mounted, and the file that says which are ours.

    Returns
    -------
    Those of either version that exist; none on a system without control groups.
    """
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return []
    found: list[Path] = []
    for line in lines:
        _, controllers, inside = line.split(":", 2)
        if controllers and controller not in controllers.split(","):
            continue
        top = root / controller if controllers else root
        # In a container the path may be that of the host, which is not mounted: the top is ours.
        own = top / inside.lstrip("/")
        found += [folder for folder in (own, *own.parents) if top in (folder, *folder.parents)]
    return [folder for folder in found if folder.is_dir()]


def words(group: Path, names: Sequence[str]) -> list[str] | None:
    """Words of the first of these settings that a group has; None if it has none of them."""
    for name in names:
        try:
            return (group / name).read_text(encoding="ascii").split()
        except (OSError, UnicodeDecodeError):
            continue
    return None
