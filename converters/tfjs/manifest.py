"""TensorFlow.js's list of weights: where in which shards they lie, and what their codes mean."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import isfinite, prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array, open_regular
from common.errors import ConversionError
from common.links import refuse_links_out
from common.numbers import CODES
from numpy.typing import NDArray

TYPES = ("float32", "float16", "int32", "uint8", "bool", "complex64")
STRING = "string"
PLAIN_CODES = ("uint8", "uint16")
"""Types of codes q that stand for q * scale + min."""


@dataclass(frozen=True)
class Weight:
    """A tensor.

    Parameters
    ----------
    stored : type of the numbers or codes in the shards.
    dtype : type of the values.
    scale, least : what makes values of codes.
    pieces : shard, offset and bytes of the pieces that it lies in.
    """

    name: str
    shape: tuple[int, ...]
    stored: str
    dtype: str
    scale: float | None
    least: float
    pieces: tuple[tuple[Path, int, int], ...]

    def read(self) -> NDArray[Any]:
        """Values; mapped where they are stored as they are, in one piece."""
        code = CODES[self.stored][1]
        if len(self.pieces) == 1:
            path, offset, size = self.pieces[0]
            count = size // np.dtype(code).itemsize
            numbers = map_array(path, offset, code, (count,))
        else:
            pieces = [map_array(path, at, "|u1", (size,)) for path, at, size in self.pieces]
            joined: NDArray[Any] = np.concatenate(pieces) if pieces else np.empty(0, "u1")
            numbers = joined.view(code)
        numbers = numbers.reshape(self.shape)
        if self.scale is None:
            return numbers
        values = numbers.astype("f8") * self.scale + self.least
        return (np.round(values) if self.dtype == "int32" else values).astype(CODES[self.dtype][1])


def read_weights(folder: Path, groups: Any) -> tuple[list[Weight], list[Path]]:
    """Weights of a manifest's groups, and the shards.

    Parameters
    ----------
    folder : that of the manifest and its shards.
    groups : the manifest, a list of groups of shards and of the weights in them.

    Raises
    ------
    ConversionError
        If the manifest is damaged, or shards are missing, cut off or elsewhere.
    """
    found: list[Weight] = []
    files: list[Path] = []
    try:
        for group in groups:
            shards = [_shard(folder, name) for name in group["paths"]]
            sizes = [shard.stat().st_size for shard in shards]
            found += _weights(group["weights"], shards, sizes)
            files += shards
    except (KeyError, TypeError, AttributeError, ValueError, OverflowError) as error:
        raise ConversionError(f"its list of weights is damaged ({error!r})", DAMAGED) from error
    return found, files


def _shard(folder: Path, name: str) -> Path:
    path = folder / name
    if Path(name).name != name or "\\" in name or "\0" in name:
        raise ConversionError(f"its shard {name!r} is not in its folder", "Check the file")
    if not path.is_file():
        raise ConversionError(f"its shard {name!r} is missing", "Put it beside the file")
    refuse_links_out(folder, [path])
    return path


def _weights(entries: Any, shards: Sequence[Path], sizes: Sequence[int]) -> Iterator[Weight]:
    at = 0
    for entry in entries:
        shape = tuple(entry["shape"])
        if len(shape) > 32 or not all(isinstance(n, int) and n >= 0 for n in shape):
            raise ValueError("a shape is not a list of sizes")
        quantization = entry.get("quantization") or {}
        dtype, stored = entry["dtype"], quantization.get("dtype", entry["dtype"])
        scale = least = None
        if stored == STRING:
            size = _size_of_strings(shards, sizes, at, prod(shape))
        else:
            size = prod(shape) * np.dtype(CODES[stored][1]).itemsize
        if quantization and stored in PLAIN_CODES:
            scale, least = float(quantization["scale"]), float(quantization["min"])
            if not isfinite(scale) or not isfinite(least):
                raise ValueError("a scale is not finite")
        elif quantization:
            dtype = "float16"
        if dtype not in (*TYPES, STRING) or stored not in (*TYPES, *PLAIN_CODES, STRING):
            raise ValueError(f"numbers of type {dtype!r}, stored as {stored!r}")
        pieces = tuple(_pieces(shards, sizes, at, size))
        if sum(piece for _, _, piece in pieces) < size:
            raise ConversionError("its shards are cut off", DAMAGED, str(entry["name"]))
        yield Weight(str(entry["name"]), shape, stored, dtype, scale, least or 0.0, pieces)
        at += size
    if at != sum(sizes):
        raise ConversionError(f"its shards have {sum(sizes)} bytes, not {at}", DAMAGED)


def _pieces(
    shards: Sequence[Path], sizes: Sequence[int], start: int, size: int
) -> Iterator[tuple[Path, int, int]]:
    """Parts of the shards, taken as one file, from a place on."""
    for path, length in zip(shards, sizes, strict=True):
        taken = min(length - start, size)
        if start < length and size > 0:
            yield path, start, taken
            size -= taken
        start = max(start - length, 0)


def _size_of_strings(shards: Sequence[Path], sizes: Sequence[int], at: int, count: int) -> int:
    """Bytes of texts, each of which follows its length."""
    start = at
    for _ in range(count):
        head = b"".join(_bytes(path, begin, n) for path, begin, n in _pieces(shards, sizes, at, 4))
        if len(head) < 4 or at > sum(sizes):
            raise ValueError("texts are cut off")
        at += 4 + int.from_bytes(head, "little")
    return at - start


def _bytes(path: Path, start: int, size: int) -> bytes:
    with open_regular(path) as file:
        file.seek(start)
        return file.read(size)
