"""Which script of converters/ reads a file or folder: by content, else by name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.weights.backing import open_regular

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path


@dataclass(frozen=True)
class Foreign:
    """A format that a script reads.

    Attributes
    ----------
    script : the script's name.
    what : what files of this format are called.
    """

    script: str
    what: str


PICKLE = Foreign("pytorch.py", "a Python pickle")
PYTORCH = Foreign("pytorch.py", "a PyTorch checkpoint")
PYTORCH_TAR = Foreign("pytorch.py", "a tar archive of PyTorch")
PADDLE = Foreign("paddle_files.py", "a file of Paddle")
KERAS = Foreign("keras_files.py", "a .keras archive")
KERAS_HDF5 = Foreign("keras_files.py", "an HDF5 file of Keras")
SKOPS = Foreign("numpy_files.py", "a skops archive")
MATLAB = Foreign("numpy_files.py", "a MATLAB file")
GGUF = Foreign("gguf_files.py", "a GGUF file")
TFLITE = Foreign("tflite_files.py", "a TensorFlow Lite model")
ONNX = Foreign("onnx_files.py", "an ONNX model")
MSGPACK = Foreign("jax_files.py", "a msgpack file, as Flax writes them")
ARRAYS = Foreign("jax_files.py", "a Python pickle of arrays, as JAX's users write them")
ORBAX = Foreign("jax_files.py", "an orbax checkpoint")
TENSORFLOW = Foreign("tensorflow_files.py", "a TensorFlow checkpoint")
SAVED_MODEL = Foreign("tensorflow_files.py", "a TensorFlow SavedModel")
TENSORFLOW_JS = Foreign("tensorflowjs_files.py", "a TensorFlow.js model")

_SIGNATURES: tuple[tuple[int, bytes, Foreign], ...] = (
    (0, b"GGUF", GGUF),
    (4, b"TFL3", TFLITE),
    (0, b"MATLAB 5.0", MATLAB),
    (0, b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", PYTORCH),
)
"""Position and bytes that tell a format. The last is the number before PyTorch's old pickles."""
_TAR_MEMBERS = (b"storages\0", b"tensors\0", b"pickle\0", b"sys_info\0")
_PICKLES = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05")
_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x2a\x32\x3a\x42]", re.DOTALL)
"""Field 1, the version, as a small number; then another field of ModelProto, 2 to 8."""
_MSGPACK = re.compile(rb"([\x81-\x8f]|\xde..|\xdf....)([\xa0-\xbf]|\xd9|\xda)", re.DOTALL)
"""A map that is not empty, whose first key is a text."""
_SUFFIXES = {
    ".pdparams": PADDLE,
    ".pdopt": PADDLE,
    ".pdiparams": PADDLE,
    ".index": TENSORFLOW,
    ".onnx": ONNX,
    ".msgpack": MSGPACK,
}
"""Endings that decide where the content does not."""
_PADDLE_NAMES = b"StructuredToParameterName@@"
"""Key of the parameters' names in what Paddle saves of a layer."""
_BLOCK = 1 << 20
"""Bytes that are searched at a time."""


def foreign_of_head(path: Path, head: bytes) -> Foreign | None:
    """Tell the foreign format of a file by its first bytes, else by the ending of its name.

    Parameters
    ----------
    head : the first 512 bytes at least, or all.

    Spec: FMT-24.
    """
    for at, signature, found in _SIGNATURES:
        if head[at:].startswith(signature):
            return found
    if head.startswith(_PICKLES):
        if path.suffix == ".pdparams" or _holds(path, _PADDLE_NAMES):
            return PADDLE
        return PICKLE if _holds(path, b"torch") else ARRAYS
    if head.startswith((b"{", b"[")) and _holds(path, b'"paths"'):
        return TENSORFLOW_JS
    if head[257:].startswith(b"ustar") and head.startswith(_TAR_MEMBERS):
        return PYTORCH_TAR
    if head.startswith(_TAR_MEMBERS) and not any(head[9:100]):
        return PYTORCH_TAR  # tar archives before POSIX have no signature
    if path.suffix in _SUFFIXES:
        return _SUFFIXES[path.suffix]
    if _ONNX.match(head):
        return ONNX
    return MSGPACK if _MSGPACK.match(head) else None


def foreign_of_members(names: Collection[str]) -> Foreign | None:
    """Tell the foreign format of a zip archive by the names of its members. Spec: FMT-24."""
    if any(name.split("/")[1:] == ["data.pkl"] for name in names):
        return PYTORCH
    if "model.weights.h5" in names:
        return KERAS
    return SKOPS if "schema.json" in names else None


def foreign_of_hdf5(head: bytes) -> Foreign | None:
    """Tell MATLAB's HDF5 files by the text before the signature. Spec: FMT-24."""
    return MATLAB if head.startswith(b"MATLAB 7") else None


def foreign_of_folder(folder: Path) -> Foreign | None:
    """Tell the foreign format of a folder; safetensors files in it go before. Spec: FMT-24."""
    names = sorted(path.name for path in folder.iterdir())
    if any(name.endswith((".safetensors", ".index.json")) for name in names):
        return None
    if "saved_model.pb" in names or (folder / "variables" / "variables.index").is_file():
        return SAVED_MODEL
    if any(name.endswith(".index") for name in names):
        return TENSORFLOW
    if "model.json" in names and _holds(folder / "model.json", b'"weightsManifest"'):
        return TENSORFLOW_JS
    if any(_within(folder, "_METADATA")):
        return ORBAX
    trees = (path for path in _within(folder, "checkpoint") if path.is_file())
    return ORBAX if any(_holds(path, b"PLACEHOLDER://") for path in trees) else None


def _within(folder: Path, name: str) -> Iterator[Path]:
    """Paths of this name in a folder and up to two levels below it."""
    return (path for depth in ("", "*/", "*/*/") for path in folder.glob(f"{depth}{name}"))


def _holds(path: Path, text: bytes) -> bool:
    """Whether a text of two bytes or more is anywhere in a file."""
    with open_regular(path) as file:
        end = b""
        while block := file.read(_BLOCK):
            block = end + block
            if text in block:
                return True
            end = block[1 - len(text) :]
    return False
