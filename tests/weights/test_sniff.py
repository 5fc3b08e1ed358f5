"""FMT-1: the content decides what a file is."""

import io
import zipfile

import numpy as np
import pytest

from htsr_ref.errors import WeightFileError
from htsr_ref.weights import open_weights


def archive(*names):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as file:
        for name in names:
            file.writestr(name, b"x")
    return stream.getvalue()


FOREIGN = {
    "pickle 2": (b"\x80\x02}q\x00.", "Python pickle"),
    "pickle 4": (b"\x80\x04\x95\x00\x00\x00\x00", "Python pickle"),
    "pytorch": (archive("model/data.pkl", "model/data/0"), "PyTorch checkpoint"),
    "keras": (archive("metadata.json", "model.weights.h5"), ".keras archive"),
    "zip": (archive("readme.txt"), "zip archive without arrays"),
    "empty zip": (archive(), "zip archive without arrays"),
    "damaged zip": (archive("a.npy")[:-10], "damaged zip archive"),
    "gguf": (b"GGUF\x03\x00\x00\x00", "GGUF"),
    "tflite": (b"\x1c\x00\x00\x00TFL3", "TensorFlow Lite"),
    "matlab": (b"MATLAB 5.0 MAT-file", "MATLAB"),
    "gzip": (b"\x1f\x8b\x08\x00", "gzip"),
    "tar": (bytes(257) + b"ustar\x0000" + bytes(248), "tar archive"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS pointer"),
    "report": (b'{\n "spec_version": "0.3",\n "tool": {', "it is a report"),
    "html": (b"\n <!DOCTYPE html><html>", "web page"),
    "nothing": (b"", "it is empty"),
}


@pytest.mark.spec("FMT-1")
@pytest.mark.parametrize("suffix", [".safetensors", ".bin"])
@pytest.mark.parametrize("kind", FOREIGN)
@pytest.mark.usefixtures("scripts_here")
def test_foreign_content_is_named_whatever_the_name(tmp_path, kind, suffix):
    content, what = FOREIGN[kind]
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    with pytest.raises(WeightFileError, match=what) as caught:
        open_weights(path)
    assert caught.value.cure


@pytest.mark.spec("FMT-1")
def test_unknown_content(tmp_path):
    path = tmp_path / "model.bin"
    path.write_bytes(b"what might this be")
    with pytest.raises(WeightFileError, match="not of a known format"):
        open_weights(path)


@pytest.mark.spec("FMT-1")
def test_names_are_not_trusted(tmp_path):
    path = tmp_path / "array.safetensors"
    with path.open("wb") as file:
        np.save(file, np.eye(2))
    weights = open_weights(path)
    assert weights.format == "npy"
    np.testing.assert_array_equal(weights.layers[0].data[...], np.eye(2))


@pytest.mark.spec("FMT-1")
def test_a_header_length_that_looks_like_a_zip_archive(tmp_path):
    # 0x04034B50 bytes of header start the file with "PK\3\4".
    length = int.from_bytes(b"PK\x03\x04", "little")
    path = tmp_path / "x"
    path.write_bytes(length.to_bytes(8, "little") + b"{}".ljust(length))
    assert open_weights(path).format == "safetensors"
