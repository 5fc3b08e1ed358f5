"""What spec/callbacks.md shows, run with the frameworks themselves: run with -m frameworks."""

import re
import shutil
import subprocess
import sys
import tomllib
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(__file__).parent / "callbacks"
PAGE = (ROOT / "spec" / "callbacks.md").read_text(encoding="utf-8")
HEADINGS = {
    "pytorch": "PyTorch",
    "lightning": "Lightning",
    "keras": "Keras",
    "huggingface": "Hugging Face Trainer",
    "jax": "JAX and Flax",
}
"""Section of the page that a script runs."""


def section(script: str) -> str:
    return next(part for part in PAGE.split("\n## ") if part.startswith(f"{HEADINGS[script]}\n"))


def code_of(script: str) -> str:
    (code,) = re.findall(r"^```python\n(.*?)^```$", section(script), re.MULTILINE | re.DOTALL)
    return code


def needed_by(script: str) -> list[str]:
    """What the header of a script names (PEP 723)."""
    source = (SCRIPTS / f"{script}.py").read_text(encoding="utf-8")
    header = re.search(r"# /// script\n(.*?)# ///\n", source, re.DOTALL)[1]
    return tomllib.loads(header.replace("# ", ""))["dependencies"]


def test_every_piece_of_code_has_its_script_and_names_the_versions_it_was_run_with():
    assert PAGE.count("```python") == len(HEADINGS)
    for script in HEADINGS:
        compile(code_of(script), script, "exec")
        versions = [text.partition("==")[2] for text in needed_by(script)[1:]]
        assert [version for version in versions if version not in section(script)] == []


@pytest.mark.frameworks
@pytest.mark.parametrize("script", HEADINGS)
def test_the_code_of_the_page(script, tmp_path):
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", ROOT, *needed_by(script)], check=True)
    (tmp_path / "code.txt").write_text(code_of(script), encoding="utf-8")
    # A script that is called as a package is must not be found in its place.
    shutil.copy(SCRIPTS / f"{script}.py", tmp_path / "run_it.py")
    subprocess.run([python, "run_it.py", "code.txt"], check=True, cwd=tmp_path)
