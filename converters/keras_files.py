# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a Keras 2 or 3 model (.keras, .h5, .weights.h5) without Keras."""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any
from zlib import crc32

import numpy as np
from common.containers import DAMAGED, data_offset, open_regular, read_member, zip_members
from common.errors import ConversionError
from common.export import main
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from common.strict_json import loads
from common.windows import Window
from hdf5.datasets import check_dataset, datasets, open_hdf5
from hdf5.keras_layers import Layer, facts_of, layers
from hdf5.trial import try_out
from numpy.typing import NDArray

WEIGHTS = "model.weights.h5"
MAX_CONFIG = 64 * 2**20
BLOCK = 2**20
CONTAINERS = {"layers": "layers", "_layer_checkpoint_dependencies": "layers"}
"""Groups that only hold layers, and their name since Keras 3."""
OPTIMIZER = ("optimizer", "optimizer_weights")
_DAMAGES = (OSError, ValueError, KeyError, RuntimeError, TypeError, AttributeError, OverflowError)
Stretch = tuple[int, int] | None
"""Where in the file the HDF5 file is: start and size; None if it is all of it."""


@dataclass(frozen=True)
class Variable:
    """A variable as the file has it.

    Parameters
    ----------
    path : its place in the HDF5 file.
    group, labels : see `facts_of`.
    """

    path: str
    group: tuple[str, ...]
    labels: tuple[str, ...]
    is_keras3: bool
    shape: tuple[int, ...]
    dtype: str


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a model's structure."""
    word, description = sniff(path)
    stretch, model = None, None
    if word == "zip":
        members = zip_members(path)
        if WEIGHTS not in members or "config.json" not in members:
            raise ConversionError(
                "it is a zip archive, but not one of Keras",
                "Use numpy_files.py for .npz and skops files, pytorch.py for .pt files",
            )
        stretch = data_offset(path, members[WEIGHTS]), members[WEIGHTS].file_size
        _check_sum(path, stretch, members[WEIGHTS].CRC)
        if members["config.json"].file_size > MAX_CONFIG:
            raise ConversionError(f"config.json is larger than {MAX_CONFIG} bytes", DAMAGED)
        model = loads(read_member(path, members["config.json"]), "config.json")
    elif word != "hdf5":
        raise refuse(path, word, description)
    dropped: Counter[str] = Counter()
    try_out(path, stretch)
    try:
        with _open(path, stretch) as file:
            if "model_config" in file.attrs:
                model = loads(_text(file.attrs["model_config"]).encode(), "model_config")
            variables = list(_variables(file, dropped))
    except _DAMAGES as error:
        raise ConversionError(f"its HDF5 is damaged ({error})", DAMAGED) from error
    return Source(
        "keras", path.name, _tensors(path, stretch, variables, list(layers(model))), [path], dropped
    )


def _check_sum(path: Path, stretch: tuple[int, int], stated: int) -> None:
    """Compare the weights with their checksum, a block at a time."""
    crc = 0
    with Window(open_regular(path), *stretch) as window:
        while block := window.read(BLOCK):
            crc = crc32(block, crc)
    if crc != stated:
        raise ConversionError(f"{WEIGHTS!r} does not have the checksum stated", DAMAGED)


def _open(path: Path, stretch: Stretch) -> Any:
    return open_hdf5(path if stretch is None else Window(open_regular(path), *stretch))


def _variables(file: Any, dropped: Counter[str]) -> Iterator[Variable]:
    for path, dataset in datasets(file):
        *group, _ = path.split("/")
        is_bfloat16 = dataset.dtype == "V2" and dataset.attrs.get("dtype") == "bfloat16"
        if path.split("/")[0] in OPTIMIZER:
            dropped["optimizer state"] += 1
        elif "seed_generator" in group:
            dropped["state of a random generator"] += 1
        elif dataset.shape is None or not (is_bfloat16 or dataset.dtype.kind in "fiub"):
            dropped["dataset without numbers"] += 1
        else:
            check_dataset(path, dataset)
            dtype = "bfloat16" if is_bfloat16 else dataset.dtype.name
            is_keras3 = group[-1:] == ["vars"]
            places, labels = _keras3_group(file, group) if is_keras3 else _keras2_group(group)
            yield Variable(path, places, labels, is_keras3, dataset.shape, dtype)


def _keras3_group(file: Any, path: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    group = path[:-1]
    labels = []
    for end, component in enumerate(group, 1):
        place = "/".join(group[:end]) + "/vars"
        stated = file[place].attrs.get("name", component) if place in file else component
        label = stated if isinstance(stated, str) and stated else component
        labels.append("" if component in CONTAINERS else label)
    return tuple(CONTAINERS.get(component, component) for component in group), tuple(labels)


def _keras2_group(path: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    if path[:1] == ["model_weights"]:
        path = path[1:]
    if path[:1] == path[1:2]:  # a layer's group, and a variable's name that repeats the layer's
        path = path[1:]
    return tuple(path), tuple(path)


def _tensors(
    path: Path, stretch: Stretch, variables: Sequence[Variable], known: Sequence[Layer]
) -> list[Tensor]:
    places = {layer.name: layer for layer in known} | {layer.path: layer for layer in known}
    return [
        Tensor(
            variable.path,
            variable.shape,
            variable.dtype,
            partial(_read, path, stretch, variable),
            facts_of(variable.group, variable.labels, places, is_keras3=variable.is_keras3),
        )
        for variable in variables
    ]


def _read(path: Path, stretch: Stretch, variable: Variable) -> NDArray[Any]:
    try:
        with _open(path, stretch) as file:
            array: NDArray[Any] = np.asarray(file[variable.path][()])
    except _DAMAGES as error:
        raise ConversionError(f"its HDF5 is damaged ({error})", DAMAGED) from error
    return array.view(np.uint16) if variable.dtype == "bfloat16" else array


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
