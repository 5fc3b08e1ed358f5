"""Run the tests with the lowest versions that pyproject.toml allows, each of them exactly.

    python tests/lowest_versions.py [PYTEST ARGUMENTS]

The Python that runs it must be the lowest allowed too. It installs into a temporary environment, so
it needs a package index. The exit code is pytest's. Without arguments the fast tests are run.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import venv
from pathlib import Path

ROOT = Path(__file__).parents[1]
EXTRAS = ("plot", "remote", "report", "test")
WARNINGS = ("-W", "default::DeprecationWarning")
"""Old packages call what newer ones that they need have since deprecated."""


def lowest(requirement: str) -> str:
    """Turn a lower bound into that version, and refuse whatever is not one.

    >>> lowest("numpy>=1.26")
    'numpy==1.26'
    """
    match = re.fullmatch(r"([\w.-]+)>=([\d.]+)", requirement)
    if match is None:
        raise ValueError(f"{requirement!r} is not a lower bound")
    return "==".join(match.groups())


def main() -> int:
    """Install the lowest versions and run pytest."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    version = "{}.{}".format(*sys.version_info)
    if project["requires-python"] != f">={version}":
        sys.exit(f"run it with Python {project['requires-python'].removeprefix('>=')}")
    own = project["name"] + "["
    optional = project["optional-dependencies"]
    needed = [*project["dependencies"], *(bound for extra in EXTRAS for bound in optional[extra])]
    pins = sorted({lowest(bound) for bound in needed if not bound.startswith(own)})
    with tempfile.TemporaryDirectory() as folder:
        venv.create(folder, with_pip=True)
        python = Path(folder, "bin", "python")
        print(*pins, sep="\n", flush=True)
        subprocess.run(
            [python, "-m", "pip", "install", "-q", "-e", f"{ROOT}[{','.join(EXTRAS)}]", *pins],
            check=True,
        )
        environment = {**os.environ, "PATH": f"{python.parent}{os.pathsep}{os.environ['PATH']}"}
        return subprocess.run(
            [python, "-m", "pytest", *WARNINGS, *sys.argv[1:]], cwd=ROOT, env=environment
        ).returncode


if __name__ == "__main__":
    sys.exit(main())
