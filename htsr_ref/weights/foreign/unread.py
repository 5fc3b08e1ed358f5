"""What is recognized and not read: each with the way that leads on."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path

_EQUINOX = (
    "a row of NumPy arrays without names, as Equinox writes them",
    "Save them with names: numpy.savez('model.npz', **{name: array, ...})",
)
_PADDLE = (
    "a Paddle model for inference, whose arrays have no names of their own",
    "Save the layer: paddle.save(layer.state_dict(), 'model.pdparams')",
)
_COREML = (
    "a Core ML model, whose weights are prepared for Apple's devices",
    "Give the model that it was made from",
)
_OPENVINO = (
    "an OpenVINO model, whose weights are prepared for its runtime",
    "Give the model that it was made from (ONNX, TensorFlow, PyTorch)",
)
_DISTCP = (
    "a distributed checkpoint of PyTorch (.distcp)",
    "Run `python -m torch.distributed.checkpoint.format_utils dcp_to_torch FOLDER model.pt` "
    "where PyTorch is installed, and give model.pt",
)
_ZLIB = (
    "compressed by zlib, as joblib does",
    "Save it without: joblib.dump(joblib.load('model.joblib'), 'plain.joblib')",
)
_BY_SUFFIX = {".mlmodel": _COREML, ".pdmodel": _PADDLE, ".distcp": _DISTCP}
_ZLIB_HEADS = (b"x\x01", b"x\x5e", b"x\x9c", b"x\xda")
_NPY = b"\x93NUMPY"


def unread_of_head(path: Path, head: bytes) -> tuple[str, str] | None:
    """Tell a format that is not read by a file's first bytes, else by the ending of its name.

    Parameters
    ----------
    head : the first 512 bytes at least, or all.

    Returns
    -------
    What the file is and what to do, or None.

    Spec: FMT-24.
    """
    if _NPY in head[1:] and (head.startswith(_NPY) or path.suffix == ".eqx"):
        return _EQUINOX
    if path.suffix in _BY_SUFFIX:
        return _BY_SUFFIX[path.suffix]
    is_graph = head.lstrip().startswith(b"<?xml") and b"<net" in head
    is_of_pytorch = head.startswith((b"PK", b"\x80"))
    if is_graph or (path.suffix == ".bin" and not is_of_pytorch and _is_graph_beside(path)):
        return _OPENVINO
    return _ZLIB if head.startswith(_ZLIB_HEADS) else None


def unread_of_folder(names: Collection[str]) -> tuple[str, str] | None:
    """Tell a format that is not read by the names in a folder. Spec: FMT-24."""
    if any(name.endswith(".distcp") for name in names):
        return _DISTCP
    if "__model__" in names or any(name.endswith(".pdmodel") for name in names):
        return _PADDLE
    return _COREML if {"Manifest.json", "Data"} <= set(names) else None


def _is_graph_beside(path: Path) -> bool:
    graph = path.with_suffix(".xml")
    if not graph.is_file():
        return False
    with graph.open("rb") as file:
        return b"<net" in file.read(1024)
