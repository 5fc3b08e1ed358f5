"""`convert`: whatever can be read, as one file that says itself what its tensors are."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.version import __version__
from htsr_ref.weights.dtypes import DTYPES, decode
from htsr_ref.weights.layer import Weights
from htsr_ref.weights.manifest import NOT_DECODED, Manifest
from htsr_ref.weights.opening import open_weights
from htsr_ref.weights.selection import NOT_CHOSEN, chosen_tensors
from htsr_ref.weights.streaming import BLOCK_BYTES, HDF5_TYPES, Streamed, blocks_of
from htsr_ref.weights.tensor_spec import TensorSpec
from htsr_ref.weights.writer import Format, format_of, write_streamed

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from htsr_ref.weights.layer import Layer
    from htsr_ref.weights.stored import StoredTensor

KeptType = Literal["keep", "float32"]
CODE_ROLES = ("scale", "zero point", "codebook", "packed")
"""Roles of tensors that tell what codes stand for; a file of decoded weights has no codes."""


@dataclass(frozen=True)
class Converted:
    """What came of a conversion.

    Attributes
    ----------
    written : number of tensors, tied ones among them.
    left_out : numbers of tensors that were not written, by reason.
    refused : tensors written as they are stored, of which no weight could be made, each with why.
    not_finite : weight matrices with NaN or infinite numbers, each with how many.
    """

    written: int
    left_out: Mapping[str, int]
    refused: Mapping[str, str]
    not_finite: Mapping[str, int]


def convert(
    source: str | os.PathLike[str] | Weights,
    path: str | os.PathLike[str],
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    dtype: KeptType = "keep",
    progress: Callable[[str, int, int], None] | None = None,
) -> Converted:
    """Write weights as one file in canonical axes, with all that was inferred in its manifest.

    Weights that are scaled or computed are written as the numbers they stand for: float32 where
    that is exact, else float64. One tensor at most is in memory at a time.

    Parameters
    ----------
    source : what `open_weights` opens, or opened weights.
    path : file to write; HDF5 if it ends in .h5 or .hdf5, else safetensors.
    layers, include, exclude : see `open_weights` and `select`; what is not chosen, or skipped, is
        not written.
    dtype : "keep" the number types, or round all floating-point numbers to "float32".
    progress : called before each tensor with its name, its place and the number of tensors.

    Returns
    -------
    Converted

    Raises
    ------
    WeightFileError
        The source cannot be read, nothing of it is chosen, or the format cannot hold a tensor.
    LayerError
        A tensor cannot be read.

    Spec: FMT-22, FMT-23.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     file = Path(folder, "model.npz")
    ...     np.savez(file, **{"fc/kernel": np.ones((2, 3))})
    ...     _ = convert(file, Path(folder, "model.safetensors"))
    ...     layer = open_weights(Path(folder, "model.safetensors")).layers[0]
    ...     print(layer.axes, layer.shape, layer.decided)
    ('out', 'in') (3, 2) inferred: kernel (in, out)
    """
    opened = source if isinstance(source, Weights) else open_weights(source, layers)
    path = Path(path)
    kept, left_out = _sorted_out(opened.layers, chosen_tensors(opened, include, exclude))
    if not kept:
        raise WeightFileError(opened.name, "no tensor is left to write", "Check the file")
    format_ = format_of(path)
    entries, streams = _plan(kept, _Types(format_, dtype))
    source_block = {
        "framework": (opened.source or {}).get("framework"),
        "converter": f"htsr convert {__version__}",
        "file": opened.name,
        "sha256": opened.sha256(),
    }
    refused = _refused(kept)
    extra = {**opened.extra, NOT_DECODED: refused} if refused else opened.extra
    manifest = Manifest(entries, source_block, extra)
    matrices = {layer.tensor for layer in kept if layer.left_out is None}
    not_finite: dict[str, int] = {}
    counted = {
        name: replace(stream, blocks=partial(_counted, name, stream, not_finite))
        if name in matrices
        else stream
        for name, stream in streams.items()
    }
    write_streamed(path, _followed(counted, progress), manifest, format_)
    return Converted(len(entries), left_out, refused, not_finite)


def _counted(name: str, stream: Streamed, found: dict[str, int]) -> Iterator[NDArray[Any]]:
    """Hand on blocks and count the numbers in them that are not finite."""
    for whole in stream.blocks():
        for block in blocks_of(whole):
            is_plain = block.dtype.kind in "fc"
            numbers = block if is_plain else decode(block, stream.dtype)
            if bad := int(np.count_nonzero(~np.isfinite(numbers))):
                found[name] = found.get(name, 0) + bad
            yield block


def _refused(layers: Sequence[Layer]) -> dict[str, str]:
    """Reasons of the layers that an analysis would skip as bad or not understood."""
    return {
        layer.tensor: layer.left_out
        for layer in layers
        if layer.left_out is not None and layer.code != "left-out"
    }


def _followed(
    streams: Mapping[str, Streamed], progress: Callable[[str, int, int], None] | None
) -> Mapping[str, Streamed]:
    """Let every tensor tell when it is written."""
    if progress is None:
        return streams
    total = sum(stream.nbytes for stream in streams.values())
    done = 0

    def blocks(name: str, stream: Streamed) -> Iterator[NDArray[Any]]:
        nonlocal done
        progress(name, done, total)
        yield from stream.blocks()
        done += stream.nbytes

    return {
        name: Streamed(stream.shape, stream.dtype, partial(blocks, name, stream))
        for name, stream in streams.items()
    }


def _sorted_out(
    layers: Sequence[Layer], chosen: Collection[str]
) -> tuple[list[Layer], dict[str, int]]:
    """Tensors to be written, and how many are not, by reason."""
    kept: list[Layer] = []
    left_out: dict[str, int] = {}
    for layer in layers:
        reason = NOT_CHOSEN if layer.tensor not in chosen else _reason_not_to_write(layer)
        if reason is None:
            kept.append(layer)
        else:
            left_out[reason] = left_out.get(reason, 0) + 1
    return kept, left_out


def _reason_not_to_write(layer: Layer) -> str | None:
    if layer.decided.startswith("override: ") and layer.left_out not in (None, layer.role):
        return layer.left_out  # skipped by the user
    if layer.role in CODE_ROLES and layer.left_out == layer.role:
        return f"role {layer.role}: weights are written decoded"
    if not layer.data.is_readable:
        return f"numbers of type {layer.data.code_dtype} are not decoded"
    return None


@dataclass(frozen=True)
class _Types:
    """Which number types are written."""

    format: Format
    dtype: KeptType

    def of(self, data: StoredTensor) -> str:
        """Type in which a tensor is written; reads its numbers if they must be decoded."""
        own = data.code_dtype
        if self.dtype == "float32" and (_is_coded(data) or not DTYPES[own].is_integer):
            return "float32"
        if _is_coded(data) or (self.format == "hdf5" and own not in HDF5_TYPES):
            return "float32" if _is_exact(data) else "float64"
        return own

    def keep_numbers(self, data: StoredTensor) -> bool:
        """Whether the numbers written are those of the tensor, not rounded ones."""
        if self.dtype == "keep":
            return True
        return not _is_coded(data) and DTYPES[data.code_dtype].bits <= DTYPES["float32"].bits


def _is_coded(data: StoredTensor) -> bool:
    """Whether the stored codes are not the numbers."""
    return data.scaling is not None or data.is_computed


def _plan(
    layers: Sequence[Layer], types: _Types
) -> tuple[dict[str, TensorSpec], dict[str, Streamed]]:
    """Entries and numbers of all tensors.

    A tensor that is tied is stored again only where others follow it, so that the order stays.
    """
    holders = {layer.tensor: layer for layer in layers if layer.same_as is None}
    dtypes: dict[str, str] = {}
    entries: dict[str, TensorSpec] = {}
    streams: dict[str, Streamed] = {}
    last = max((at for at, layer in enumerate(layers) if layer.same_as is None), default=-1)
    for at, layer in enumerate(layers):
        holder = layer if layer.same_as is None else holders.setdefault(layer.same_as, layer)
        axes = layer.axes if holder is layer else _tied_axes(layer, holder)
        if axes is None:
            holder, axes = layer, layer.axes
        if holder.tensor not in dtypes:
            dtypes[holder.tensor] = types.of(holder.data)
        dtype = dtypes[holder.tensor]
        entries[layer.tensor] = _spec(
            layer,
            axes,
            None if holder is layer else holder.tensor,
            layer.dtype if layer.dtype != dtype and types.keep_numbers(layer.data) else None,
        )
        if holder is layer or (at < last and layer.shape == holder.shape):
            streams[layer.tensor] = _streamed(layer.data, dtype)
    return entries, streams


def _spec(
    layer: Layer, axes: tuple[str, ...], same_as: str | None, decoded_from: str | None
) -> TensorSpec:
    """Entry of a tensor in canonical axes."""
    word, _, rule = layer.decided.partition(": ")
    return TensorSpec(
        role=layer.role,
        axes=axes,
        layer=layer.name,
        groups=layer.groups,
        parts=layer.parts,
        same_as=same_as,
        rule=(layer.decided if word == "override" else rule) or None,
        inferred=word == "inferred" and rule != "",
        layer_class=layer.layer_class,
        decoded_from=decoded_from if axes else None,
    )


def _tied_axes(layer: Layer, holder: Layer) -> tuple[str, ...] | None:
    """Axes of a tied tensor in the order in which the other is written; None if it has none."""
    own, other = layer.data, holder.data
    if _is_coded(own) or _is_coded(other):
        is_same = layer.axes == holder.axes and layer.shape == holder.shape
        return layer.axes if is_same and np.array_equal(own[...], other[...]) else None
    if own.layout == other.layout or not layer.axes:
        return layer.axes if layer.shape == holder.shape else None
    if own.layout.is_merged or other.layout.is_merged:
        return None
    canonical = dict(zip(own.layout.order, layer.axes, strict=True))
    return tuple(canonical[axis] for axis in other.layout.order)


def _streamed(data: StoredTensor, dtype: str) -> Streamed:
    is_as_stored = not _is_coded(data) and dtype == data.code_dtype
    read = partial(_codes, data) if is_as_stored else partial(_numbers, data, dtype)
    return Streamed(data.shape, dtype, read)


def _codes(data: StoredTensor) -> Iterator[NDArray[Any]]:
    yield data.codes()


def _numbers(data: StoredTensor, dtype: str) -> Iterator[NDArray[Any]]:
    for block in _decoded(data):
        with np.errstate(over="ignore"):
            yield block.astype(dtype)


def _decoded(data: StoredTensor) -> Iterator[NDArray[np.float64]]:
    """Numbers in blocks along the first axis."""
    if not data.shape or 0 in data.shape:
        yield data[...]
        return
    loaded = data.load()
    row = 8 * int(np.prod(data.shape[1:], dtype=object))
    height = max(1, BLOCK_BYTES // row)
    for start in itertools.count(0, height):
        if start >= data.shape[0]:
            return
        yield loaded[start : min(start + height, data.shape[0])]


def _is_exact(data: StoredTensor) -> bool:
    """Whether float32 holds every number."""
    for block in _decoded(data):
        with np.errstate(over="ignore"):
            narrow = block.astype(np.float32)
        if not np.array_equal(narrow, block, equal_nan=True):
            return False
    return True
