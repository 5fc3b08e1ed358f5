# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11", "tensorstore>=0.1.69"]
# ///
"""Convert JAX parameters (Flax msgpack, orbax, pytrees in .npz and pickles) to a weight file.

Nothing in a pickle is executed: see `pickles/machine.py`. tensorstore is needed only for orbax
checkpoints, h5py only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

import numpy as np
from arrays.npy import members_of, read_array, read_header
from common.containers import check_copies, zip_members
from common.errors import ConversionError
from common.export import main
from common.facts import UNSTATED, Facts
from common.names import NameBudget, width
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from numpy.typing import NDArray
from pickles.arrays import PickledArray
from pickles.jax import load_tree
from pickles.state_dict import leaves
from trees.msgpack import Place, read_tree
from trees.orbax import AGGREGATE, checkpoint_folder, files_of, read_aggregate, read_arrays

NAMELESS = "its numbers have lost their type (bfloat16?), as they do in .npz files"
NUMBERS = r"(?!object)[a-z]+\d+(_\w+)?|bool|[<>|]V2"
OPTIMIZER = r"opt(im|imizer)?(_?states?)?|param_states"

Names = tuple[str, ...]


@dataclass(frozen=True)
class Leaf:
    """An array of the tree."""

    shape: tuple[int, ...]
    dtype: str
    read: Callable[[], NDArray[Any]]


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read the tree of a file's arrays."""
    if path.is_dir():
        folder = checkpoint_folder(path)
        files = files_of(folder)
        aggregate = read_aggregate(folder)
        found = list(_leaves_of_msgpack(folder / AGGREGATE, aggregate, NameBudget()))
        arrays = read_arrays(folder, files, aggregate)
        found += [(a.names, Leaf(a.shape, a.dtype, a.read)) for a in arrays]
        return _source(path, found, files)
    word, description = sniff(path)
    if word == "zip":
        return _of_npz(path)
    if word == "pickle":
        return _source(path, list(_leaves_of_pickle(path)), [path])
    if not word:  # msgpack has no signature
        return _source(path, list(_leaves_of_msgpack(path, read_tree(path), NameBudget())), [path])
    raise refuse(path, word, description)


def _of_npz(path: Path) -> Source:
    arrays, others = members_of(zip_members(path))
    if not arrays:
        raise ConversionError("it is a zip archive, but not .npz", "Check the file")
    source = _source(path, list(_leaves_of_npz(path, arrays)), [path])
    return replace(source, dropped={**source.dropped, **others})


def _leaves_of_npz(path: Path, arrays: Mapping[str, ZipInfo]) -> Iterator[tuple[Names, Leaf]]:
    for name, info in arrays.items():
        npy = read_header(path, info)
        # "params/Dense_0/kernel", "params.Dense_0.kernel" or ".params['Dense_0']['kernel']".
        names = tuple(re.findall(r"[^\[\]'\"./]+", name)) or (name,)
        yield names, Leaf(npy.shape, npy.dtype, partial(read_array, path, npy, info))


def _leaves_of_pickle(path: Path) -> Iterator[tuple[Names, Leaf]]:
    total = 0
    for names, leaf, _ in leaves(load_tree(path)):
        if isinstance(leaf, PickledArray):
            total += 0 if leaf.array is None else leaf.array.nbytes
            check_copies(path, total)
            shape = () if leaf.array is None else leaf.array.shape
            yield names or (path.stem,), Leaf(shape, leaf.dtype, partial(np.asarray, leaf.array))


def _leaves_of_msgpack(
    path: Path, value: Any, budget: NameBudget, names: Names = ()
) -> Iterator[tuple[Names, Leaf]]:
    if isinstance(value, Place):
        budget.spend(sum(map(width, names)))
        yield names or (path.stem,), Leaf(value.shape, value.dtype, partial(value.read, path))
    if isinstance(value, list):
        value = {str(number): item for number, item in enumerate(value)}
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _leaves_of_msgpack(path, item, budget, (*names, name))


def _source(path: Path, found: Sequence[tuple[Names, Leaf]], files: Sequence[Path]) -> Source:
    optimizers = _optimizers({names for names, _ in found})
    dropped: Counter[str] = Counter()
    kept: dict[Names, Leaf] = {}
    for whole, leaf in found:
        names = _without_wrappers(whole)
        if any(whole[:depth] in optimizers for depth in range(1, len(whole))):
            dropped["optimizer state"] += 1
        elif not re.fullmatch(NUMBERS, leaf.dtype):
            dropped["array that does not hold numbers"] += 1
        elif names in kept:
            raise ConversionError("two arrays have this name", "Rename one", "/".join(names))
        else:
            kept[names] = leaf
    tensors = [_tensor("/".join(names), leaf) for names, leaf in kept.items()]
    return Source("jax", path.name, tensors, files, dropped)


def _tensor(name: str, leaf: Leaf) -> Tensor:
    if leaf.dtype.endswith("V2"):
        read = partial(_codes, leaf.read)
        return Tensor(name, leaf.shape, "uint16", read, Facts("packed", NAMELESS))
    return Tensor(name, leaf.shape, leaf.dtype, leaf.read, UNSTATED)


def _codes(read: Callable[[], NDArray[Any]]) -> NDArray[Any]:
    return read().view("<u2")


def _optimizers(found: Set[Names]) -> Set[Names]:
    """Where states of optimizers are: under their usual names, and where Adam's moments lie."""
    places = {names[:depth] for names in found for depth in range(1, len(names))}
    by_name = {
        names
        for names in places
        if re.fullmatch(OPTIMIZER, names[-1], re.IGNORECASE) and "params" not in names
    }
    counted = {names[:-1] for names in found if names[-1] == "count"}
    adam = {at for at in counted if {(*at, "mu"), (*at, "nu")} <= places}
    return by_name | adam


def _without_wrappers(names: Names) -> Names:
    """Take off the collection "params", and the "value" of each variable in Flax NNX."""
    while names[0] == "params" and len(names) > 1:
        names = names[1:]
    return names[:-1] if names[-1] == "value" and len(names) > 1 else names


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
