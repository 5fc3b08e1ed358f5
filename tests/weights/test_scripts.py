"""What runs the scripts of converters/."""

import os
import sys

import pytest

from htsr_ref.weights.foreign.scripts import environment, interpreter, scripts_folder

pytestmark = pytest.mark.spec("FMT-25")


def test_scripts_have_one_thread_and_the_surroundings_of_the_command(monkeypatch):
    monkeypatch.setenv("A_SETTING", "kept")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    one_thread = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    assert environment() == {**os.environ, **one_thread}
    assert environment()["A_SETTING"] == "kept"
    assert interpreter() == sys.executable
    assert (scripts_folder() / "hdf5_trial.py").is_file()


def test_an_embedded_python_hands_on_its_packages_and_names_its_installation(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", "")
    monkeypatch.setattr(sys, "path", ["", "here", "there"])
    assert environment()["PYTHONPATH"] == os.pathsep.join(["here", "there"])
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    for prefix in ("prefix", "base_prefix"):
        monkeypatch.setattr(sys, prefix, str(tmp_path / prefix))
    with pytest.raises(FileNotFoundError, match=f"there is no Python {version} in "):
        interpreter()
    python = (
        tmp_path / "base_prefix" / ("python.exe" if os.name == "nt" else f"bin/python{version}")
    )
    python.parent.mkdir(parents=True)
    python.touch()
    assert interpreter() == str(python)
