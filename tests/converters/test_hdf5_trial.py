"""HDF5 files that the HDF5 library never finishes reading are refused, and soon."""

import os
import re
import sys
import zipfile

import h5py
import hdf5_trial
import keras_files
import numpy as np
import numpy_files
import pytest
from conversions import FIXTURES, refused
from hdf5 import trial
from hdf5_faults import FAULTS, endless_siblings

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
NO_END = "the HDF5 library (did not finish reading|failed to read) it"


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_keras(fault, tmp_path, monkeypatch):
    path = tmp_path / "model.h5"
    fault(path)
    monkeypatch.setattr(trial, "STEP_SECONDS", 5.0 if "free" in fault.__name__ else 1.5)
    assert re.search(NO_END, refused(keras_files, path, tmp_path))


@pytest.mark.slow
def test_keras_archive(tmp_path, monkeypatch):
    endless_siblings(tmp_path / "weights.h5")
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(tmp_path / "weights.h5", "model.weights.h5")
        archive.writestr("config.json", "{}")
    monkeypatch.setattr(trial, "STEP_SECONDS", 1.5)
    assert re.search(NO_END, refused(keras_files, path, tmp_path))


def test_matlab(tmp_path, monkeypatch):
    path = tmp_path / "model.mat"
    endless_siblings(path)
    path.write_bytes(b"MATLAB 7.3 MAT-file".ljust(512) + path.read_bytes())
    monkeypatch.setattr(trial, "STEP_SECONDS", 1.5)
    assert re.search(NO_END, refused(numpy_files, path, tmp_path))


def test_a_library_that_crashes(tmp_path, monkeypatch):
    (tmp_path / "crash.py").write_text("import os; os.abort()")
    monkeypatch.setattr(trial, "SCRIPT", tmp_path / "crash.py")
    path = FIXTURES / "keras" / "keras2.h5"
    assert re.search(
        r"the HDF5 library failed to read it \(exit -6\)", refused(keras_files, path, tmp_path)
    )


def test_a_python_that_does_not_start(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    message = refused(keras_files, FIXTURES / "keras" / "keras2.h5", tmp_path)
    assert "could not be tried in a separate process" in message
    assert "/nowhere/python" in message


def test_the_walk_is_made_of_every_fixture():
    for path in [*FIXTURES.glob("keras/*.h5"), FIXTURES / "numpy" / "hdf5.mat"]:
        hdf5_trial.walk(path, 0, path.stat().st_size)
        half = path.stat().st_size // 2
        hdf5_trial.walk(path, 0, half)


def test_the_walk_passes_over_what_the_library_reports(tmp_path):
    path = tmp_path / "model.h5"
    with h5py.File(path, "w") as file:
        file["a"] = np.ones((2, 2))
        file["a"].attrs["name"] = "layer"
        file["group/text"] = "some text"
        file["again"] = file["group"]
        file["soft"] = h5py.SoftLink("/nowhere")
        file["elsewhere"] = h5py.ExternalLink(os.devnull, "/a")
    whole = path.read_bytes()
    hdf5_trial.walk(path, 0, len(whole))
    for size in range(0, len(whole), 97):
        path.write_bytes(whole[:size])
        hdf5_trial.walk(path, 0, size)
