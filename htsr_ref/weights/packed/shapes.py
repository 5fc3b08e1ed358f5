"""Shapes of codes and of their scales, checked against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.packed.grid import Grid, StoredGrid, cells_of, fits, proven_block
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.reading import damaged
from htsr_ref.weights.packed.scales import read_any_scales, require_scales

if TYPE_CHECKING:
    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Matrix, ReadPart


def stack_and_matrix(codes: RawTensor, codes_per_entry: int = 1) -> tuple[int | None, Matrix]:
    """Tell a stack's size (None for a single matrix) and the rows and columns of each matrix.

    Parameters
    ----------
    codes : (stack, rows, n) or (rows, n).
    codes_per_entry : how many columns one of the n stands for.

    Raises
    ------
    NotUnderstoodError
        If the codes have another number of axes.
    """
    if len(codes.shape) not in (2, 3):
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} holds packed numbers along {len(codes.shape)} axes; read "
            "are matrices and stacks of them"
        )
    *stack, rows, width = codes.shape
    return (stack[0] if stack else None), (rows, width * codes_per_entry)


def whole_shape(stack: int | None, matrix: Matrix) -> tuple[int, ...]:
    """Shape of a packed tensor: (stack, rows, columns), or (rows, columns) for a single one."""
    return matrix if stack is None else (stack, *matrix)


def scale_grid(
    scale: RawTensor, stack: int | None, matrix: Matrix, stated: tuple[Matrix, ...] = ()
) -> Grid:
    """Tell which blocks the scales hold for.

    Parameters
    ----------
    scale : the scales as stored.
    stack : how many matrices there are; None for a single one.
    matrix : rows and columns of each.
    stated : sizes of blocks that a config states.

    Raises
    ------
    DamagedPackingError
        If the scales fit no blocks of the matrix, or none of those stated.
    NotUnderstoodError
        If the blocks could be of more than one size.

    Spec: PAK-3.
    """
    require_scales(scale)
    cells = cells_of(scale.shape, stack, matrix)
    if cells is None or cells[0] > matrix[0] or cells[1] > matrix[1]:
        raise damaged(scale, f"its shape {scale.shape} does not fit a weight of {matrix}")
    fitting = {
        (min(height, matrix[0]), min(width, matrix[1]))
        for height, width in stated
        if fits(cells, matrix, (height, width))
    }
    proven = proven_block(cells, matrix)
    is_simple = cells[1] == 1 and cells[0] in (1, matrix[0])
    if len(fitting) == 1 and not is_simple:
        return Grid(StoredGrid(scale, cells), fitting.pop())
    if proven is not None and (is_simple or not stated):
        return Grid(StoredGrid(scale, cells), proven)
    if stated and not fitting:
        raise damaged(
            scale,
            f"its shape {scale.shape} does not fit a weight of {matrix} in blocks of "
            + " or ".join(map(str, stated)),
        )
    raise NotUnderstoodError(
        f"tensor {shown(scale.name)} of shape {scale.shape} does not tell the size of the blocks "
        f"of a weight of {matrix}, and no config states it"
    )


def grid_of_groups(
    numbers: RawTensor,
    stack: int | None,
    matrix: Matrix,
    group: int,
    read: ReadPart = read_any_scales,
) -> Grid:
    """Grid of one number for every `group` columns of a row.

    Raises
    ------
    DamagedPackingError
        If the numbers are not of this shape or the group does not divide the columns.
    """
    rows, columns = matrix
    cells = (rows, columns // group)
    if columns % group or numbers.shape != whole_shape(stack, cells):
        raise damaged(
            numbers,
            f"its shape {numbers.shape} is not one number for every {group} columns of a weight "
            f"of {whole_shape(stack, matrix)}",
        )
    return Grid(StoredGrid(numbers, cells, read), (1, group))


def one_number(
    numbers: RawTensor, stack: int | None, matrix: Matrix, read: ReadPart = read_any_scales
) -> Grid:
    """Grid of one number for all matrices, or of one for each of a stack.

    Raises
    ------
    DamagedPackingError
        If the tensor holds more numbers, or none that a scale can be.
    """
    require_scales(numbers)
    cells = cells_of(numbers.shape, stack, matrix)
    if cells != (1, 1):
        raise damaged(numbers, f"its shape is {numbers.shape}, not that of one number a matrix")
    return Grid(StoredGrid(numbers, (1, 1), read), matrix)
