"""Which of the tensors in a checkpoint are the model's weights."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from common.errors import ConversionError, shown
from common.names import NameBudget, width
from pickles.arrays import PickledArray
from pickles.machine import Record
from pickles.torch import Unsupported, View

MAX_VALUES = 2_000_000
MAX_WRAPPERS = 8
MAX_DEPTH = 64
OPTIMIZER = "optimizer state"
USUAL = ("state_dict", "model_state_dict", "model_state", "model", "module", "network", "net")
"""Keys that hold a model, the first first."""
_OPTIMIZER = re.compile(r"(\w*_)?(optim(izer)?s?|optimizer_states?|optim\w*_state_dict)(_\w*)?")

Leaf = View | Unsupported | PickledArray


@dataclass(frozen=True)
class StateDict:
    """The model's tensors by name, what else there was, and what the user should know."""

    tensors: Mapping[str, Leaf]
    dropped: Mapping[str, int]
    notes: tuple[str, ...]


def state_dict(value: Any, key: str | None) -> StateDict:
    """Find the weights in what a checkpoint holds.

    With a key, they are what lies there. Without, they are under the first of `USUAL` that is
    there, and so on within; where none is, they are all tensors. What an optimizer holds is
    dropped, and the prefixes that wrappers put before names are taken off. Either way the other
    tensors are counted.

    Parameters
    ----------
    value : what the pickle holds.
    key : where the weights are, with dots between keys.

    Raises
    ------
    ConversionError
        If the key is not there, or the checkpoint is too large or too deep.
    """
    notes: list[str] = []
    dropped: Counter[str] = Counter()
    if key is not None:
        value, others = _at(value, key)
        dropped += _counted(others)
    else:
        _count(value)  # at once, so that no part of it can be too large again and again
        for _ in range(MAX_WRAPPERS):
            if not isinstance(value, dict):
                break
            found = next((name for name in USUAL if _count(value.get(name))), None)
            if found is None:
                break
            others = {name: other for name, other in value.items() if name != found}
            dropped += _counted(others)
            for name, other in others.items():
                if count := _count({name: other}):
                    label = shown(str(name))
                    notes.append(
                        f"took {found!r} ({_count(value[found])} tensors); {label!r} has "
                        f"{count} more: --key {label}"
                    )
            value = value[found]
    tensors: dict[str, Leaf] = {}
    for path, leaf, is_optimizers in leaves(value):
        if is_optimizers:
            dropped[OPTIMIZER] += 1
        elif ".".join(path) in tensors:
            raise ConversionError("two tensors have this name", "Choose with --key", ".".join(path))
        else:
            tensors[".".join(path)] = leaf
    return StateDict(_unpacked(_without_wrappers(tensors)), dropped, tuple(notes))


def _at(value: Any, key: str) -> tuple[Any, dict[str, Any]]:
    """Find what lies under a key, and what lies beside the way there, each by its own key."""
    others: dict[str, Any] = {}
    above = ""
    for part in key.split("."):
        if isinstance(value, Record) and isinstance(value.state, dict):
            value = value.state
        if not isinstance(value, dict) or part not in value:
            there = (
                ", ".join(map(repr, islice(value, 20))) if isinstance(value, dict) else "nothing"
            )
            raise ConversionError(f"there is no {part!r}, but {there[:200]}", "Choose with --key")
        others |= {f"{above}{name}": other for name, other in value.items() if name != part}
        above += f"{part}."
        value = value[part]
    return value, others


def _counted(others: dict[Any, Any]) -> Counter[str]:
    """Count the tensors that are left out, by the key that they are under."""
    try:
        return Counter(
            OPTIMIZER if is_optimizers else f"tensor of {shown(path[0])!r}"
            for path, _, is_optimizers in leaves(others)
        )
    except ConversionError:  # to choose a key is the cure for that
        return Counter({"part too large or too deep to be counted": 1})


def _count(value: Any) -> int:
    return sum(not is_optimizers for _, _, is_optimizers in leaves(value)) if _is_tree(value) else 0


def _is_tree(value: Any) -> bool:
    return isinstance(value, dict | list | tuple | Record)


def _is_optimizer(name: Any, value: Any) -> bool:
    """Whether this is an optimizer's state: by its form or its name."""
    is_its_form = isinstance(value, dict) and {"state", "param_groups"} <= value.keys()
    return is_its_form or (isinstance(name, str) and _OPTIMIZER.fullmatch(name) is not None)


def leaves(value: Any) -> Iterator[tuple[tuple[str, ...], Leaf, bool]]:
    """Tensors with their paths, and whether they are an optimizer's, in the order of the file."""
    waiting: list[tuple[tuple[str, ...], Any, bool]] = [((), value, False)]
    seen = 0
    names = NameBudget()
    while waiting:
        path, value, is_optimizers = waiting.pop()
        if isinstance(value, Leaf):
            names.spend(sum(map(width, path)))
            yield path, value, is_optimizers
            continue
        if isinstance(value, Record):
            value = value.state
        if isinstance(value, dict):
            items = list(value.items())
        elif isinstance(value, list | tuple):
            items = list(enumerate(value))
        else:
            continue
        # A list that is stored once may lie in many places.
        seen += 1 + len(items)
        if seen > MAX_VALUES:
            raise ConversionError(f"it holds more than {MAX_VALUES} values", "Choose with --key")
        if len(path) == MAX_DEPTH:
            raise ConversionError(f"it is nested deeper than {MAX_DEPTH}", "Choose with --key")
        waiting += [
            ((*path, str(name)), item, is_optimizers or _is_optimizer(name, item))
            for name, item in reversed(items)
            if _is_tree(item) or isinstance(item, Leaf)
        ]


def _without_wrappers(tensors: Mapping[str, Leaf]) -> Mapping[str, Leaf]:
    """Take off the names that torch.compile and DataParallel add."""
    named = {name.replace("_orig_mod.", ""): leaf for name, leaf in tensors.items()}
    while named and all(name.startswith("module.") for name in named):
        named = {name.removeprefix("module."): leaf for name, leaf in named.items()}
    return named if len(named) == len(tensors) else tensors


def _unpacked(tensors: Mapping[str, Leaf]) -> Mapping[str, Leaf]:
    """Give the pair that a quantized layer packs the names that it has in a plain layer."""
    pair = re.compile(r"\b_packed_params\._packed_params\.([01])$")
    named = {
        pair.sub(lambda found: ("weight", "bias")[int(found[1])], name): leaf
        for name, leaf in tensors.items()
    }
    return named if len(named) == len(tensors) else tensors
