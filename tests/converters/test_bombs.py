"""Small files whose names would fill the memory: refused within 200 MB beyond the file."""

import os
import pickle
import struct
import subprocess
import sys
import zipfile

import h5py
import jax_files
import keras_files
import numpy as np
import numpy_files
import pytest
import pytorch
from conversions import convert, converted, refused
from torch_pickles import tensor

SPARE = 200 * 10**6
PROGRAM = """
import importlib, resource, sys
from pathlib import Path
converter = importlib.import_module(sys.argv.pop(1))
pages = int(Path("/proc/self/statm").read_text().split()[0])
limit = pages * resource.getpagesize() + int(sys.argv.pop(1))
resource.setrlimit(resource.RLIMIT_AS, (limit, resource.getrlimit(resource.RLIMIT_AS)[1]))
sys.exit(converter.main(converter.open_model, "Convert."))
"""
KEY = "k" * 1_000_000
COUNT = 4000


def run(script, path, output):
    """Run a converter that may take 200 MB and the file's size more than Python and NumPy do."""
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"}
    spare = SPARE + path.stat().st_size
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, script, str(spare), path, "-o", output],
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def archive(path, content, *others):
    """An archive of PyTorch with four float32 numbers."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model/data.pkl", content)
        file.writestr("model/data/0", bytes(16))
        for name, text in others:
            file.writestr(f"model/{name}", text)


def long_key_of_arrays(path):
    arrays = {str(at): np.ones(1, np.float32) for at in range(COUNT)}
    path.write_bytes(pickle.dumps({KEY: arrays}, 4))


def long_key_of_msgpack(path):
    array = b"\x93\x91\x01\xa7float32\xc4\x04" + bytes(4)
    items = b"".join(
        b"\xa4" + f"{at:04}".encode() + b"\xc7" + bytes([len(array)]) + b"\x01" + array
        for at in range(COUNT)
    )
    head = b"\x81\xdb" + struct.pack(">I", len(KEY)) + KEY.encode()
    path.write_bytes(head + b"\xde" + struct.pack(">H", COUNT) + items)


def long_names_of_imports(path):
    name = b"__torch__." + b"n" * 2_000_000
    once = b"\x80\x04X" + struct.pack("<I", len(name)) + name + b"q\x000]("
    archive(path, once + b"h\x00h\x00\x93" * 2000 + b"e.", ("constants.pkl", b"\x80\x02)."))


def nested_groups(path):
    with h5py.File(path, "w") as file:
        file.attrs["keras_version"] = "2"
        group = file
        for _ in range(50):
            group = group.create_group("g" * 60_000)
        for at in range(9):
            group[f"d{at}/vars/0"] = np.ones(2, np.float32)


@pytest.mark.skipif(sys.platform != "linux", reason="the limit of memory is Linux's")
@pytest.mark.parametrize(
    ("script", "make", "problem"),
    [
        ("jax_files", long_key_of_arrays, "its names have more than"),
        ("jax_files", long_key_of_msgpack, "its names have more than"),
        ("pytorch", long_names_of_imports, "imports a name of more than 1000 characters"),
        ("keras_files", nested_groups, "its names have more than"),
    ],
)
def test_names_do_not_fill_the_memory(script, make, problem, tmp_path):
    path = tmp_path / "bomb.bin"
    make(path)
    assert path.stat().st_size < 5e6
    done = run(script, path, tmp_path / "out.safetensors")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1), done.stderr
    assert problem in done.stderr
    assert len(done.stderr) < 1000


def long_key(count):
    """A dictionary under a key of a megabyte, of tensors that are one."""
    names = (b"U\x04" + f"{at:04}".encode() for at in range(count))
    key = b"X" + struct.pack("<I", len(KEY)) + KEY.encode()
    return b"\x80\x02}" + key + b"}(" + b"".join(n + tensor(b"0", 0, (4,), (1,)) for n in names)


def test_a_long_key_of_tensors(tmp_path):
    archive(tmp_path / "few.pt", long_key(3) + b"us.")
    few = converted(pytorch, tmp_path / "few.pt", tmp_path)
    assert list(few.entries) == [f"{KEY}.{at:04}" for at in range(3)]
    archive(tmp_path / "many.pt", long_key(COUNT) + b"us.")
    assert "its names have more than" in refused(pytorch, tmp_path / "many.pt", tmp_path)


@pytest.mark.parametrize("digits", [4300, 5000])
def test_a_key_of_many_digits(digits, tmp_path):
    number = 10 ** (digits - 1)
    path = tmp_path / "x.pkl"
    path.write_bytes(pickle.dumps({number: np.ones(2), "w": np.ones(2)}, 4))
    assert "w" in converted(jax_files, path, tmp_path).arrays
    archive(path, pickle.dumps({number: 1, "w": 2}, 4))
    assert "no tensor is left" in refused(pytorch, path, tmp_path)
    shape = b"\x80\x02}U\x01w" + tensor(b"0", 0, (number,), (1,)) + b"s."
    archive(path, shape)
    assert "its pickle is damaged" in refused(pytorch, path, tmp_path)


def test_names_are_cut_in_messages(tmp_path):
    name = "n" * 5000
    for arrays, option in (({name: np.ones(2)}, "--dry-run"), ({name: np.ones(2), "w": 1}, None)):
        path = tmp_path / "x.npz"
        np.savez(path, **arrays)
        if option:
            out = convert(numpy_files, path, option).out
            assert max(map(len, out.splitlines()[:1])) < 300  # the head is not padded to the name
    content = bytearray(path.read_bytes())
    content[content.index(b"\x93NUMPY") + 1] ^= 1
    path.write_bytes(content)
    line = refused(numpy_files, path, tmp_path)
    assert "n" * 200 in line
    assert "n" * 201 not in line


def test_the_directory_of_an_archive_is_read_once(tmp_path, monkeypatch):
    opened = []

    class Counted(zipfile.ZipFile):
        def __init__(self, *arguments, **options):
            opened.append(1)
            super().__init__(*arguments, **options)

    counts = []
    for count in (3, 30):
        path = tmp_path / f"{count}.npz"
        np.savez(path, **{f"w{at}": np.ones((2, 3)) for at in range(count)})
        with monkeypatch.context() as patch:
            patch.setattr(zipfile, "ZipFile", Counted)
            assert convert(numpy_files, path, "-o", tmp_path / "out.safetensors").code == 0
        counts.append(len(opened))
        opened.clear()
    assert counts == [1, 1]


def test_members_that_share_bytes(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, a=np.ones(3), b=np.zeros(3))
    content = path.read_bytes()
    at = content.rindex(b"PK\x01\x02")  # the entry of b, whose place becomes that of a
    path.write_bytes(content[: at + 42] + bytes(4) + content[at + 46 :])
    assert "overlaps another" in refused(numpy_files, path, tmp_path)


def test_what_real_files_hold_beside_arrays(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, w=np.ones((4, 3)), c=np.ones(2, complex))
    with zipfile.ZipFile(path, "a") as file:
        file.writestr("README.txt", "hello")
    left_out = {"member that is no array": 1, "array that does not hold real numbers": 1}
    found = converted(numpy_files, path, tmp_path)
    assert (list(found.entries), found.manifest["extra"]["left_out"]) == (["w"], left_out)
    left_out = {"member that is no array": 1, "array that does not hold numbers": 1}
    found = converted(jax_files, path, tmp_path)
    assert found.entries.keys() == {"w", "c"} or found.manifest["extra"]["left_out"] == left_out
    path = tmp_path / "x.weights.h5"
    with h5py.File(path, "w") as file:
        file["layers/dense/vars/0"] = np.ones((4, 3))
        file["layers/dense/vars/1"] = h5py.Empty("f4")
        file["layers/dense/vars/2"] = np.ones(2, np.complex64)
    found = converted(keras_files, path, tmp_path)
    assert found.manifest["extra"]["left_out"] == {"dataset without numbers": 2}


def test_one_tensor_alone(tmp_path):
    archive(tmp_path / "alone.pt", b"\x80\x02" + tensor(b"0", 0, (2, 2), (2, 1)) + b".")
    assert list(converted(pytorch, tmp_path / "alone.pt", tmp_path).entries) == ["alone"]
