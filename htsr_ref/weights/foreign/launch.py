"""Run a script with limits: `launch.py MEMORY FILE_SIZE SCRIPT ARGUMENT...`, in bytes.

This file is run as a script itself, in a process of its own, and imports nothing of the package.
"""

import runpy
import sys
from pathlib import Path


def limit(memory: int, file_size: int) -> None:
    """Limit the address space and the size of files, where the system has such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for what, size in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, file_size)):
        hard = resource.getrlimit(what)[1]
        soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
        try:
            resource.setrlimit(what, (soft, hard))
        except (OSError, ValueError):  # macOS may refuse it
            continue


if __name__ == "__main__":
    limit(int(sys.argv[1]), int(sys.argv[2]))
    script = Path(sys.argv[3])
    sys.path.insert(0, str(script.parent))
    sys.argv = sys.argv[3:]
    runpy.run_path(str(script), run_name="__main__")
