"""`write_weights`: weight files whose every tensor is labeled."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.assemble import assemble
from htsr_ref.weights.dtypes import DTYPES, SAFETENSORS_CODES, codes_of, storage_dtype
from htsr_ref.weights.manifest import (
    MANIFEST_KEY,
    SOURCE_KEYS,
    Manifest,
    dump_manifest,
    parse_manifest,
)
from htsr_ref.weights.meaning.axes import default_axes
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.opening import memory_container
from htsr_ref.weights.replacing import replacing
from htsr_ref.weights.safetensors_file import MAX_HEADER

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from htsr_ref.weights.manifest import TensorSpec

_CODES = {name: code for code, name in SAFETENSORS_CODES.items() if DTYPES[name].storage}


def write_weights(
    path: str | os.PathLike[str],
    arrays: Mapping[str, NDArray[Any]],
    tensors: Mapping[str, TensorSpec] | None = None,
    source: Mapping[str, str | None] | None = None,
    format: Literal["safetensors", "hdf5"] = "safetensors",  # noqa: A002 - the word that users know
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
    text = None if manifest is None else dump_manifest(manifest)
    if format == "safetensors":
        _write_safetensors(path, arrays, text)
    elif format == "hdf5":
        _write_hdf5(path, arrays, text)
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
    manifest = Manifest(specs, source, extra)
    try:
        text = dump_manifest(manifest)
    except (TypeError, ValueError) as error:
        raise WeightFileError(
            path, f"its manifest is not valid: {error}", "Give what JSON can hold"
        ) from error
    # What the reader would refuse is refused here, by the same checks.
    container = replace(memory_container(arrays), manifest=parse_manifest(text, path))
    assemble(container, None, name=path.name, file=path)
    return manifest


def _write_safetensors(
    path: Path, arrays: Mapping[str, NDArray[Any]], manifest: str | None
) -> None:
    for name, array in arrays.items():
        if name == "__metadata__" or array.dtype.name not in _CODES:
            raise WeightFileError(
                path,
                f"safetensors cannot hold it (numbers of type {array.dtype.name})",
                "Rename or convert it",
                name,
            )
    # Wide numbers first keeps every tensor aligned; the header keeps the order given.
    by_width = sorted(arrays, key=lambda name: -arrays[name].dtype.itemsize)
    offsets: dict[str, tuple[int, int]] = {}
    end = 0
    for name in by_width:
        offsets[name] = (end, end + arrays[name].nbytes)
        end += arrays[name].nbytes
    header: dict[str, Any] = {}
    if manifest is not None:
        header["__metadata__"] = {MANIFEST_KEY: manifest}
    for name, array in arrays.items():
        header[name] = {
            "dtype": _CODES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": list(offsets[name]),
        }
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > MAX_HEADER:
        raise WeightFileError(
            path, f"its header would have {len(text)} bytes, more than {MAX_HEADER}", "Use hdf5"
        )
    with replacing(path) as temporary, temporary.open("xb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in by_width:
            array = arrays[name]
            codes = codes_of(array).astype(storage_dtype(array.dtype.name), copy=False)
            file.write(codes.tobytes())


def _write_hdf5(path: Path, arrays: Mapping[str, NDArray[Any]], manifest: str | None) -> None:
    import h5py

    for name, array in arrays.items():
        if array.dtype.kind not in "fiub" or not _is_hdf5_name(name):
            raise WeightFileError(
                path,
                f"HDF5 cannot hold it (numbers of type {array.dtype.name})",
                "Rename or convert it, or use safetensors",
                name,
            )
    with replacing(path) as temporary, h5py.File(temporary, "x", track_order=True) as file:
        if manifest is not None:
            file.create_dataset(MANIFEST_KEY, data=manifest, dtype=h5py.string_dtype())
        for name, array in arrays.items():
            file.create_dataset(name, data=array, track_times=False)


def _is_hdf5_name(name: str) -> bool:
    return name != MANIFEST_KEY and not {"", ".", ".."}.intersection(name.split("/"))
