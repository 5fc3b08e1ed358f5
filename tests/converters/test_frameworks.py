"""Fixtures made again by the frameworks themselves, installed for it: run with -m frameworks."""

import importlib
import re
import shutil
import subprocess
import sys
import tomllib
import venv
from dataclasses import replace
from pathlib import Path

import pytest
from conversions import (
    CONVERTERS,
    FIXTURES,
    SAME,
    assert_holds,
    assert_is_expected,
    by_tensor,
    converted,
    expected,
    fixtures,
)

pytestmark = pytest.mark.frameworks


def dependencies(script: Path) -> list[str]:
    """What the header of a script names (PEP 723)."""
    header = re.search(r"# /// script\n(.*?)# ///\n", script.read_text(encoding="utf-8"), re.DOTALL)
    lines = (line.removeprefix("# ").removeprefix("#") for line in header[1].splitlines())
    return tomllib.loads("\n".join(lines))["dependencies"]


def layers_of(folder: str, path: Path, target: Path):
    """Layers of a file of weights: of its conversion, if htsr does not read it itself."""
    if folder == "huggingface":
        return by_tensor(path)
    return converted(importlib.import_module(CONVERTERS[folder]), path, target).layers


@pytest.fixture(scope="module", params=[*CONVERTERS, "huggingface"])
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
    names = [path.name for path in fixtures(folder)]
    assert [path.name for path in fixtures(made)] == names
    for path in fixtures(made):
        if folder == "huggingface":
            assert_holds(by_tensor(path).values(), expected(path))
        else:
            converter = importlib.import_module(CONVERTERS[folder])
            assert_is_expected(converted(converter, path, tmp_path), path)


def test_the_same_network_made_again(framework, tmp_path):
    folder, python = framework
    script = shutil.copy(FIXTURES / "same" / "make.py", tmp_path)
    subprocess.run([python, script, folder], check=True)
    (tmp_path / "again").mkdir()
    found = layers_of(folder, tmp_path / SAME[folder], tmp_path / "again")
    numbers = {name: layer.data[...].tobytes() for name, layer in found.items()}
    wanted = layers_of(folder, FIXTURES / "same" / SAME[folder], tmp_path / "again")
    assert found.keys() == wanted.keys()
    for name, layer in wanted.items():
        assert replace(layer, data=None) == replace(found[name], data=None)
        assert layer.data[...].tobytes() == numbers[name]
