"""Fixtures made again by the frameworks themselves, installed for it: run with -m frameworks."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest
from conversions import CONVERTERS, FIXTURES, assert_is_expected, converted, fixtures


def dependencies(script: Path) -> list[str]:
    """What the header of a script names (PEP 723)."""
    header = re.search(r"# /// script\n(.*?)# ///\n", script.read_text(encoding="utf-8"), re.DOTALL)
    lines = (line.removeprefix("# ").removeprefix("#") for line in header[1].splitlines())
    return tomllib.loads("\n".join(lines))["dependencies"]


@pytest.mark.frameworks
@pytest.mark.parametrize("folder", CONVERTERS)
def test_fixtures_made_again(folder, tmp_path):
    made = tmp_path / "fixtures" / folder
    made.mkdir(parents=True)
    shutil.copy(FIXTURES / "forward.py", made.parent)
    script = Path(shutil.copy(FIXTURES / folder / "make.py", made))
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *dependencies(script)], check=True)
    subprocess.run([python, script], check=True)
    converter = importlib.import_module(CONVERTERS[folder])
    names = [path.name for path in fixtures(folder)]
    assert [path.name for path in fixtures(made)] == names
    for path in fixtures(made):
        assert_is_expected(converted(converter, path, tmp_path), path)
