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
from conversions import CONVERTERS, FIXTURES, SAME, assert_is_expected, converted, fixtures

pytestmark = pytest.mark.frameworks


def dependencies(script: Path) -> list[str]:
    """What the header of a script names (PEP 723)."""
    header = re.search(r"# /// script\n(.*?)# ///\n", script.read_text(encoding="utf-8"), re.DOTALL)
    lines = (line.removeprefix("# ").removeprefix("#") for line in header[1].splitlines())
    return tomllib.loads("\n".join(lines))["dependencies"]


@pytest.fixture(scope="module", params=CONVERTERS)
def framework(request, tmp_path_factory):
    """A folder of fixtures, and a Python that has what its script needs."""
    folder = tmp_path_factory.mktemp(request.param)
    venv.create(folder, with_pip=True)
    python = folder / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    needed = dependencies(FIXTURES / request.param / "make.py")
    subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True)
    yield request.param, python
    shutil.rmtree(folder)


def test_fixtures_made_again(framework, tmp_path):
    folder, python = framework
    made = tmp_path / "fixtures" / folder
    made.mkdir(parents=True)
    shutil.copy(FIXTURES / "forward.py", made.parent)
    script = shutil.copy(FIXTURES / folder / "make.py", made)
    subprocess.run([python, script], check=True)
    converter = importlib.import_module(CONVERTERS[folder])
    names = [path.name for path in fixtures(folder)]
    assert [path.name for path in fixtures(made)] == names
    for path in fixtures(made):
        assert_is_expected(converted(converter, path, tmp_path), path)


def test_the_same_network_made_again(framework, tmp_path):
    folder, python = framework
    script = shutil.copy(FIXTURES / "same" / "make.py", tmp_path)
    subprocess.run([python, script, folder], check=True)
    converter = importlib.import_module(CONVERTERS[folder])
    (tmp_path / "again").mkdir()
    found = converted(converter, tmp_path / SAME[folder], tmp_path / "again")
    wanted = converted(converter, FIXTURES / "same" / SAME[folder], tmp_path / "again")
    assert found.entries == wanted.entries
    assert found.arrays.keys() == wanted.arrays.keys()
    for name, array in found.arrays.items():
        assert array.tobytes() == wanted.arrays[name].tobytes()
