"""Where the scripts of converters/ are, and what runs them."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def scripts_folder() -> Path:
    """Folder of the scripts: in the package where it was installed, else beside it."""
    package = Path(__file__).parents[2]
    installed = package / "_converters"
    return installed if installed.is_dir() else package.parent / "converters"


def interpreter() -> str:
    """Path of the Python that runs scripts; of an embedded one, that of its installation.

    Raises
    ------
    FileNotFoundError
        If there is none.

    Spec: FMT-25.
    """
    if sys.executable:
        return sys.executable
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    name = "python.exe" if os.name == "nt" else f"bin/python{version}"
    for prefix in (sys.prefix, sys.base_prefix):
        found = Path(prefix, name)
        if found.is_file():
            return str(found)
    raise FileNotFoundError(f"there is no Python {version} in {sys.prefix}")


def environment() -> dict[str, str]:
    """Surroundings of a script: one thread, and the packages that an embedded Python has."""
    # Threads of a BLAS, which is not used there, would take up the address space.
    changes = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    if not sys.executable:
        changes["PYTHONPATH"] = os.pathsep.join(filter(None, sys.path))
    return os.environ | changes
