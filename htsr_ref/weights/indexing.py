"""NumPy's basic indexing, taken apart: what to read, and what to do with it afterwards."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import numpy as np

_ALL = slice(None)


@dataclass(frozen=True)
class Selection:
    """An index along one axis: what to read forwards, and what to do with the part read."""

    forward: slice
    rest: int | slice


def _expanded(index: Any, ndim: int) -> list[Any]:
    entries = list(index) if isinstance(index, tuple) else [index]
    ellipses = [at for at, entry in enumerate(entries) if entry is Ellipsis]
    if len(ellipses) > 1:
        raise IndexError("an index can have only one Ellipsis")
    given = len(entries) - len(ellipses)
    if given > ndim:
        raise IndexError(f"{given} indices for a tensor of {ndim} axes")
    at = ellipses[0] if ellipses else len(entries)
    return entries[:at] + [slice(None)] * (ndim - given) + entries[at + len(ellipses) :]


def _selection(entry: Any, size: int) -> Selection:
    if not isinstance(entry, slice):
        if isinstance(entry, bool | np.bool_):
            raise TypeError("a tensor is indexed with integers and slices, not with truth values")
        position = operator.index(entry)
        if not -size <= position < size:
            raise IndexError(f"index {position} is out of bounds for an axis of size {size}")
        position %= size
        return Selection(slice(position, position + 1, 1), 0)
    chosen = range(size)[entry]
    if chosen.step > 0:
        return Selection(slice(chosen.start, max(chosen.stop, chosen.start), chosen.step), _ALL)
    if not chosen:
        return Selection(slice(0, 0, 1), _ALL)
    return Selection(slice(chosen[-1], chosen[0] + 1, -chosen.step), slice(None, None, -1))


def selections(index: Any, shape: tuple[int, ...]) -> list[Selection]:
    """Tell what an index selects along each axis.

    Raises
    ------
    IndexError, TypeError
        As NumPy raises them for a bad index.

    >>> [chosen.forward for chosen in selections((0, slice(None, None, -1)), (2, 3))]
    [slice(0, 1, 1), slice(0, 3, 1)]
    """
    return [
        _selection(entry, size)
        for entry, size in zip(_expanded(index, len(shape)), shape, strict=True)
    ]
