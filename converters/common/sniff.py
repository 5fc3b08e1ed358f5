"""What a file is, by its first bytes: its name is not trusted."""

from pathlib import Path

from common.containers import open_regular
from common.errors import ConversionError

_SIGNATURES = (
    (0, b"PK\x03\x04", "a zip archive", "zip"),
    (0, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "hdf5"),
    (512, b"\x89HDF\r\n\x1a\n", "an HDF5 file", "hdf5"),
    (0, b"\x93NUMPY", "a NumPy file", "npy"),
    (0, b"GGUF", "a GGUF file", "gguf"),
    (4, b"TFL3", "a TensorFlow Lite file", "tflite"),
    (0, b"MATLAB 5.0 MAT-file", "a MATLAB file", "matlab"),
    (257, b"ustar", "a tar archive", "tar"),
    (0, b"\x1f\x8b", "a file compressed by gzip", "gzip"),
    (0, b"BZh", "a file compressed by bzip2", "bzip2"),
    (0, b"\xfd7zXZ\x00", "a file compressed by xz", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "a file compressed by Zstandard", "zstd"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the file itself", "lfs"),
    (0, b"<!DOCTYPE html", "a web page", "html"),
    (0, b"<html", "a web page", "html"),
    (4, b"\x00\x00\x00\x00{", "a safetensors file", "safetensors"),
    (0, b"\x80", "a pickle", "pickle"),
)
_CURES = {
    "hdf5": "Use keras_files.py or numpy_files.py",
    "npy": "Use numpy_files.py",
    "gguf": "Use gguf_files.py",
    "tflite": "Use tflite_files.py",
    "matlab": "Use numpy_files.py",
    "safetensors": "Give it to htsr itself",
    "pickle": "Use pytorch.py, paddle_files.py or jax_files.py",
    "lfs": "Fetch it with git lfs pull",
    "html": "Download it again",
}


def sniff(path: Path) -> tuple[str, str]:
    """Find out what a file is.

    Returns
    -------
    tuple of a short word ("zip", "" if it is not known) and a description.
    """
    with open_regular(path) as file:
        start = file.read(1024)
    if not start:
        raise ConversionError("it is empty", "Download it again", file=path)
    for offset, signature, description, word in _SIGNATURES:
        if start[offset : offset + len(signature)] == signature:
            return word, description
    return "", f"an unknown file that starts with {start[:8]!r}"


def refuse(path: Path, word: str, description: str) -> ConversionError:
    """Error for a file that another converter may read, or none."""
    cure = _CURES.get(word, "Unpack it first" if "compressed" in description else "Check the file")
    return ConversionError(f"it is {description}", cure, file=path)
