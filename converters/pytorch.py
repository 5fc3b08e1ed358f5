# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a PyTorch checkpoint (.pt, .pth, .bin, .ckpt; TorchScript) without PyTorch.

Nothing in the file is executed: see `pickles/machine.py`. h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from io import BytesIO
from math import prod
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any
from zipfile import ZipInfo

import numpy as np
from common.containers import (
    DAMAGED,
    check_copies,
    check_sum,
    data_offset,
    map_array,
    open_regular,
    read_member,
    zip_members,
)
from common.errors import ConversionError
from common.export import main
from common.facts import UNSTATED, Facts
from common.numbers import CODES
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from numpy.typing import NDArray
from pickles.arrays import PickledArray
from pickles.machine import load
from pickles.state_dict import Leaf, StateDict, leaves, state_dict
from pickles.torch import (
    Storage,
    Unsupported,
    View,
    count_of,
    script_function,
    storage_of,
    torch_function,
)
from pickles.torch_tar import open_tar

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
MAX_PICKLE = 256 * 2**20

Locate = Callable[[Storage], int]
"""Where in the file a storage begins; an error if it is not there in full."""


def open_model(path: Path, arguments: argparse.Namespace) -> Source:
    """Read a checkpoint's structure."""
    word, description = sniff(path)
    if word == "zip":
        # A reader that is told where numbers lie compares the checksums itself.
        value, locate = _open_zip(path, is_checked=not arguments.places)
    elif word == "pickle":
        value, locate = _open_pickle(path)
    elif word == "tar":
        value, locate = _open_tar(path)
    else:
        raise refuse(path, word, description)
    found = state_dict(value, arguments.key)
    if found.tensors and all(isinstance(leaf, PickledArray) for leaf in found.tensors.values()):
        raise ConversionError(
            "it holds NumPy arrays and nothing of PyTorch, so that the order of axes is not known",
            "Use jax_files.py if they are JAX's or Flax's, or save them as tensors of PyTorch",
        )
    dropped = Counter(found.dropped)
    tensors = _tensors(path, found, locate, dropped)
    return Source("pytorch", path.name, tensors, [path], dropped, found.notes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only checkpoints need."""
    parser.add_argument("--key", help="where in the checkpoint the weights are (model.ema)")


def _open_zip(path: Path, *, is_checked: bool) -> tuple[Any, Locate]:
    members = zip_members(path)
    pickles = [name for name in members if name.split("/")[1:] == ["data.pkl"]]
    if len(pickles) != 1:
        raise ConversionError(
            "it is a zip archive, but not one of PyTorch",
            "Use numpy_files.py for .npz and skops files, keras_files.py for .keras files",
        )
    root = pickles[0].removesuffix("data.pkl")
    order = members.get(root + "byteorder")
    if order is not None and read_member(path, order) != b"little":
        raise ConversionError("its numbers are big-endian", "Save it on another machine")
    if members[pickles[0]].file_size > MAX_PICKLE:
        raise ConversionError(f"its pickle is larger than {MAX_PICKLE} bytes", DAMAGED)
    is_script = root + "constants.pkl" in members
    allowed = script_function if is_script else torch_function
    value = load(BytesIO(read_member(path, members[pickles[0]])), allowed, storage_of)
    if is_script and next(leaves(value), None) is None:
        raise ConversionError(
            "it is frozen TorchScript, whose weights have no names", "Save it before freezing it"
        )
    offsets: dict[str, int] = {}

    def locate(storage: Storage) -> int:
        if storage.key not in offsets:
            member = members.get(f"{root}data/{storage.key}")
            offsets[storage.key] = _offset_in_zip(path, member, storage)
            if member is not None and is_checked:
                check_sum(path, member)
        return offsets[storage.key]

    return value, locate


def _offset_in_zip(path: Path, member: ZipInfo | None, storage: Storage) -> int:
    if member is None:
        raise ConversionError(f"the numbers under {storage.key!r} are missing", DAMAGED)
    if member.file_size < storage.numel * storage.itemsize:
        raise ConversionError(f"the numbers under {storage.key!r} are cut off", DAMAGED)
    return data_offset(path, member)


def _open_tar(path: Path) -> tuple[Any, Locate]:
    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as content:
        value, offsets = open_tar(content)
    return value, lambda storage: offsets[storage.key]


def _open_pickle(path: Path) -> tuple[Any, Locate]:
    """Read the format of PyTorch before 1.6, or a plain pickle of NumPy arrays."""
    storages: dict[str, Storage] = {}

    def persistent(identifier: Any) -> Storage:
        storage = storage_of(identifier)
        first = storages.setdefault(storage.key, storage)
        if (first.dtype, first.numel) != (storage.dtype, storage.numel):
            raise ValueError(f"two storages under {storage.key!r}")
        return storage

    with open_regular(path) as file, mmap(file.fileno(), 0, access=ACCESS_READ) as pickles:
        value = load(pickles, torch_function)
        if value != MAGIC:
            return value, _nowhere
        if load(pickles, torch_function) != PROTOCOL:
            raise ConversionError("its protocol is not 1001", "Save it with PyTorch")
        system = load(pickles, torch_function)
        if not isinstance(system, dict) or system.get("little_endian") is not True:
            raise ConversionError("its numbers are big-endian", "Save it on another machine")
        value = load(pickles, torch_function, persistent)
        keys = load(pickles, torch_function)
        try:
            offsets = dict(_offsets(pickles, keys, storages))
        except ValueError as error:
            raise ConversionError(f"its list of storages is damaged ({error})", DAMAGED) from error

    def locate(storage: Storage) -> int:
        if storage.key not in offsets:
            raise ConversionError(f"the numbers under {storage.key!r} are missing", DAMAGED)
        return offsets[storage.key]

    return value, locate


def _offsets(
    pickles: mmap, keys: Any, storages: Mapping[str, Storage]
) -> Iterator[tuple[str, int]]:
    for key in keys if isinstance(keys, list) else []:
        storage = storages.get(key if isinstance(key, str) else str(count_of(key)))
        numel = int.from_bytes(pickles.read(8), "little")
        offset = pickles.tell()
        if storage is None or storage.numel != numel:
            raise ConversionError("a storage has another length than its tensors say", DAMAGED)
        if offset + numel * storage.itemsize > len(pickles):
            raise ConversionError(f"the numbers under {key!r} are cut off", DAMAGED)
        pickles.seek(offset + numel * storage.itemsize)
        yield str(key), offset


def _nowhere(storage: Storage) -> int:
    raise ConversionError(f"the numbers under {storage.key!r} are missing", DAMAGED)


def _tensors(path: Path, found: StateDict, locate: Locate, dropped: Counter[str]) -> list[Tensor]:
    holders: dict[View, str] = {}
    tensors = []
    total = 0
    for stated, leaf in found.tensors.items():
        name = stated or path.stem  # one tensor, saved alone
        tensor = _tensor(path, name, leaf, locate)
        if isinstance(tensor, str):
            dropped[tensor] += 1
            continue
        if isinstance(leaf, View) and leaf.span > 0:
            holder = holders.setdefault(leaf, name)
            if holder != name:
                tensor = replace(tensor, same_as=holder)
            else:
                total += leaf.itemsize * prod(leaf.shape)
        tensors.append(tensor)
    check_copies(path, total, "tensors")
    return tensors


def _tensor(path: Path, name: str, leaf: Leaf, locate: Locate) -> Tensor | str:
    """Return a tensor, or why it is left out."""
    if isinstance(leaf, Unsupported):
        return leaf.reason
    if isinstance(leaf, View):
        read = partial(_read, path, locate=locate)
        facts = _facts(leaf, read)
        return Tensor(name, leaf.shape, leaf.dtype, partial(read, leaf), facts, is_mapped=True)
    if leaf.array is None:
        return "array of Python objects"
    array = leaf.array
    return Tensor(name, array.shape, leaf.dtype, lambda: array)


def _facts(view: View, read: Callable[[View], NDArray[Any]]) -> Facts:
    """Scales and zero points of a tensor that PyTorch quantized."""
    scales = view.scales
    if scales is None:
        return UNSTATED
    scale, zero_point = (
        read(value).tolist() if isinstance(value, View) else value
        for value in (scales.scale, scales.zero_point)
    )
    if not np.isfinite([scale, zero_point]).all():
        return Facts("packed", "its scales or zero points are not finite")
    axis = scales.axis
    return Facts(quantization={"scale": scale, "zero_point": zero_point, "axis": axis})


def _read(path: Path, view: View, locate: Locate) -> NDArray[Any]:
    start = locate(view.storage) + view.offset * view.itemsize
    code = CODES[view.dtype][1]
    numbers = map_array(path, start, code, (view.span,))
    steps = [step * view.itemsize for step in view.strides]
    return np.lib.stride_tricks.as_strided(numbers, view.shape, steps, writeable=False)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or "", add_arguments))
