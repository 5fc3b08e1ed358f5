"""What a file is, by its first bytes; names are not trusted."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.backing import open_regular
from htsr_ref.weights.foreign.kinds import (
    Foreign,
    foreign_of_hdf5,
    foreign_of_head,
    foreign_of_members,
)
from htsr_ref.weights.foreign.unread import unread_of_head

if TYPE_CHECKING:
    from htsr_ref.weights.backing import AnyPath

Format = Literal["safetensors", "hdf5", "npz", "npy"]

HDF5_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_HDF5_OFFSETS = (0, 512, 1024, 2048)
_KNOWN = "safetensors, HDF5, .npz, .npy and the frameworks' own files are read"

POINTER = b"version https://git-lfs"
"""How the text begins that stands for a file which Git LFS has not fetched."""
_REFUSED: tuple[tuple[int, bytes, str, str], ...] = (
    (0, b"\x1f\x8b", "gzip-compressed", "Unpack it first"),
    (0, b"\xfd7zXZ", "xz-compressed", "Unpack it first"),
    (0, b"(\xb5/\xfd", "zstd-compressed", "Unpack it first"),
    (0, b"7z\xbc\xaf", "a 7z archive", "Unpack it first"),
    (257, b"ustar", "a tar archive", "Unpack it first"),
    (0, POINTER, "a Git LFS pointer, not the weights", "Run `git lfs pull`"),
)
"""Position and bytes that give away what is never read, what it is, and the cure."""


def sniff(path: AnyPath) -> Format | Foreign:
    """Format of a file, or the script that reads it.

    Raises
    ------
    WeightFileError
        If the file is empty or of a format that is not read.
    OSError
        If there is no such file or it cannot be read.

    Spec: FMT-1, FMT-24.
    """
    with open_regular(path) as file:
        head = file.read(max(_HDF5_OFFSETS) + len(HDF5_SIGNATURE))
    if not head:
        raise WeightFileError(path, "it is empty", "Download or convert the file again")
    # The top bytes of a header length below 100 MB are zero, which no other signature has.
    if head[4:9] == b"\0\0\0\0{":
        return "safetensors"
    if not isinstance(path, Path):
        _refuse_other(path, head)
        cure = "Download it first: what is read by address is safetensors"
        raise WeightFileError(path, "it is not a safetensors file", cure)
    if any(head[at:].startswith(HDF5_SIGNATURE) for at in _HDF5_OFFSETS):
        return foreign_of_hdf5(head) or "hdf5"
    unread = unread_of_head(path, head)
    if unread is not None:
        raise WeightFileError(path, f"it is {unread[0]}", unread[1])
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head.startswith(b"PK"):
        return _sniff_zip(path)
    found = foreign_of_head(path, head)
    if found is not None:
        return found
    _refuse_other(path, head)
    if path.suffix == ".safetensors" or head[8:9] == b"{":
        return "safetensors"
    raise WeightFileError(path, "its content is not of a known format", f"Only {_KNOWN}")


def _refuse_other(path: AnyPath, head: bytes) -> None:
    """Refuse what is known and never read."""
    for at, signature, what, cure in _REFUSED:
        if head[at:].startswith(signature):
            raise WeightFileError(path, f"it is {what}", cure)
    start = head.lstrip(b"\xef\xbb\xbf \r\n\t")
    if start.startswith(b"<"):
        raise WeightFileError(path, "it is a web page, not weights", "Download the weights again")
    if start.startswith(b"{") and b'"spec_version"' in start:
        cure = "`htsr show` prints it; `htsr rank`, `trend` and `diff` compare it"
        raise WeightFileError(path, "it is a report, not weights", cure)


def _sniff_zip(path: Path) -> Format | Foreign:
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise WeightFileError(
            path, f"it is a damaged zip archive ({error})", "Download the file again"
        ) from error
    found = foreign_of_members(names)
    if found is not None:
        return found
    if any(name.endswith(".npy") for name in names):
        return "npz"
    raise WeightFileError(path, "it is a zip archive without arrays", f"Only {_KNOWN}")


def refuse_pointer(path: AnyPath, text: bytes) -> None:
    """Refuse what stands for a file beside the weights that Git LFS has not fetched.

    Raises
    ------
    WeightFileError
        If it is a pointer.

    Spec: FMT-9.
    """
    if text.startswith(POINTER):
        raise WeightFileError(path, "it is a Git LFS pointer", "Run `git lfs pull`")
