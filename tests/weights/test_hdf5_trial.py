"""FMT-10: files that the HDF5 library never finishes reading are refused, and soon."""

import sys

import h5py
import numpy as np
import pytest
from hdf5_faults import FAULTS

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import hdf5_trial, open_weights


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.h5"


def child(monkeypatch, tmp_path, text):
    """Put another program in the place of the trial's."""
    (tmp_path / "hdf5_trial.py").write_text(text, encoding="utf-8")
    monkeypatch.setattr(hdf5_trial, "scripts_folder", lambda: tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
@pytest.mark.spec("FMT-10", "FMT-17")
@pytest.mark.parametrize(
    "fault", [*(pytest.param(fault, marks=pytest.mark.slow) for fault in FAULTS[:-1]), FAULTS[-1]]
)
def test_a_library_that_never_finishes(fault, path, monkeypatch):
    fault(path)
    monkeypatch.setattr(hdf5_trial, "STEP_SECONDS", 5.0 if "free" in fault.__name__ else 1.5)
    with pytest.raises(
        WeightFileError, match=r"the HDF5 library (did not finish|failed)"
    ) as caught:
        open_weights(path)
    assert "\n" not in str(caught.value)


@pytest.mark.spec("FMT-10")
def test_a_library_that_crashes(path, monkeypatch, tmp_path):
    path.touch()
    child(monkeypatch, tmp_path, "import os\nos.abort()")
    assert hdf5_trial.trouble(path) == "the HDF5 library failed to read it (exit -6)"
    child(monkeypatch, tmp_path, "raise MemoryError('all of it')")
    assert hdf5_trial.trouble(path) == "the HDF5 library failed to read it (MemoryError: all of it)"


@pytest.mark.spec("FMT-10")
def test_a_python_that_does_not_start(path, monkeypatch):
    path.write_bytes(b"no HDF5")
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    assert "could not be tried in a separate process" in str(hdf5_trial.trouble(path))


@pytest.mark.spec("FMT-10")
def test_time_grows_with_the_file(path, monkeypatch, tmp_path):
    path.write_bytes(bytes(1000))
    child(monkeypatch, tmp_path, "import sys\nsys.exit(f'Timeout after {sys.argv[4]}')")
    monkeypatch.setattr(hdf5_trial, "STEP_SECONDS", 0.5)
    monkeypatch.setattr(hdf5_trial, "BYTES_PER_SECOND", 2000)
    assert hdf5_trial.trouble(path) == "the HDF5 library did not finish reading it within 1 s"


@pytest.mark.spec("FMT-10")
def test_the_trial_runs_nothing_of_the_working_folder(path, monkeypatch, tmp_path):
    (tmp_path / "h5py.py").write_text("raise SystemExit('not this one')", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    path.write_bytes(b"no HDF5")
    assert hdf5_trial.trouble(path.name) is None


@pytest.mark.spec("FMT-10", "FMT-25")
@pytest.mark.parametrize("unknown", ["", None])
def test_an_embedded_python_need_not_know_its_program(path, monkeypatch, unknown):
    with h5py.File(path, "w") as file:
        file["a"] = np.ones((2, 2))
    monkeypatch.setattr(sys, "executable", unknown)
    assert [layer.tensor for layer in open_weights(path).layers] == ["a"]
    monkeypatch.setattr(sys, "prefix", "/nowhere")
    monkeypatch.setattr(sys, "base_prefix", "/nowhere")
    with pytest.raises(WeightFileError, match=r"could not be tried .*there is no Python"):
        open_weights(path)
