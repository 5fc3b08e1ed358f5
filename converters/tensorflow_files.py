# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert a TensorFlow checkpoint or SavedModel to a weight file, without TensorFlow.

h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Mapping
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from common.containers import DAMAGED, map_array, open_regular
from common.errors import ConversionError
from common.export import main
from common.numbers import CODES
from common.source import Source, Tensor
from numpy.typing import NDArray
from protobuf.tensor_bundle import (
    DTYPES,
    OBJECT_GRAPH,
    STRING,
    Entry,
    read_full_names,
    read_index,
    read_string,
)

VALUE = "/.ATTRIBUTES/VARIABLE_VALUE"
NAMELESS = r"Variable(_\d+)?"
SLOTS = r"(adam_[mv]|Adam(_1)?|LAMB(_1)?|Momentum|RMSProp(_1)?|Adagrad|Adadelta(_1)?|Ftrl(_1)?)"
OPTIMIZERS = r"(?i)(n?adam|adam(w|ax)|sgd|rmsprop|ada(grad|delta|factor)|ftrl|lion|lamb)(_\d+)?/.*"
COUNTERS = ("save_counter", "global_step", "beta1_power", "beta2_power")
IN_PIECES = "partitioned variable, whose pieces are stored apart"


def open_model(path: Path, _: argparse.Namespace) -> Source:
    """Read a checkpoint's structure."""
    index = _index_of(path)
    entries = read_index(index)
    ends: dict[Path, int] = defaultdict(int)
    for entry in entries.values():
        ends[entry.shard] = max(ends[entry.shard], entry.offset + entry.size)
    for shard, end in ends.items():
        _check_shard(shard, end)
    full_names = {}
    if OBJECT_GRAPH in entries and entries[OBJECT_GRAPH].code == STRING:
        try:
            full_names = read_full_names(read_string(entries[OBJECT_GRAPH]))
        except ValueError as error:
            raise ConversionError(f"its graph of objects is damaged ({error})", DAMAGED) from error
    dropped: Counter[str] = Counter()
    kept = {}
    for key, entry in entries.items():
        reason = _reason_to_drop(key, entry, full_names.get(key, ""), entries)
        if reason:
            dropped[reason] += 1
        elif key != OBJECT_GRAPH:
            kept[key] = entry
    names = _names(kept, full_names)
    tensors = [
        Tensor(names[key], entry.shape, DTYPES[entry.code], partial(_read, entry), is_mapped=True)
        for key, entry in kept.items()
    ]
    return Source("tensorflow", path.name, tensors, [index, *ends], dropped)


def _check_shard(shard: Path, end: int) -> None:
    if not shard.exists():
        raise ConversionError("this shard is missing", "Put it beside the index", file=shard)
    with open_regular(shard) as file:
        size = file.seek(0, 2)
    if end > size:
        raise ConversionError(f"it has {size} bytes, not {end}", DAMAGED, file=shard)


def _index_of(path: Path) -> Path:
    """Find the index that a path means: a file, or the latest of a folder."""
    if not path.is_dir():
        if path.suffix == ".index":
            return path
        raise ConversionError(
            "it is not the index of a checkpoint",
            "Name the .index file or the folder of a SavedModel",
        )
    if (path / "variables" / "variables.index").exists():
        return path / "variables" / "variables.index"
    found = sorted(path.glob("*.index"))
    state = path / "checkpoint"
    if len(found) > 1 and state.exists():
        with open_regular(state) as file:
            text = file.read(2**16).decode("utf-8", "replace")
        latest = re.search(r'^model_checkpoint_path: "(?:.*/)?([^"/\\]+)"', text, re.MULTILINE)
        found = [item for item in found if latest and item.stem == latest[1]]
    if len(found) != 1:
        raise ConversionError("it does not hold one checkpoint", "Name the .index file")
    return found[0]


def _reason_to_drop(key: str, entry: Entry, full_name: str, entries: Mapping[str, Entry]) -> str:
    """Why a tensor is not a weight; "" if it may be one."""
    components = key.removesuffix(VALUE).split("/")
    owner, _, leaf = key.rpartition("/")
    # Keras 3's optimizers refer to the model's variables, which may then have this key only.
    in_optimizer = "optimizer" in components and "_trainable_variables" not in components
    is_slot = owner in entries and re.fullmatch(SLOTS, leaf)
    if in_optimizer or is_slot or ".OPTIMIZER_SLOT" in components:
        return "optimizer state"
    if re.fullmatch(OPTIMIZERS, full_name):
        return "optimizer state"
    if "seed_generator" in (*components, *full_name.split("/")):
        return "state of a random generator"
    if components[-1] in COUNTERS:
        return "counter of steps"
    if components[:2] == ["keras_api", "metrics"]:
        return "metric"
    if components[0] == "_all_variables":
        return "second copy of a variable"
    if entry.is_partitioned:
        return IN_PIECES
    if entry.code not in DTYPES and key != OBJECT_GRAPH:
        return "tensor without numbers"
    return ""


def _names(kept: Mapping[str, Entry], full_names: Mapping[str, str]) -> dict[str, str]:
    """Names that variables had in the program where those are unique, else their keys."""
    stated = {
        key: full_names[key].removesuffix(":0")
        for key in kept
        if full_names.get(key) and not re.fullmatch(NAMELESS, full_names[key])
    }
    count = Counter(stated.values())
    return {
        key: stated[key] if count[stated.get(key, "")] == 1 else key.removesuffix(VALUE)
        for key in kept
    }


def _read(entry: Entry) -> NDArray[Any]:
    code = CODES[DTYPES[entry.code]][1]
    if entry.size != prod(entry.shape) * np.dtype(code).itemsize:
        raise ConversionError(f"it has {entry.size} bytes for the shape {entry.shape}", DAMAGED)
    return map_array(entry.shard, entry.offset, code, entry.shape)


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or ""))
