"""Int8 codes with one scale, one a row, one a group or one a block."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.packed.float8 import scale_name
from htsr_ref.weights.packed.grid import Grid, StoredGrid, cells_of
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import damaged, member, read_scales, require_type
from htsr_ref.weights.packed.scaled import Plain, ScaledRows
from htsr_ref.weights.packed.scales import EXPONENTS
from htsr_ref.weights.packed.settings import comfy_marker, method, stated_blocks, weight_arguments
from htsr_ref.weights.packed.shapes import scale_grid, stack_and_matrix, whole_shape

if TYPE_CHECKING:
    from htsr_ref.weights.packed.grid import Matrix
    from htsr_ref.weights.packed.packed_module import PackedModule


def read_int8(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read int8 weights, and stacks of them, that lie beside their scales.

    Parameters
    ----------
    module : weights int8 beside `NAME_scale`, or beside `NAME_scale_inv` if quant_method says
        int8 (else such bytes are two four-bit floats each); `NAME_zero_point` int8 where there
        is one.

    Returns
    -------
    One tensor for each weight that has a scale.

    Raises
    ------
    DamagedPackingError
        If scales or zero points do not fit the weight, or a zero point is missing.
    NotUnderstoodError
        If the size of the blocks is not provable, or the columns are in another order.

    Spec: PAK-7.
    """
    found = []
    for name, codes in module.tensors.items():
        if codes.dtype != "int8" or name.endswith("_zero_point") or "SCB" in module.tensors:
            continue
        scale = scale_name(module, name)
        if scale is not None and _is_int8(module, name, scale):
            found.append(_read(module, name, scale))
    return tuple(found)


def _is_int8(module: PackedModule, name: str, scale: str) -> bool:
    if module.tensors[scale].dtype in EXPONENTS or scale == "scale":
        return False
    return scale != f"{name}_scale_inv" or "int8" in method(module)


def _read(module: PackedModule, name: str, scale_name: str) -> PackedTensor:
    codes, scale = module.tensors[name], module.tensors[scale_name]
    if f"{name}_g_idx" in module.tensors:
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} holds int8 codes whose groups are out of order, which no "
            "library is known to write"
        )
    stack, matrix = stack_and_matrix(codes)
    grid = scale_grid(scale, stack, matrix, stated_blocks(module) or _comfy_block(module))
    parts = {name: "packed", scale_name: "scale"}
    zero = None
    if _has_zero_points(module, name):
        zero_name = f"{name}_zero_point"
        points = member(module, zero_name)
        require_type(points, "int8", "int16", "int32", "int64")
        cells = cells_of(scale.shape, stack, matrix)
        if cells is None or cells_of(points.shape, stack, matrix) != cells:
            raise damaged(points, f"its shape {points.shape} is not that of the scales")
        zero = Grid(StoredGrid(points, cells, read_scales), grid.block)
        parts[zero_name] = "zero point"
    rows = ScaledRows(codes, matrix, Plain("int8"), (grid,), zero, is_stack=stack is not None)
    return PackedTensor(codes.name, "int8", whole_shape(stack, matrix), rows, parts)


def _has_zero_points(module: PackedModule, name: str) -> bool:
    """Whether there are zero points, or all groups of the config say that there must be."""
    arguments = weight_arguments(module)
    asymmetric = [found.get("symmetric") is False for found in arguments]
    return f"{name}_zero_point" in module.tensors or (bool(asymmetric) and all(asymmetric))


def _comfy_block(module: PackedModule) -> tuple[Matrix, ...]:
    """Size of the blocks that ComfyUI's marker states."""
    size = (comfy_marker(module) or {}).get("group_size")
    return ((size, size),) if isinstance(size, int) and size > 0 else ()
