# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy>=1.26", "h5py>=3.11"]
# ///
"""Convert Paddle parameters (.pdparams) to a weight file, without Paddle.

Nothing in the file is executed: see `pickles/machine.py`. h5py is needed only for --format hdf5.
"""

if __name__ == "__main__":
    from common.interrupts import end_at_interrupts

    end_at_interrupts()

import argparse
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any, cast

import numpy as np
from common.containers import check_copies, open_regular
from common.errors import ConversionError
from common.export import main
from common.facts import Facts
from common.sniff import refuse, sniff
from common.source import Source, Tensor
from numpy.typing import NDArray
from pickles.arrays import PickledArray, numpy_function
from pickles.machine import load, pickled_dict
from pickles.state_dict import Leaf, state_dict

PARAMETER_NAMES = "StructuredToParameterName@@"
IN_PIECES = "UnpackBigParamInfor@@"
OPTIMIZER = r".*_(moment[12](_max)?|beta[12]_pow_acc|velocity|moment|inf_norm|mean_square|mean_grad"
OPTIMIZER += r"|momentum|_?avg_squared_(grad|update))_\d+|master_weights\..*"
STREAM = bytes(16)
"""How .pdiparams files begin: versions and a count, all 0."""


@dataclass(eq=False)
class Parameter(PickledArray):
    """An array that was saved with its parameter's name."""

    name: str = ""


def open_model(path: Path, arguments: argparse.Namespace) -> Source:
    """Read the arrays' names and shapes; the numbers stay in the file."""
    word, description = sniff(path)
    if word != "pickle":
        with open_regular(path) as file:
            if file.read(len(STREAM)) == STREAM:
                description = "a .pdiparams file, whose arrays have no names"
                raise ConversionError(f"it is {description}", "Convert the .pdparams file")
        raise refuse(path, word, description)
    with open_regular(path) as file:
        value = load(cast("mmap", _Views(file.fileno())), _function)
    if isinstance(value, Parameter):
        value = {value.name: value}
    if isinstance(value, dict) and IN_PIECES in value:
        raise ConversionError("its arrays are cut into pieces", "Save it with protocol 4")
    found = state_dict(value, arguments.key)
    arrays = {
        name: leaf for name, leaf in found.tensors.items() if not re.fullmatch(OPTIMIZER, name)
    }
    dropped = Counter(found.dropped)
    dropped["optimizer state"] += len(found.tensors) - len(arrays)
    dropped["array of Python objects"] += sum(
        not isinstance(leaf, PickledArray) or leaf.array is None for leaf in arrays.values()
    )
    tensors = _tensors(arrays, _parameter_names(value, arrays))
    total = sum(tensor.read().nbytes for tensor in tensors if tensor.same_as is None)
    check_copies(path, total)
    ties = sum(tensor.same_as is not None for tensor in tensors)
    notes = [*found.notes, *([f"{ties} tensors are listed twice under two names"] if ties else [])]
    return Source("paddle", path.name, tensors, [path], +dropped, notes)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what only checkpoints need."""
    parser.add_argument("--key", help="where in the checkpoint the weights are (model.ema)")


class _Views:
    """A file whose long pieces are views of its mapping, so that arrays are not read at once."""

    def __init__(self, descriptor: int) -> None:
        self.data = mmap(descriptor, 0, access=ACCESS_READ)
        self.view = memoryview(self.data)

    def tell(self) -> int:
        return self.data.tell()

    def readline(self) -> bytes:
        return self.data.readline()

    def read(self, size: int) -> bytes | memoryview:
        if size < 4096:
            return self.data.read(size)
        start = self.data.tell()
        piece = self.view[start : start + size]
        self.data.seek(start + len(piece))
        return piece


def _function(name: str) -> Callable[..., Any] | None:
    """Our function for a name that the pickle imports."""
    return _FUNCTIONS.get(name) or numpy_function(name)


def _tuple(items: Any = ()) -> Any:
    """Make a tuple; of (name, array), which is how Paddle saves single tensors, a parameter."""
    match items:
        case (str(name), PickledArray(array=array, codes_of=codes_of)):
            return Parameter(array, codes_of, name)
    return tuple(items)


def _parameter_names(value: Any, arrays: Mapping[str, Leaf]) -> dict[str, str]:
    """Paddle's own names of parameters, which tell their layers' classes and what is tied."""
    table = value.get(PARAMETER_NAMES) if isinstance(value, dict) else None
    names = {name: leaf.name for name, leaf in arrays.items() if isinstance(leaf, Parameter)}
    if isinstance(table, dict):
        names |= {name: own for name, own in table.items() if isinstance(own, str)}
    return {name: names[name] for name in arrays if name in names}


def _tensors(leaves: Mapping[str, Leaf], parameters: Mapping[str, str]) -> list[Tensor]:
    arrays: dict[str, NDArray[Any]] = {}
    dtypes: dict[str, str] = {}
    for name, leaf in leaves.items():
        if isinstance(leaf, PickledArray) and leaf.array is not None:
            arrays[name] = leaf.array
            # Paddle gives the codes of bfloat16 as uint16, which is not a type of its own.
            dtypes[name] = leaf.dtype.replace("uint16", "bfloat16")
    holders: dict[int | str, str] = {}
    tensors = []
    for name in arrays:
        array = arrays[name]
        keys = id(array), parameters.get(name, id(array))
        holder = next((holders[key] for key in keys if key in holders), name)
        for key in keys:
            holders.setdefault(key, name)
        same_as = holder if holder != name and _are_equal(arrays[holder], array) else None
        read = partial(np.asarray, array)
        facts = Facts(layer_class=_class_of(parameters.get(name, "")))
        tensors.append(Tensor(name, array.shape, dtypes[name], read, facts, same_as))
    return tensors


def _class_of(parameter: str) -> str | None:
    """Layer class of a parameter that Paddle named itself ("linear_0.w_0")."""
    match = re.fullmatch(r"(\w+?)_\d+\.[wb]_\d+", parameter)
    return match[1] if match else None


def _are_equal(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Whether two arrays have the same bytes."""
    return (one.shape, one.dtype) == (other.shape, other.dtype) and np.array_equal(
        one.view(f"V{one.dtype.itemsize}"), other.view(f"V{other.dtype.itemsize}")
    )


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "builtins.tuple": _tuple,
    "__builtin__.tuple": _tuple,
    "collections.OrderedDict": pickled_dict,
}


if __name__ == "__main__":
    sys.exit(main(open_model, __doc__ or "", add_arguments))
