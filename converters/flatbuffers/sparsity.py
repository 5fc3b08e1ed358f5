"""Sparse tensors of TensorFlow Lite: which numbers are stored, level by level."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from flatbuffers.tables import Table
from numpy.typing import NDArray

MAX_LEVELS = 16
INDICES = {1: "<i", 2: "<H", 3: "<B"}
"""Of the kinds of lists of places, the type of their integers."""


@dataclass(frozen=True)
class Level:
    """An axis, or a part of one, in the order in which numbers are stored.

    Parameters
    ----------
    size : of a dense level.
    segments, indices : of a sparse one, compressed sparse rows; None of a dense one.
    """

    size: int
    segments: NDArray[np.int64] | None
    indices: NDArray[np.int64]


@dataclass(frozen=True)
class Sparsity:
    """How a sparse tensor is stored.

    Parameters
    ----------
    order : axis of each level; those behind the tensor's own are axes within blocks.
    block_map : axis of the tensor that each axis within blocks is a part of.
    """

    order: Sequence[int]
    block_map: Sequence[int]
    levels: Sequence[Level]

    @property
    def size(self) -> int:
        """Count the integers of its lists."""
        lists = [level.segments for level in self.levels] + [level.indices for level in self.levels]
        return sum(part.size for part in lists if part is not None)


def read_sparsity(table: Table) -> Sparsity:
    """Read a tensor's sparsity; ValueError if it is damaged."""
    limit = len(table.data)
    order = table.numbers(0, "<i", MAX_LEVELS)
    block_map = table.numbers(1, "<i", MAX_LEVELS)
    if table.vector(2, 4)[1] != len(order):
        raise ValueError("its levels of sparsity do not fit")
    levels = []
    for level in table.tables(2):
        is_sparse = level.number(0, "<b") == 1
        segments, indices = (_integers(level, field, limit) for field in (2, 4))
        size = level.number(1, "<i")
        levels.append(Level(size, segments if is_sparse else None, indices))
    return Sparsity(order, block_map, levels)


def _integers(level: Table, field: int, limit: int) -> NDArray[np.int64]:
    kind, holder = level.number(field, "<B"), level.table(field + 1)
    if holder is None or kind not in INDICES:
        return np.empty(0, np.int64)
    return np.array(holder.numbers(0, INDICES[kind], limit), np.int64)


def densified(values: NDArray[Any], sparsity: Sparsity, shape: tuple[int, ...]) -> NDArray[Any]:
    """Whole array of a sparse tensor, zero where nothing is stored.

    Raises
    ------
    ValueError
        If the levels do not fit the shape or the number of values.
    """
    rank = len(shape)
    places: list[NDArray[np.int64]] = [np.zeros(1, np.int64)] * rank
    if sorted(sparsity.order) != list(range(rank + len(sparsity.block_map))):
        raise ValueError("its levels of sparsity are not its axes")
    rows = np.zeros(1, np.int64)
    for axis, level in zip(sparsity.order, sparsity.levels, strict=True):
        parents, found, rows = _spread(level, rows, prod(shape))
        places = [place[parents] for place in places]
        whole = axis if axis < rank else sparsity.block_map[axis - rank]
        if not 0 <= whole < rank or (axis >= rank and level.segments is not None):
            raise ValueError("its blocks do not fit")
        size = level.size if axis >= rank else 1
        places[whole] = places[whole] * size + found
    if len(rows) != values.size:
        raise ValueError(f"it has {values.size} numbers of {len(rows)}")
    for place, size in zip(places, shape, strict=True):
        if place.size and not 0 <= place.min() <= place.max() < size:
            raise ValueError("its numbers lie outside of it")
    dense = np.zeros(shape, values.dtype)
    dense[tuple(places)] = values
    return dense


def _spread(
    level: Level, rows: NDArray[np.int64], limit: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Of each entry of a level: where its parent is, its place along the axis, its number."""
    if level.segments is None:
        if level.size < 0 or len(rows) * level.size > limit:
            raise ValueError("its levels of sparsity are too large")
        parents = np.repeat(np.arange(len(rows)), level.size)
        found = np.tile(np.arange(level.size), len(rows))
        return parents, found, rows[parents] * level.size + found
    if rows.size and rows.max() + 1 >= len(level.segments):
        raise ValueError("its segments do not fit")
    starts, ends = level.segments[rows], level.segments[rows + 1]
    counts = ends - starts
    if counts.size and (counts.min() < 0 or starts.min() < 0 or ends.max() > len(level.indices)):
        raise ValueError("its segments do not fit")
    if counts.sum() > limit:
        raise ValueError("its levels of sparsity are too large")
    parents = np.repeat(np.arange(len(rows)), counts)
    before = np.cumsum(counts) - counts
    numbers = starts[parents] + np.arange(len(parents)) - before[parents]
    return parents, level.indices[numbers], numbers
