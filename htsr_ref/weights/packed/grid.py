"""`Grid`: numbers that each hold for one block of a matrix, such as scales and zero points."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.weights.packed.scales import read_any_scales

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor

Matrix = tuple[int, int]
"""Rows and columns."""

GridRows = Callable[[int, slice], "NDArray[np.float64]"]
"""From the place in a stack and a slice of grid rows to their numbers, (rows, columns)."""

ReadPart = Callable[..., "NDArray[np.float64]"]
"""From a tensor and a slice for each of its axes to its numbers."""


@dataclass(frozen=True)
class StoredGrid:
    """Rows of a grid whose numbers are stored one by one.

    Parameters
    ----------
    tensor : (stack, grid rows, grid columns), with axes of length 1 left out or not, and without
        the axis `stack` for a single matrix or for numbers that all matrices share.
    cells : grid rows and columns.
    read : what reads and decodes a part of the tensor.
    """

    tensor: RawTensor
    cells: Matrix
    read: ReadPart = read_any_scales

    def __call__(self, place: int, rows: slice) -> NDArray[np.float64]:
        """Numbers of a slice of grid rows, (grid rows, grid columns)."""
        shape = self.tensor.shape
        if shape[-2:] == self.cells and len(shape) in (2, 3):
            ahead = (slice(place, place + 1),) * (len(shape) - 2)
            numbers = self.read(self.tensor, *ahead, rows, slice(None))
            return numbers.reshape(-1, self.cells[1])
        everything = self.read(self.tensor, *(slice(None) for _ in shape))
        stacked = everything.reshape(-1, *self.cells)
        found: NDArray[np.float64] = stacked[place if len(stacked) > 1 else 0, rows]
        return found


@dataclass(frozen=True)
class Grid:
    """Numbers of blocks: number (i // block rows, j // block columns) holds for entry (i, j).

    Parameters
    ----------
    rows : what reads rows of the grid.
    block : rows and columns of one block; the last blocks of the matrix are cut.
    groups : for each column of the matrix its column of the grid, where it is not j // block
        columns.

    Spec: PAK-3.
    """

    rows: GridRows
    block: Matrix
    groups: NDArray[np.intp] | None = None

    def over(self, place: int, rows: range, columns: slice) -> NDArray[np.float64]:
        """Numbers of some rows of the matrix, repeated along the columns.

        Parameters
        ----------
        place : place in the stack; 0 for a single matrix.
        rows : rows of the matrix.
        columns : columns of the matrix, with start and stop and the step 1.

        Returns
        -------
        float64, (rows, columns) or (rows, 1) if one number holds for a whole row.

        Raises
        ------
        LayerError
            If one of the numbers is not finite.
        """
        if not rows:
            return np.empty((0, 1))
        height, step = self.block
        first, last = rows[0] // height, rows[-1] // height
        found = self.rows(place, slice(first, last + 1))
        numbers: NDArray[np.float64] = found[np.asarray(rows) // height - first]
        if self.groups is not None:
            return np.take(numbers, self.groups[columns], 1)
        if numbers.shape[1] == 1:
            return numbers
        begin = columns.start // step
        spread = np.repeat(numbers[:, begin : -(-columns.stop // step)], step, axis=1)
        return spread[:, columns.start - begin * step : columns.stop - begin * step]


def fits(cells: Matrix, matrix: Matrix, block: Matrix) -> bool:
    """Whether blocks of this size cut a matrix into so many cells, the last ones ragged.

    >>> fits((5, 2), (576, 192), (128, 128)), fits((4, 2), (576, 192), (128, 128))
    (True, False)
    """
    return all(
        cell == -(-size // step) for cell, size, step in zip(cells, matrix, block, strict=True)
    )


def proven_block(cells: Matrix, matrix: Matrix) -> Matrix | None:
    """Tell the size of the blocks from the number of cells, if only one is sensible.

    Along each axis that is one block for all, one for each index, or blocks of a power of two
    that divides the matrix.

    >>> proven_block((2, 1), (256, 192)), proven_block((5, 2), (576, 192))
    ((128, 192), None)
    >>> proven_block((2, 1), (192, 192)) is None  # blocks of 96, or of 128 with the last one cut
    True
    """
    steps = [0, 0]
    for axis, (cell, size) in enumerate(zip(cells, matrix, strict=True)):
        if cell == 0 or size == 0 or size % cell:
            return None
        steps[axis] = size // cell
        if cell != 1 and steps[axis] & (steps[axis] - 1):
            return None
    return steps[0], steps[1]


def cells_of(shape: tuple[int, ...], stack: int | None, matrix: Matrix) -> Matrix | None:
    """Grid rows and columns of a stored shape; None if it is that of no grid.

    Parameters
    ----------
    shape : stored shape: one number or one a row without further axes, or a full grid; of a
        stack, one number for all or one of these for each.
    stack : how many matrices lie along the first axis; None for a single one.
    matrix : rows and columns of each.

    >>> cells_of((), None, (4, 6)), cells_of((1,), None, (4, 6)), cells_of((4,), None, (4, 6))
    ((1, 1), (1, 1), (4, 1))
    >>> cells_of((3, 4, 1), 3, (4, 6)), cells_of((3,), 3, (4, 6)), cells_of((5,), None, (4, 6))
    ((4, 1), (1, 1), None)
    """
    if stack is not None and shape not in ((), (1,)):
        if shape[0] != stack:
            return None
        shape = shape[1:]
    if shape in ((), (1,)):
        return 1, 1
    if len(shape) == 1:
        return (shape[0], 1) if shape[0] == matrix[0] else None
    return (shape[0], shape[1]) if len(shape) == 2 else None
