"""`write_weights`: weight files whose every tensor is labeled."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.assemble import assemble
from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import Container, RawTensor
from htsr_ref.weights.dtypes import codes_of
from htsr_ref.weights.manifest import (
    SOURCE_KEYS,
    Manifest,
    dump_manifest,
    parse_manifest,
)
from htsr_ref.weights.meaning.axes import default_axes
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.streaming import Streamed, write_hdf5, write_safetensors

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from htsr_ref.weights.tensor_spec import TensorSpec

Format = Literal["safetensors", "hdf5"]
HDF5_SUFFIXES = (".h5", ".hdf5")


def format_of(path: Path) -> Format:
    """Format that the ending of a file's name asks for, links followed."""
    return "hdf5" if path.resolve().suffix.lower() in HDF5_SUFFIXES else "safetensors"


def write_weights(
    path: str | os.PathLike[str],
    arrays: Mapping[str, NDArray[Any]],
    tensors: Mapping[str, TensorSpec] | None = None,
    source: Mapping[str, str | None] | None = None,
    format: Format = "safetensors",  # noqa: A002 - the word that users know
    extra: Mapping[str, Any] | None = None,
) -> None:
    """Write a weight file; the same arguments always give the same bytes.

    Parameters
    ----------
    path : file to write; it is replaced at once when all is written.
    arrays : tensors by name. bfloat16 and float8 arrays are those of
        ml_dtypes (safetensors only).
    tensors : what is known of every array; axes left empty are (out, in) or (out, in, k1, k2, ...).
        None writes a plain file without a manifest.
    source : framework, converter, file and sha256 of what the weights came from.
    format : "safetensors" or "hdf5".
    extra : anything that JSON can hold, for whoever reads the manifest.

    Raises
    ------
    WeightFileError
        If the description does not fit the arrays, or the format cannot hold them.
    OutputError
        If the file cannot be written.

    Spec: FMT-7.

    >>> import tempfile
    >>> import numpy as np
    >>> from htsr_ref.weights import TensorSpec, open_weights
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "model.safetensors")
    ...     write_weights(file, {"w": np.eye(3)}, {"w": TensorSpec("weight", layer="fc")})
    ...     layer = open_weights(file).layers[0]
    ...     print(layer.name, layer.decided, layer.data[1])
    fc stated [0. 1. 0.]
    """
    path = Path(path)
    manifest = None
    if tensors is not None:
        manifest = _manifest(path, arrays, tensors, source or {}, extra or {})
    elif source is not None or extra is not None:
        raise WeightFileError(
            path, "a source or extra needs a manifest to be written in", "Describe the tensors"
        )
    tensors_written = {
        name: Streamed(array.shape, array.dtype.name, partial(_one_block, array))
        for name, array in arrays.items()
    }
    write_streamed(path, tensors_written, manifest, format)


def _one_block(array: NDArray[Any]) -> tuple[NDArray[Any]]:
    return (codes_of(array),)


def write_streamed(
    path: Path,
    tensors: Mapping[str, Streamed],
    manifest: Manifest | None,
    format: Format,  # noqa: A002 - the word that users know
) -> None:
    """Write tensors that are read a block at a time.

    Parameters
    ----------
    path : file to write; it is replaced at once when all is written.
    tensors : by name; bytes are read when they are written.
    manifest : what is known of them, checked as a reader checks it.
    format : "safetensors" or "hdf5".

    Raises
    ------
    WeightFileError
        If the manifest does not fit the tensors, or the format cannot hold them.
    OutputError
        If the file cannot be written.

    Spec: FMT-7.
    """
    text = None if manifest is None else _checked(path, tensors, manifest)
    if format == "safetensors":
        write_safetensors(path, tensors, text)
    elif format == "hdf5":
        write_hdf5(path, tensors, text)
    else:
        raise WeightFileError(path, f"there is no format {format!r}", "Use safetensors or hdf5")


def _manifest(
    path: Path,
    arrays: Mapping[str, NDArray[Any]],
    tensors: Mapping[str, TensorSpec],
    source: Mapping[str, str | None],
    extra: Mapping[str, Any],
) -> Manifest:
    specs = {
        name: replace(spec, axes=default_axes(arrays[name].ndim) or ())
        if not spec.axes and spec.role in MATRIX_ROLES and name in arrays
        else spec
        for name, spec in tensors.items()
    }
    unknown = [key for key in source if key not in SOURCE_KEYS]
    if unknown:
        raise WeightFileError(
            path, f"source has the unknown key {unknown[0]!r}", f"Use {', '.join(SOURCE_KEYS)}"
        )
    return Manifest(specs, source, extra)


def _checked(path: Path, tensors: Mapping[str, Streamed], manifest: Manifest) -> str:
    """Text of a manifest; what the reader would refuse is refused, by the same checks."""
    try:
        text = dump_manifest(manifest)
    except (TypeError, ValueError) as error:
        raise WeightFileError(
            path, f"its manifest is not valid: {error}", "Give what JSON can hold"
        ) from error
    nothing = InMemory(np.empty(0))
    stored = tuple(RawTensor(name, t.shape, t.dtype, nothing) for name, t in tensors.items())
    container = Container("memory", (), stored, parse_manifest(text, path))
    assemble(container, None, name=path.name, file=path)
    return text
