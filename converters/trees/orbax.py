"""Orbax checkpoints: folders whose arrays tensorstore reads, from OCDBT or Zarr files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, MAX_RATIO, read_at_most
from common.errors import ConversionError
from common.links import refuse_links_out
from common.numbers import CODES
from common.strict_json import loads
from numpy.typing import NDArray
from trees.msgpack import read_tree

METADATA = "_METADATA"
AGGREGATE = "checkpoint"
"""File of the tree before there was `METADATA`: msgpack, with a text in place of most arrays."""
PLACEHOLDER = "PLACEHOLDER://"
MAX_METADATA = 100_000_000
ARRAYS = ("jax.Array", "np.ndarray")


@dataclass(frozen=True)
class Stored:
    """An array of a checkpoint: the components of its name, and where tensorstore finds it."""

    names: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    place: Mapping[str, Any]

    def read(self) -> NDArray[Any]:
        """Read the numbers; codes of those types that NumPy lacks."""
        try:
            array: NDArray[Any] = np.asarray(_open(self.place).read().result())
        except ValueError as error:
            raise _damaged(error) from error
        return array.view(CODES[self.dtype][1]) if self.dtype in CODES else array


def checkpoint_folder(path: Path) -> Path:
    """Find the one checkpoint in a folder: itself, or what a CheckpointManager put below it."""
    for marker in (METADATA, AGGREGATE):
        for depth in ("", "*/", "*/*/"):
            found = sorted(item.parent for item in path.glob(f"{depth}{marker}") if item.is_file())
            if len(found) > 1:
                names = ", ".join(str(folder.relative_to(path)) for folder in found[:20])
                raise ConversionError(f"it holds several checkpoints ({names})", "Name one of them")
            if found:
                return found[0]
    raise ConversionError(f"it is a folder without {METADATA}", "Name an orbax checkpoint")


def files_of(folder: Path) -> list[Path]:
    """Files of a checkpoint.

    Raises
    ------
    ConversionError
        If a link leads elsewhere, except to the `blobs` of the same Hugging Face cache.
    """
    found = sorted(folder.rglob("*"))
    refuse_links_out(folder, found)
    return [item for item in found if item.is_file()]


def read_aggregate(folder: Path) -> Any:
    """Read the tree of a checkpoint without `METADATA`, which holds its small arrays; or None."""
    return None if (folder / METADATA).is_file() else read_tree(folder / AGGREGATE)


def read_arrays(folder: Path, files: Iterable[Path], aggregate: Any) -> Iterator[Stored]:
    """Read names, shapes and types of the arrays that have files of their own.

    Parameters
    ----------
    files : what `files_of` returns.
    aggregate : what `read_aggregate` returns.

    Raises
    ------
    ConversionError
        If the checkpoint is damaged, or tensorstore is not installed.
    """
    metadata: Mapping[str, Any] = {}
    if aggregate is None:
        metadata = loads(read_at_most(folder / METADATA, MAX_METADATA), METADATA)
    try:
        driver = "zarr3" if metadata.get("use_zarr3") else "zarr"
        # Versions before 0.11.33 do not say so.
        is_ocdbt = bool(metadata.get("use_ocdbt", (folder / "manifest.ocdbt").is_file()))
        named = (
            _listed(metadata["tree_metadata"]) if aggregate is None else dict(_replaced(aggregate))
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ConversionError(f"its {METADATA} is not orbax's", DAMAGED) from error
    limit = MAX_RATIO * sum(file.stat().st_size for file in files)
    for names, name in named.items():
        if not name or "/" in name or name in (".", ".."):
            raise ConversionError("its name is a path", DAMAGED, "/".join(names))
        place = _place(folder, name, driver, is_ocdbt=is_ocdbt)
        try:
            array = _open(place)
        except ValueError as error:
            raise _damaged(error).at(folder, "/".join(names)) from error
        # A chunk is allocated as a whole, and tensorstore ends the process if that fails.
        most = max(prod(array.shape), prod(array.chunk_layout.write_chunk.shape or ()))
        if most * array.dtype.numpy_dtype.itemsize > limit:
            raise ConversionError("it claims more than the files hold", DAMAGED, "/".join(names))
        yield Stored(names, tuple(array.shape), array.dtype.name, place)


def _listed(tree: Mapping[str, Any]) -> dict[tuple[str, ...], str]:
    """Arrays of `METADATA`, each with the name of its folder."""
    named = [
        tuple(str(part["key"]) for part in leaf["key_metadata"])
        for leaf in tree.values()
        if leaf["value_metadata"]["value_type"] in ARRAYS
    ]
    return {names: ".".join(names) for names in named}


def _replaced(value: Any, names: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], str]]:
    """Arrays that texts of an aggregate stand for, each with the name of its folder."""
    if isinstance(value, str) and value.startswith(PLACEHOLDER):
        yield names, value.removeprefix(PLACEHOLDER)
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value)}
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _replaced(item, (*names, name))


def _place(folder: Path, name: str, driver: str, *, is_ocdbt: bool) -> Mapping[str, Any]:
    """Where tensorstore finds an array."""
    base = folder.resolve().as_uri() + "/"
    kvstore: Mapping[str, Any]
    if is_ocdbt:
        kvstore = {"driver": "ocdbt", "base": base, "path": f"{name}/"}
    else:
        kvstore = {"driver": "file", "path": f"{folder.resolve()}/{name}/"}
    # Chunks that are missing would be read as zeros.
    return {"driver": driver, "kvstore": kvstore, "fill_missing_data_reads": False}


def _open(place: Mapping[str, Any]) -> Any:
    try:
        import tensorstore
    except ImportError as error:
        raise ConversionError(
            "orbax checkpoints need tensorstore", "Install tensorstore: pip install tensorstore"
        ) from error
    return tensorstore.open(place, open=True, read=True).result()


def _damaged(error: ValueError) -> ConversionError:
    return ConversionError(f"it cannot be read ({str(error)[:200]})", DAMAGED)
