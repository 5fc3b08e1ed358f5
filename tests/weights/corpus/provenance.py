"""Where the numbers of a saved tensor come from, whatever save_pretrained renames or moves.

Every element of the state dict is replaced by its own address before the model is saved, so that
the file itself says which tensor each saved one was, which rows of it, and in which order.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import load_file

BITS = 40


@dataclass(frozen=True)
class Origin:
    """A saved tensor is `source`, its axes in this order, between these bounds of each axis.

    source : name in the state dict.
    shape : shape there.
    order : for each saved axis, the axis of the source.
    bounds : for each axis of the source, the first index and the one past the last.
    """

    source: str
    shape: tuple[int, ...]
    order: tuple[int, ...]
    bounds: tuple[tuple[int, int], ...]


def addressed(state: dict[str, torch.Tensor]) -> tuple[dict[str, torch.Tensor], list[list[str]]]:
    """The state dict with addresses for values, and the names that share each tensor."""
    made: dict[tuple[int, tuple[int, ...]], torch.Tensor] = {}
    names: list[list[str]] = []
    places: dict[tuple[int, tuple[int, ...]], int] = {}
    coded = {}
    for name, tensor in state.items():
        key = (tensor.data_ptr(), tuple(tensor.shape))
        if key not in made:
            places[key] = len(names)
            names.append([])
            first = len(names) - 1 << BITS
            made[key] = torch.arange(first, first + tensor.numel()).reshape(tensor.shape)
        names[places[key]].append(name)
        coded[name] = made[key]
    return coded, names


def _axis(start: tuple[int, ...], end: tuple[int, ...]) -> int:
    moved = [axis for axis, (a, b) in enumerate(zip(start, end, strict=True)) if a != b]
    assert len(moved) == 1, "a saved axis runs along several axes of its source"
    return moved[0]


def _order(values: np.ndarray, shape: tuple[int, ...]) -> tuple[int, ...]:
    def at(index: tuple[int, ...]) -> tuple[int, ...]:
        return tuple(int(place) for place in np.unravel_index(int(values[index]), shape))

    zero = (0,) * values.ndim
    order: list[int | None] = []
    for axis, size in enumerate(values.shape):
        step = tuple(int(place == axis) for place in range(values.ndim))
        order.append(_axis(at(zero), at(step)) if size > 1 else None)
    left = [axis for axis in range(len(shape)) if axis not in order]
    if len(left) > order.count(None):
        left = [axis for axis in left if shape[axis] == 1] or left
    return tuple(left.pop(0) if axis is None else axis for axis in order)


def origin_of(
    saved: np.ndarray, names: list[list[str]], shapes: dict[str, tuple], name: str
) -> Origin:
    """Origin of one saved tensor of addresses; `name` chooses among tied tensors."""
    places = np.unique(saved >> BITS)
    assert len(places) == 1, f"{name} is made of several tensors"
    sources = names[int(places[0])]
    source = name if name in sources else sources[0]
    values = saved & (1 << BITS) - 1
    shape = shapes[source]
    order = _order(values, shape)
    indices = np.unravel_index(values.ravel(), shape) if shape else ()
    bounds = tuple((int(part.min()), int(part.max()) + 1) for part in indices)
    assert math.prod(b - a for a, b in bounds) == saved.size, f"{name} leaves out rows in between"
    return Origin(source, shape, order, bounds)


def origins(model: torch.nn.Module, folder: Path) -> dict[str, Origin]:
    """Origins of all tensors that `save_pretrained` writes; writes into `folder`."""
    state = model.state_dict()
    coded, names = addressed(state)
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    model.save_pretrained(folder, state_dict=coded)
    saved = load_file(folder / "model.safetensors")
    return {name: origin_of(values, names, shapes, name) for name, values in saved.items()}
