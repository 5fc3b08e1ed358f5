"""The "pack-quantized" form of compressed-tensors: integers of 1 to 8 bits in 32-bit words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.errors import shown
from htsr_ref.weights.packed.grid import Grid, StoredGrid, cells_of
from htsr_ref.weights.packed.int32_words import Layout, PackedZeros, fitting_layouts
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import damaged, member, read_scales, require_type
from htsr_ref.weights.packed.scaled import ScaledRows
from htsr_ref.weights.packed.scales import read_bytes, require_scales
from htsr_ref.weights.packed.settings import weight_arguments
from htsr_ref.weights.packed.shapes import whole_shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Matrix
    from htsr_ref.weights.packed.packed_module import PackedModule

_ALL_BITS = tuple(range(1, 9))


def read_compressed_tensors(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a weight, or a stack of them, of integers that are packed into 32-bit words.

    Parameters
    ----------
    module : `weight_packed` int32, `weight_scale`, `weight_shape`, and where there are any
        `weight_zero_point` and `weight_g_idx`.

    Returns
    -------
    One tensor, or none.

    Raises
    ------
    DamagedPackingError
        If the parts do not fit each other, or one is missing.
    NotUnderstoodError
        If the number of bits is not provable, or it is the sparse "marlin-24" form.

    Spec: PAK-8.
    """
    codes = module.tensors.get("weight_packed")
    if codes is None or codes.dtype != "int32":
        return ()
    if "scale_packed" in module.tensors or "meta" in module.tensors:
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} is packed for a kernel of sparse matrices (marlin-24)"
        )
    stack, matrix = _true_shape(codes, member(module, "weight_shape"))
    layout = _layout(module, codes, matrix)
    scale = member(module, "weight_scale")
    require_scales(scale)
    cells = cells_of(scale.shape, stack, matrix)
    if cells is None or cells[0] not in (1, matrix[0]) or not 1 <= cells[1] <= matrix[1]:
        raise damaged(scale, f"its shape {scale.shape} does not fit a weight of {matrix}")
    block, groups = _blocks(module, scale, cells, matrix)
    parts = {"weight_packed": "packed", "weight_shape": "packed", "weight_scale": "scale"}
    if groups is not None:
        parts["weight_g_idx"] = "packed"
    zero = _zero_points(module, layout, stack, matrix, cells)
    if zero is not None:
        parts["weight_zero_point"] = "zero point"
    rows = ScaledRows(
        codes,
        matrix,
        layout.unpack,
        (Grid(StoredGrid(scale, cells), block, groups),),
        None if zero is None else Grid(zero, block, groups),
        is_stack=stack is not None,
        unit=layout.codes_together,
        entries=layout.words(layout.codes_together),
    )
    return (
        PackedTensor(
            codes.name,
            f"int{layout.bits} (compressed-tensors)",
            whole_shape(stack, matrix),
            rows,
            parts,
            rows.unit,
        ),
    )


def _true_shape(codes: RawTensor, shape: RawTensor) -> tuple[int | None, Matrix]:
    require_type(shape, "int32", "int64")
    if shape.shape != (len(codes.shape),) or len(codes.shape) not in (2, 3):
        raise damaged(shape, f"its shape {shape.shape} is not that of a shape of {codes.shape}")
    try:
        sizes = [int(size) for size in read_bytes(shape, slice(None))]
    except OSError as error:
        raise damaged(shape, f"it cannot be read ({error})") from error
    if tuple(sizes[:-1]) != codes.shape[:-1] or min(sizes) < 1:
        raise damaged(shape, f"it says {tuple(sizes)}, but the codes have shape {codes.shape}")
    return (sizes[0] if len(sizes) == 3 else None), (sizes[-2], sizes[-1])


def _layout(module: PackedModule, codes: RawTensor, matrix: Matrix) -> Layout:
    """Find the layout that explains the number of words, and of those of packed zero points."""
    integers = [each for each in weight_arguments(module) if each.get("type", "int") == "int"]
    stated = [each.get("num_bits") for each in integers]
    bits = tuple(size for size in _ALL_BITS if size in stated) or _ALL_BITS
    found = fitting_layouts(codes.shape[-1], matrix[1], bits)
    points = module.tensors.get("weight_zero_point")
    if points is not None and points.dtype == "int32" and len(points.shape) > 1:
        found = tuple(each for each in found if each.words(matrix[0]) == points.shape[-2])
    if not found:
        raise damaged(
            codes,
            f"its shape {codes.shape} is not that of a weight of {matrix} in "
            f"{' or '.join(map(str, bits))} bits with these zero points",
        )
    if len(found) > 1:
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} could hold codes of "
            f"{' or '.join(str(each.bits) for each in found)} bits in different layouts"
        )
    return found[0]


def _blocks(
    module: PackedModule, scale: RawTensor, cells: Matrix, matrix: Matrix
) -> tuple[Matrix, NDArray[np.intp] | None]:
    """Size of the blocks, and the group of each column where they are out of order."""
    rows, columns = matrix
    if columns % cells[1]:
        raise damaged(scale, f"its {cells[1]} groups do not divide the {columns} columns")
    block = (rows // cells[0], columns // cells[1])
    order = module.tensors.get("weight_g_idx")
    if order is None or cells[1] == 1:
        return block, None
    require_type(order, "int32", "int64")
    if order.shape != (columns,):
        raise damaged(order, f"its shape is {order.shape}, not that of {columns} columns")
    try:
        groups = read_bytes(order, slice(None)).astype(np.intp)
    except OSError as error:
        raise damaged(order, f"it cannot be read ({error})") from error
    if (groups == -1).any():
        return block, None
    is_valid = groups.min() >= 0 and groups.max() < cells[1]
    if not is_valid or (np.bincount(groups, minlength=cells[1]) != block[1]).any():
        raise damaged(order, f"it does not put {block[1]} columns into each of {cells[1]} groups")
    return block, groups


def _zero_points(
    module: PackedModule, layout: Layout, stack: int | None, matrix: Matrix, cells: Matrix
) -> StoredGrid | PackedZeros | None:
    arguments = weight_arguments(module)
    points = module.tensors.get("weight_zero_point")
    if points is None:
        if arguments and all(found.get("symmetric") is False for found in arguments):
            member(module, "weight_zero_point")
        return None
    require_type(points, "int8", "int32")
    if points.dtype == "int8":
        if cells_of(points.shape, stack, matrix) != cells:
            raise damaged(points, f"its shape {points.shape} is not that of the scales")
        return StoredGrid(points, cells, read_scales)
    words = (layout.words(matrix[0]), cells[1])
    if cells[0] != matrix[0] or points.shape != whole_shape(stack, words):
        raise damaged(points, f"its shape is {points.shape}, not {whole_shape(stack, words)}")
    return PackedZeros(points, layout)
