"""What must be the same for finished layers to be those of the work at hand."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.version import __version__
from htsr_ref.weights import Layer, Weights
from htsr_ref.weights.settings import FILES

if TYPE_CHECKING:
    from htsr_ref.weights.backing import AnyPath

Stamp = tuple[str, int, int | str]
"""Name and size of a file, and its time of change (ns) or, of a remote one, its version."""


def agreement(weights: Weights, options: Mapping[str, Any]) -> dict[str, Any]:
    """State what the numbers of every layer depend on.

    Parameters
    ----------
    weights : opened; as the user has chosen and corrected its layers.
    options : what else was asked for, as JSON holds it.

    Returns
    -------
    dict, as JSON gives it back.

    Raises
    ------
    WeightFileError
        A file is no longer there.

    Spec: SCL-10.
    """
    found = {
        "files": [_facts(path) for path in _files(weights)],
        "layers": _digest(weights),
        **options,
        "htsr-ref": __version__,
        "numpy": np.__version__,
        "linear algebra": _kernels(),
    }
    same: dict[str, Any] = json.loads(json.dumps(found))
    return same


def difference(before: Any, now: Mapping[str, Any]) -> str | None:
    """Say in what two agreements differ; None if they do not.

    Spec: SCL-10.
    """
    if before == now:
        return None
    if not isinstance(before, dict):
        return "it was made by another version of htsr"
    if before.get("files") != now["files"]:
        return "the files that are read have changed since"
    keys = before.keys() | now.keys()
    differing = sorted(key for key in keys if before.get(key) != now.get(key))
    return f"it differs from this run in {', '.join(differing)}"


def _files(weights: Weights) -> "Iterator[AnyPath]":
    """Files of the weights and of their base, and the settings beside them on this machine."""
    files = [*weights.files, *(() if weights.base is None else weights.base.weights.files)]
    yield from files
    settings = [name for names in FILES.values() for name in names]
    for folder in dict.fromkeys(file.parent for file in files if isinstance(file, Path)):
        yield from (folder / name for name in settings if (folder / name).is_file())


def stamps(weights: Weights) -> tuple[Stamp, ...]:
    """Tell which files are read, in such a way that another machine can compare.

    Raises
    ------
    WeightFileError
        A file is no longer there.

    Spec: SCL-12.
    """
    return tuple(_facts(path)[:3] for path in _files(weights))


def _facts(path: "AnyPath") -> tuple[str, int, int | str, int | str]:
    """Stamp of a file, and which one it is here: its inode, or its address."""
    if not isinstance(path, Path):
        remote = path.stamp()
        return path.name, remote.size, remote.tag, str(path)
    try:
        status = path.stat()
    except OSError as error:
        raise WeightFileError(
            path, f"it cannot be read ({error.strerror})", "Check the path, and open it again"
        ) from error
    return path.name, status.st_size, status.st_mtime_ns, status.st_ino


def _digest(weights: Weights) -> str:
    """Digest of all that is known of the layers but their numbers."""
    known = [field.name for field in fields(Layer) if field.name != "data"]
    layers = [[getattr(layer, name) for name in known] for layer in weights.layers]
    relation = None if weights.base is None else weights.base.relation
    text = ascii((weights.name, relation, layers))
    return hashlib.blake2b(text.encode("ascii"), digest_size=16).hexdigest()


def _kernels() -> list[str]:
    """Libraries of linear algebra, with the processor whose code they run."""
    from threadpoolctl import threadpool_info

    facts = (entry for entry in threadpool_info() if entry["user_api"] == "blas")
    return sorted({f"{entry['internal_api']} {entry.get('architecture')}" for entry in facts})
