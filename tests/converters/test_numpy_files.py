"""NumPy, scikit-learn and MATLAB files: exact weights; MATLAB's own files read as by SciPy."""

import io
import pickle
import struct
import zipfile
from importlib.resources import files
from pathlib import Path

import numpy as np
import numpy_files
import pytest
import scipy.io
from arrays import matlab
from conversions import (
    FIXTURES,
    assert_is_expected,
    convert,
    converted,
    fixtures,
    parts,
    refused,
)

from htsr_ref import analyze

FOLDER = FIXTURES / "numpy"
MATLAB = Path(str(files("scipy.io") / "matlab" / "tests" / "data"))
"""Files that several versions of MATLAB wrote, which come with SciPy."""


@pytest.mark.parametrize("path", fixtures("numpy"), ids=lambda path: path.name)
@pytest.mark.usefixtures("scripts_here")
def test_every_number_is_what_the_framework_says(path, tmp_path):
    assert_is_expected(converted(numpy_files, path, tmp_path), path)


def test_scikit_learn_states_its_axes(tmp_path):
    weights = converted(numpy_files, FOLDER / "mlp.skops", tmp_path)
    assert weights.entries["steps.1.1.coefs_.0"] == {
        "role": "weight",
        "rule": "scikit-learn coefs_ (in, out)",
        "axes": ["in", "out"],
    }
    # Adam's two moments of three weights and three biases are private, like what else has a _.
    assert weights.manifest["extra"]["left_out"]["private attribute"] >= 12
    assert weights.entries["steps.1.1.best_loss_"]["role"] == "buffer"


@pytest.mark.parametrize("name", ["plain.mat", "hdf5.mat"])
@pytest.mark.usefixtures("scripts_here")
def test_gates_of_matlab(name, tmp_path):
    layer = converted(numpy_files, FOLDER / name, tmp_path).layers["net.layers{2}.InputWeights"]
    assert layer.role == "recurrent"
    assert list(parts(layer)) == ["i", "f", "g", "o"]


ARRAYS = sorted(path for end in ("npy", "npz") for path in FIXTURES.rglob(f"*.{end}"))
FIRST = {(path.parent, path.suffix): path for path in reversed(ARRAYS)}
"""Of each folder and kind the first, which is fast."""


@pytest.mark.parametrize(
    "path",
    [
        path if path in FIRST.values() else pytest.param(path, marks=pytest.mark.slow)
        for path in ARRAYS
    ],
    ids=lambda path: str(path.relative_to(FIXTURES)),
)
def test_one_report_whether_htsr_reads_arrays_or_their_conversion(path, tmp_path):
    reports = [analyze(source) for source in (path, converted(numpy_files, path, tmp_path).path)]
    direct, through = ({layer.name: layer for layer in report.layers} for report in reports)
    # What holds no real numbers has no place in a converted file.
    text = {name for name, layer in direct.items() if layer.dtype.startswith(("str", "complex128"))}
    assert direct.keys() - text == through.keys()
    assert all(layer == direct[name] for name, layer in through.items())
    assert reports[0].model == reports[1].model


def test_text_is_left_out_and_counted(tmp_path):
    run = convert(numpy_files, FOLDER / "stored.npz", "--dry-run")
    assert "left out: 1 x array that does not hold real numbers" in run.err
    assert "names" not in run.out


def test_what_holds_no_numbers_is_left_out_and_counted(tmp_path):
    path = tmp_path / "mixed.npz"
    np.savez(
        path,
        w=np.ones((3, 4)),
        objects=np.array(["a", None], object),
        dates=np.array(["2020-01-01"], "M8[D]"),
        records=np.zeros(3, [("a", "f4"), ("b", "i8", (2,))]),
        nameless=np.zeros(3, "V4"),
    )
    weights = converted(numpy_files, path, tmp_path)
    assert list(weights.entries) == ["w"]
    assert weights.manifest["extra"]["left_out"] == {"array that does not hold real numbers": 4}


MATRICES = ["testmatrix", "testdouble", "test3dmatrix", "testcell", "teststruct", "testminus"]


@pytest.mark.skipif(not MATLAB.is_dir(), reason="SciPy is installed without its tests' files")
@pytest.mark.parametrize("version", ["6.1_SOL2", "6.5.1_GLNX86", "7.1_GLNX86", "7.4_GLNX86"])
@pytest.mark.parametrize("name", MATRICES)
def test_files_of_matlab_are_read_as_scipy_reads_them(name, version, tmp_path):
    path = MATLAB / f"{name}_{version}.mat"
    weights = converted(numpy_files, path, tmp_path)
    value = scipy.io.loadmat(path)[name]
    wanted = dict(leaves(name, value))
    assert weights.arrays.keys() == wanted.keys()
    for key, array in wanted.items():
        np.testing.assert_array_equal(weights.arrays[key], array)
        # An array of three axes is taken for (k, in, out).
        canonical = array.transpose(2, 1, 0) if array.ndim == 3 else array
        np.testing.assert_array_equal(weights.layers[key].data[...], canonical)


def leaves(name: str, value: np.ndarray):
    """Real arrays of what SciPy reads, named as in MATLAB."""
    if value.dtype.names:
        for field in value.dtype.names:
            yield from leaves(f"{name}.{field}", value[0, 0][field])
    elif value.dtype == object:
        for number, item in enumerate(value.reshape(-1, order="F"), 1):
            yield from leaves(f"{name}{{{number}}}", item)
    elif value.dtype.kind in "fiu":
        yield name, value


def test_a_struct_of_matlab_is_inflated_once(tmp_path, monkeypatch):
    path = tmp_path / "net.mat"
    layers = {f"w{number}": np.full((2, 3), number) for number in range(5)}
    scipy.io.savemat(path, {"net": layers, "b": np.ones((4, 5))}, do_compression=True)
    tensors = numpy_files.open_model(path, None).tensors
    variable, places = matlab.variable, []
    monkeypatch.setattr(
        matlab, "variable", lambda path, at: places.append(at) or variable(path, at)
    )
    numbers = {tensor.name: tensor.read() for tensor in tensors}
    assert len(places) == len(set(places)) == 2
    for name, array in layers.items():
        np.testing.assert_array_equal(numbers[f"net.{name}"], array)


def npy(header: bytes, data: bytes = b"") -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + data


def zipped(**members: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def bomb() -> bytes:
    """An archive whose directory claims four gigabytes for some bytes."""
    content = zipped(**{"a.npy": bytes(1000)})
    return content.replace(struct.pack("<I", 1000), struct.pack("<I", 4_000_000_000))


HEADER = b"{'descr': '<f4', 'fortran_order': False, 'shape': (%s), }\n"
OBJECTS = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n"
BAD = {
    "objects": (npy(OBJECTS, pickle.dumps([print])), "no tensor is left"),
    "an expression": (npy(HEADER % b"__import__('os')"), "not that of a plain array"),
    "too large": (npy(HEADER % b"1000000000000, "), "not the 4000000000"),
    "cut off": (npy(HEADER % b"2, ", b"1234"), "not the"),
    "no header": (b"\x93NUMPY\x01\x00\xff\xff", "not that of a plain array"),
    "no member of NumPy": (zipped(**{"a.txt": b"x"}), "neither .npz nor skops"),
    "bomb": (bomb(), "'a.npy' claims 4000000000 bytes"),
    "no schema": (zipped(**{"schema.json": b"["}), "not valid JSON"),
    "missing member": (
        zipped(**{"schema.json": b'{"type": "numpy", "file": "../../etc/passwd"}'}),
        "'../../etc/passwd' is missing",
    ),
    "matlab cut off": ((FOLDER / "plain.mat").read_bytes()[:600], "beyond the file"),
    "matlab bomb": (
        b"MATLAB 5.0 MAT-file".ljust(126) + b"IM" + struct.pack("<II", 14, 0xFFFFFFF8),
        "beyond the file",
    ),
    "empty": (b"", "empty"),
    "web page": (b"<!DOCTYPE html><p>404", "web page"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_refused(name, tmp_path):
    content, problem = BAD[name]
    path = tmp_path / "bad"
    path.write_bytes(content)
    assert problem in refused(numpy_files, path, tmp_path)
