"""The wheel alone, in a bare environment with no checkout in sight, reads what it says it reads."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conversions import FIXTURES, SAME, expected
from safetensors.numpy import load_file

ROOT = Path(__file__).parents[1]
SOURCES = {framework: FIXTURES / "same" / name for framework, name in SAME.items()}
SOURCES |= {
    "matlab": FIXTURES / "numpy" / "plain.mat",
    "matlab 7.3": FIXTURES / "numpy" / "hdf5.mat",
    "skops": FIXTURES / "numpy" / "mlp.skops",
    "orbax": FIXTURES / "jax" / "nnx",
    "h5": FIXTURES / "keras" / "keras3_legacy.h5",
}
"""One file of each source: those of one network, and others with their arrays beside them."""
WITH_FOLDER = ("tensorflow", "tensorflowjs")
"""Sources whose files need others of their folder."""


def arrays_of(path):
    """Arrays that a fixture holds, in canonical axes."""
    if path.with_name(f"{path.name}.expected.npz").exists():
        return expected(path)
    with np.load(FIXTURES / "same" / "numpy.npz") as arrays:
        return {name: arrays[name] for name in ("fc1.weight", "fc2.weight")}


def summary(arrays):
    """Shapes, types and bytes; of tied tensors, one is stored."""
    return {(array.shape, array.dtype.name, array.tobytes()) for array in arrays.values()}


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Run the installed `htsr` in a folder of its own."""
    folder = tmp_path_factory.mktemp("installed")
    bare = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }

    def run(*command):
        return subprocess.run(
            [str(part) for part in command],
            cwd=folder,
            env=bare,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    def done(*command):
        outcome = run(*command)
        assert outcome.returncode == 0, outcome.stderr
        return outcome

    scripts = folder / "venv" / ("Scripts" if os.name == "nt" else "bin")
    done(sys.executable, "-m", "venv", folder / "venv")
    done(scripts / "python", "-m", "pip", "wheel", "-q", "--no-deps", "-w", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    done(scripts / "python", "-m", "pip", "install", "-q", wheel, "tensorstore")
    package = done(scripts / "python", "-c", "import htsr_ref; print(htsr_ref.__file__)").stdout
    assert Path(package.strip()).is_relative_to(folder)
    return lambda *arguments: run(scripts / "htsr", *arguments)


@pytest.mark.slow
@pytest.mark.spec("FMT-22", "FMT-25")
@pytest.mark.parametrize("source", SOURCES)
def test_every_source_is_analyzed_and_converted(installed, tmp_path, source):
    path = tmp_path / SOURCES[source].name
    if SOURCES[source].is_dir():
        shutil.copytree(SOURCES[source], path)
    elif source in WITH_FOLDER:
        path = shutil.copytree(SOURCES[source].parent, tmp_path / "model") / path.name
    else:
        shutil.copy(SOURCES[source], path)
    report, again = tmp_path / "a.json", tmp_path / "b.json"
    small = ("--set", "min_dim=0", "--set", "min_eigenvalues=2", "-o")
    for command in (
        ("analyze", path, *small, report),
        ("convert", path, "-o", tmp_path / "x.safetensors"),
        ("analyze", tmp_path / "x.safetensors", *small, again),
    ):
        outcome = installed(*command)
        assert outcome.returncode == 0, outcome.stderr
    wanted, found = (
        summary(arrays_of(SOURCES[source])),
        summary(load_file(tmp_path / "x.safetensors")),
    )
    assert wanted
    assert wanted <= found
    before, after = (json.loads(file.read_text()) for file in (report, again))
    assert before["model"] == after["model"]
    assert before["model"]["matrices"] > 0
    assert before["source"]["sha256"] == after["source"]["origin"]["sha256"]
