"""FMT-11: .npy and .npz files."""

import io
import re
import struct
import zipfile
import zlib

import numpy as np
import pytest

from htsr_ref.errors import LayerError, WeightFileError
from htsr_ref.weights import open_weights

W = np.arange(6, dtype=np.float32).reshape(2, 3)


def npy(text, data=b"", version=1, length=None):
    """A .npy file with a header as given."""
    header = text.encode("latin-1")
    pack = "<H" if version == 1 else "<I"
    size = struct.pack(pack, len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + data


def plain(descr="'<f4'", order="False", shape="(2, 3)"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}\n"


def refusal(path, content=None):
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightFileError) as caught:
        open_weights(path)
    assert "\n" not in str(caught.value)
    return caught.value


@pytest.mark.spec("FMT-11")
@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f2", "<i2", "|u1", "|b1"])
def test_npy_as_numpy_saves_it(tmp_path, dtype, order):
    array = np.arange(24).reshape(2, 3, 4).astype(dtype, order=order)
    path = tmp_path / "array.npy"
    np.save(path, array)
    weights = open_weights(path)
    (layer,) = weights.layers
    assert (weights.format, layer.tensor, layer.dtype) == ("npy", "array", array.dtype.name)
    np.testing.assert_array_equal(layer.data[:, 1:, ::2], array[:, 1:, ::2].astype(float))


@pytest.mark.spec("FMT-11")
@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
def test_npz_as_numpy_saves_it(tmp_path, save):
    arrays = {"fc.weight": W, "group/t": np.asfortranarray(W), "v": np.ones(3), "n": np.array(2.0)}
    path = tmp_path / "arrays.npz"
    save(path, **arrays, text=np.array(["a", "b"]))
    weights = open_weights(path)
    layers = {layer.tensor: layer for layer in weights.layers}
    assert weights.format == "npz"
    assert list(layers) == [*arrays, "text"]
    for name, array in arrays.items():
        expected = array.astype(np.float64)
        np.testing.assert_array_equal(layers[name].data[...], expected, strict=True)
    with pytest.raises(LayerError, match="not decoded"):
        layers["text"].data[...]
    loaded = layers["group/t"].data.load()
    np.testing.assert_array_equal(loaded[:, 1], W[:, 1])


@pytest.mark.spec("FMT-11", "FMT-13")
def test_uncompressed_members_are_read_in_parts_and_compressed_ones_loaded_once(tmp_path):
    for save, is_in_parts in ((np.savez, True), (np.savez_compressed, False)):
        path = tmp_path / "x.npz"
        save(path, w=W)
        data = open_weights(path).layers[0].data
        assert (data.load() == data) is is_in_parts
        loaded = data.load()
        path.unlink()
        if is_in_parts:
            with pytest.raises(LayerError):
                loaded[0]
        else:
            np.testing.assert_array_equal(loaded[...], W)


@pytest.mark.spec("FMT-11")
@pytest.mark.parametrize("version", [1, 2, 3])
def test_header_versions_and_key_order(tmp_path, version):
    text = "{ 'shape':(2,3),'descr': '<f4', 'fortran_order': False}"
    path = tmp_path / "x.npy"
    path.write_bytes(npy(text, W.tobytes(), version))
    np.testing.assert_array_equal(open_weights(path).layers[0].data[...], W)


BAD_NPY = {
    "truncated": (b"\x93NUMPY\x01", "does not start like"),
    "version 4": (npy(plain(), W.tobytes(), version=4), "no version 4"),
    "long header": (npy(plain().ljust(10_001), W.tobytes()), "more than 10000"),
    "header of 4 GB": (npy(plain(), W.tobytes(), 2, length=2**32 - 1), "more than 10000"),
    "header beyond the file": (npy(plain(), length=500), "not that of a plain array"),
    "call": (npy(plain(descr="__import__('os')")), "not that of a plain array"),
    "missing key": (npy("{'descr': '<f4', 'shape': (2, 3)}"), "not that of a plain array"),
    "twice": (
        npy("{'descr': '<f4', 'descr': '<f4', 'shape': (2, 3)}"),
        "not that of a plain array",
    ),
    "structured": (npy(plain(descr="[('a', '<f4')]")), "not that of a plain array"),
    "objects": (npy(plain(descr="'|O'")), "pickled Python objects"),
    "no type": (npy(plain(descr="'<q9'")), "no number type '<q9'"),
    "f3": (npy(plain(descr="'<f3'")), "no number type '<f3'"),
    "shape": (npy(plain(shape="(2 3)"), W.tobytes()), "no shape"),
    "negative": (npy(plain(shape="(-2, 3)"), W.tobytes()), "not that of a plain array"),
    "33 axes": (npy(plain(shape="(" + "1, " * 33 + ")"), W.tobytes()), "33 axes"),
    "huge": (npy(plain(shape="(99999999999999999999, 1)")), "too large"),
    "product": (npy(plain(shape="(0, 4294967296, 4294967296)")), "too large"),
    "too little data": (npy(plain(), W.tobytes()[:-1]), "but there are"),
    "too much data": (npy(plain(), W.tobytes() + b"x"), "but there are"),
    "terabytes": (npy(plain(shape="(1000000, 1000000)"), W.tobytes()), "but there are"),
}


@pytest.mark.spec("FMT-11", "FMT-17")
@pytest.mark.parametrize("name", BAD_NPY)
def test_bad_npy(tmp_path, name):
    content, problem = BAD_NPY[name]
    assert problem in refusal(tmp_path / "x.npy", content).problem


@pytest.mark.spec("FMT-11", "FMT-17")
@pytest.mark.parametrize("name", [name for name in BAD_NPY if name != "truncated"])
def test_bad_npy_in_an_archive(tmp_path, name):
    content, problem = BAD_NPY[name]
    path = tmp_path / "x.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("w.npy", content)
    error = refusal(path)
    assert problem in error.problem
    assert error.tensor == "w"


def test_numpy_refuses_what_it_calls_pickled(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, allow_pickle=True, w=np.array([{}], dtype=object))
    error = refusal(path)
    assert error.tensor == "w"
    assert "never loaded" in error.problem


def archive_bytes(compression=zipfile.ZIP_DEFLATED, names=("w",)):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name in names:
            archive.writestr(f"{name}.npy", npy(plain(), W.tobytes()))
    return bytearray(stream.getvalue())


def patched(content, offset, value, form):
    """An archive whose central directory says something else of its first member."""
    start = content.index(b"PK\x01\x02") + offset
    content[start : start + struct.calcsize(form)] = struct.pack(form, value)
    return bytes(content)


@pytest.mark.spec("FMT-11", "FMT-17")
def test_zip_bomb(tmp_path):
    content = patched(archive_bytes(), 24, 2**31, "<I")
    error = refusal(tmp_path / "x.npz", content)
    assert "to 2147483648, more than its compression allows" in error.problem


@pytest.mark.spec("FMT-11", "FMT-17")
def test_stored_member_that_claims_more_than_it_has(tmp_path):
    content = patched(archive_bytes(zipfile.ZIP_STORED), 24, 2**20, "<I")
    assert "more than its compression allows" in refusal(tmp_path / "x.npz", content).problem


@pytest.mark.spec("FMT-11", "FMT-17")
def test_member_that_claims_more_than_the_file(tmp_path):
    content = patched(archive_bytes(), 20, 2**20, "<I")
    assert "claims 1048576 of the file's" in refusal(tmp_path / "x.npz", content).problem


@pytest.mark.spec("FMT-11", "FMT-17")
def test_stored_member_whose_data_are_cut_off(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, first=np.zeros(20_000), last=np.ones(10_000))
    content = bytearray(path.read_bytes())
    directory = content.index(b"PK\x01\x02")
    del content[directory - 60_000 : directory]
    content[-6:-2] = struct.pack("<I", directory - 60_000)
    # Recent versions of Python see it themselves.
    assert re.search("beyond the end|Overlapped", refusal(path, bytes(content)).problem)


@pytest.mark.spec("FMT-1", "FMT-11")
def test_members_that_are_no_arrays_are_left_out(tmp_path):
    path = tmp_path / "w.npz"
    np.savez(path, w=np.ones((3, 2)))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("README.txt", "hello")
    weights = open_weights(path)
    assert [layer.name for layer in weights.layers] == ["w"]
    assert weights.warnings == ("left out: 1 x member that is no array",)


@pytest.mark.spec("FMT-11")
def test_encrypted_member(tmp_path):
    content = patched(archive_bytes(), 8, 1, "<H")
    assert refusal(tmp_path / "x.npz", content).problem == "it is encrypted"


@pytest.mark.spec("FMT-11")
def test_other_compression(tmp_path):
    content = bytes(archive_bytes(zipfile.ZIP_BZIP2))
    assert "other than deflate" in refusal(tmp_path / "x.npz", content).problem


@pytest.mark.spec("FMT-11")
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name(tmp_path):
    content = bytes(archive_bytes(names=("w", "w")))
    assert "same name" in refusal(tmp_path / "x.npz", content).problem


@pytest.mark.spec("FMT-11", "FMT-13")
def test_damage_found_when_a_compressed_member_is_read(tmp_path):
    path = tmp_path / "x.npz"
    array = np.random.default_rng(0).normal(size=(100, 100))
    np.savez_compressed(path, w=array)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 255
    path.write_bytes(content)
    data = open_weights(path).layers[0].data
    with pytest.raises(LayerError, match=r"is damaged.*Save or download it again"):
        data[0]
    with pytest.raises(LayerError, match="is damaged"):
        data.load()


@pytest.mark.spec("FMT-11", "FMT-13")
def test_damage_found_when_a_part_of_a_stored_member_is_read(tmp_path):
    path = tmp_path / "x.npz"
    np.savez(path, good=W, bad=np.zeros((1000, 1000)))
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with np.load(path) as archive, pytest.raises(zipfile.BadZipFile):
        archive["bad"]
    layers = {layer.tensor: layer for layer in open_weights(path).layers}
    np.testing.assert_array_equal(layers["good"].data[...], W)
    for _ in range(2):
        with pytest.raises(LayerError, match=r"'bad'.*\(Bad CRC-32\)\. Save or download it again"):
            layers["bad"].data[0, :2]


@pytest.mark.spec("FMT-13")
def test_the_checksum_of_a_stored_member_is_computed_once(tmp_path, monkeypatch):
    path = tmp_path / "x.npz"
    np.savez(path, w=np.ones((1000, 1000)))
    data = open_weights(path).layers[0].data
    sizes = []
    monkeypatch.setattr(zlib, "crc32", lambda block, crc=0: sizes.append(len(block)) or crc)
    for row in range(3):
        with pytest.raises(LayerError, match="Bad CRC-32"):
            data[row]
    assert sum(sizes) == 128 + 8 * 1000 * 1000
    assert max(sizes) <= 1 << 20
