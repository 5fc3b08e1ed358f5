"""Run a script with limits: `launch.py MEMORY FILE_SIZE SCRIPT ARGUMENT...`, in bytes.

This file is run as a script itself, in a process of its own, and imports nothing of the package.
"""

import contextlib
import runpy
import sys
from pathlib import Path

if __name__ == "__main__":
    memory, file_size, script = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
    with contextlib.suppress(ImportError):  # Windows
        import resource

        for what, size in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_FSIZE, file_size)):
            hard = resource.getrlimit(what)[1]
            soft = size if hard == resource.RLIM_INFINITY else min(size, hard)
            with contextlib.suppress(OSError, ValueError):  # macOS may refuse it
                resource.setrlimit(what, (soft, hard))
    sys.path.insert(0, str(script.parent))
    sys.argv = sys.argv[3:]
    runpy.run_path(str(script), run_name="__main__")
