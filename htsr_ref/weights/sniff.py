"""What a file is, by its first bytes; names are not trusted."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Literal

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import open_regular

if TYPE_CHECKING:
    from pathlib import Path

Format = Literal["safetensors", "hdf5", "npz", "npy"]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_OFFSETS = (0, 512, 1024, 2048)
_KNOWN = "safetensors, HDF5, .npz and .npy files are read"
_CONVERT = "Convert it with the script for its framework in converters/"

_FOREIGN: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x80\x02", "a Python pickle (an old PyTorch checkpoint, perhaps)", _CONVERT),
    (0, b"\x80\x03", "a Python pickle", _CONVERT),
    (0, b"\x80\x04", "a Python pickle", _CONVERT),
    (0, b"\x80\x05", "a Python pickle", _CONVERT),
    (0, b"GGUF", "a GGUF file", _CONVERT),
    (4, b"TFL3", "a TensorFlow Lite model", _CONVERT),
    (0, b"MATLAB 5.0", "a MATLAB file", _CONVERT),
    (0, b"\x1f\x8b", "gzip-compressed", "Unpack it first"),
    (0, b"\xfd7zXZ", "xz-compressed", "Unpack it first"),
    (0, b"(\xb5/\xfd", "zstd-compressed", "Unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive", "Unpack it first"),
    (257, b"ustar", "a tar archive", "Unpack it first"),
    (0, b"version https://git-lfs", "a Git LFS pointer, not the weights", "Run `git lfs pull`"),
)
"""Position and bytes that give a foreign file away, what it is, and the cure."""


def sniff(path: Path) -> Format:
    """Format of a file.

    Raises
    ------
    WeightFileError
        If the file is empty or of a format that is not read.
    OSError
        If there is no such file or it cannot be read.

    Spec: FMT-1.
    """
    with open_regular(path) as file:
        head = file.read(max(_HDF5_OFFSETS) + len(HDF5_SIGNATURE))
    if not head:
        raise WeightFileError(path, "it is empty", "Download or convert the file again")
    # The top bytes of a header length below 100 MB are zero, which no other signature has.
    if head[4:9] == b"\0\0\0\0{":
        return "safetensors"
    if any(head[at:].startswith(HDF5_SIGNATURE) for at in _HDF5_OFFSETS):
        return "hdf5"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK"):
        return _sniff_zip(path)
    for at, signature, what, cure in _FOREIGN:
        if head[at:].startswith(signature):
            raise WeightFileError(path, f"it is {what}", cure)
    if head.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"<"):
        raise WeightFileError(path, "it is a web page, not weights", "Download the weights again")
    if path.suffix == ".safetensors" or head[8:9] == b"{":
        return "safetensors"
    raise WeightFileError(path, "its content is not of a known format", f"Only {_KNOWN}")


def _sniff_zip(path: Path) -> Format:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise WeightFileError(
            path, f"it is a damaged zip archive ({error})", "Download the file again"
        ) from error
    if any(name.endswith("/data.pkl") for name in names):
        raise WeightFileError(path, "it is a PyTorch checkpoint (zip and pickle)", _CONVERT)
    if "model.weights.h5" in names:
        raise WeightFileError(path, "it is a .keras archive", _CONVERT)
    if names and all(name.endswith(".npy") for name in names):
        return "npz"
    raise WeightFileError(path, "it is a zip archive without arrays", f"Only {_KNOWN}")
