"""What must be the same for finished layers to be those of the work at hand."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.machine.blas import libraries
from htsr_ref.reports.report import Source
from htsr_ref.version import __version__
from htsr_ref.weights import Layer, Weights
from htsr_ref.weights.layer import digest_of
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
    return _stated([_facts(path) for path in _files(weights)], weights, options)


def portable_agreement(
    weights: Weights, options: Mapping[str, Any], digests: Any
) -> dict[str, Any]:
    """State the same so that any machine, and any time, can compare it.

    Parameters
    ----------
    weights, options : as for `agreement`.
    digests : see `digests_of`.

    Raises
    ------
    WeightFileError
        A file is no longer there.

    Spec: SCL-17, SCL-18.
    """
    read = [*_weight_files(weights)]
    files: list[Any] = [_facts(path)[:2] for path in read]
    files += [[path.name, digest_of([path])] for path in _settings_beside(read)]
    return _stated(files, weights, options) | {"weights": digests}


def digests_of(weights: Weights) -> list[list[str | None]]:
    """Name, digest and version of the weights, and of the model that they were computed with.

    Spec: SCL-17.
    """
    models = [weights, *(() if weights.base is None else [weights.base.weights])]
    return [[model.name, model.sha256(), model.etag()] for model in models]


def digests_in(source: Source) -> list[list[str | None]]:
    """Take the same from a report that was just made."""
    models = [source, *(() if source.base is None else [source.base])]
    return [[model.name, model.sha256, model.etag] for model in models]


def _stated(files: Any, weights: Weights, options: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "files": files,
        "layers": _digest(weights),
        **options,
        "htsr-ref": __version__,
        "numpy": np.__version__,
        "linear algebra": libraries(),
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
    return f"it differs from this run in {', '.join(differing_keys(before, now))}"


def differing_keys(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """Name what is not the same in two agreements."""
    return sorted(k for k in before.keys() | now.keys() if before.get(k) != now.get(k))


def _files(weights: Weights) -> "Iterator[AnyPath]":
    """Files of the weights and of their base, and the settings beside them on this machine."""
    files = _weight_files(weights)
    yield from files
    yield from _settings_beside(files)


def _weight_files(weights: Weights) -> "list[AnyPath]":
    return [*weights.files, *(() if weights.base is None else weights.base.weights.files)]


def _settings_beside(files: "list[AnyPath]") -> Iterator[Path]:
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
