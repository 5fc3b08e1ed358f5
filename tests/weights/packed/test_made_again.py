"""Fixtures made again by the libraries themselves, installed for it: run with -m frameworks."""

import json
import re
import shutil
import subprocess
import sys
import tomllib
import venv

import pytest
from scaled_modules import FIXTURES

SCRIPTS = {
    "make_transformers": ("fp4_*", "fp8_*", "mxfp4_*"),
    "make_compressed_tensors": ("ct_*",),
    "make_compressed_tensors_old": ("ct0.9.0_*",),
    "make_modelopt": ("modelopt_*",),
    "make_comfy_kitchen": ("comfy_*", "refused_comfy_*"),
}


def parsed(path):
    """Header and data: the library writes the entries of the metadata in any order."""
    content = path.read_bytes()
    data = 8 + int.from_bytes(content[:8], "little")
    return json.loads(content[8:data]), content[data:]


@pytest.mark.frameworks
@pytest.mark.parametrize("script", SCRIPTS)
def test_fixtures_made_again(script, tmp_path):
    source = (FIXTURES / f"{script}.py").read_text(encoding="utf-8")
    header = re.search(r"# /// script\n(.*?)# ///\n", source, re.DOTALL)[1]
    needed = tomllib.loads(header.replace("# ", ""))["dependencies"]
    venv.create(tmp_path / "venv", with_pip=True)
    python = tmp_path / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", *needed], check=True)
    for name in (f"{script}.py", "saving.py"):
        shutil.copy(FIXTURES / name, tmp_path)
    subprocess.run([python, tmp_path / f"{script}.py"], check=True)
    wanted = sorted(path for pattern in SCRIPTS[script] for path in FIXTURES.glob(pattern))
    assert sorted(path.name for path in tmp_path.glob("*.safetensors")) == [
        path.name for path in wanted
    ]
    for path in wanted:
        assert parsed(tmp_path / path.name) == parsed(path)
