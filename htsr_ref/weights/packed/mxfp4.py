"""MXFP4 and its kin: four-bit floats with one scale for every 32 columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.packed.float8 import scale_name
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import damaged, member, require_shape, require_type
from htsr_ref.weights.packed.scaled import ScaledRows, fp4_pairs
from htsr_ref.weights.packed.scales import EXPONENTS, require_scales
from htsr_ref.weights.packed.settings import method
from htsr_ref.weights.packed.shapes import grid_of_groups, stack_and_matrix, whole_shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Matrix
    from htsr_ref.weights.packed.packed_module import PackedModule

_GROUP = 32
_BLOCK_BYTES = 16


def read_mxfp4(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read MXFP4 weights, and stacks of them.

    Parameters
    ----------
    module : blocks and scales as transformers writes them (`NAME_blocks`, `NAME_scales`) or as
        gpt-oss does (`NAME.blocks`, `NAME.scales`), both uint8; or `weight_packed` beside a
        `weight_scale` of exponents (compressed-tensors); or int8 weights beside
        `NAME_scale_inv` or, with exponents, `scale`.

    Returns
    -------
    One tensor for each weight.

    Raises
    ------
    DamagedPackingError
        If blocks and scales do not fit each other.
    NotUnderstoodError
        If the bytes hold something else, such as six-bit floats.

    Spec: PAK-4, PAK-6, PAK-10.
    """
    return (*_blocks(module), *_compressed(module), *_int8_pairs(module))


def _blocks(module: PackedModule) -> Iterator[PackedTensor]:
    for name, blocks in module.tensors.items():
        stem = name.removesuffix("blocks")
        if stem == name or stem[-1:] not in ("", "_", ".") or blocks.dtype != "uint8":
            continue
        scales = member(module, f"{stem}scales")
        require_type(scales, *EXPONENTS)
        if len(blocks.shape) not in (3, 4) or blocks.shape[-1] != _BLOCK_BYTES:
            raise damaged(blocks, f"its shape is {blocks.shape}, not that of blocks of 16 bytes")
        require_shape(scales, *blocks.shape[:-1])
        *stack, rows, groups, _ = blocks.shape
        yield _packed(
            name,
            f"{stem}scales",
            module,
            stack[0] if stack else None,
            (rows, groups * _GROUP),
        )


def _compressed(module: PackedModule) -> Iterator[PackedTensor]:
    codes, scales = module.tensors.get("weight_packed"), module.tensors.get("weight_scale")
    if codes is None or codes.dtype != "uint8" or scales is None or scales.dtype not in EXPONENTS:
        return
    if "weight_zero_point" in module.tensors:
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} holds four-bit floats with zero points"
        )
    if codes.shape[-1:] == (24 * scales.shape[-1] if scales.shape else 0,):
        raise NotUnderstoodError(f"tensor {shown(codes.name)} holds six-bit floats (MXFP6)")
    stack, matrix = stack_and_matrix(codes, 2)
    yield _packed("weight_packed", "weight_scale", module, stack, matrix)


def _int8_pairs(module: PackedModule) -> Iterator[PackedTensor]:
    for name, codes in module.tensors.items():
        scale = scale_name(module, name) if codes.dtype == "int8" else None
        if scale is None or "int8" in method(module):
            continue
        scales = module.tensors[scale]
        if scale == f"{name}_scale_inv" or (scale == "scale" and scales.dtype in EXPONENTS):
            require_scales(scales)
            stack, matrix = stack_and_matrix(codes, 2)
            if not _is_one_for_32(scales, stack, matrix):
                raise NotUnderstoodError(
                    f"tensor {shown(codes.name)} holds bytes with scales of shape {scales.shape}, "
                    "which are not those of four-bit floats, and no config says what they are"
                )
            yield _packed(name, scale, module, stack, matrix)


def _is_one_for_32(scales: RawTensor, stack: int | None, matrix: Matrix) -> bool:
    rows, columns = matrix
    cells = (rows, columns // _GROUP)
    return columns % _GROUP == 0 and scales.shape == whole_shape(stack, cells)


def _packed(
    codes_name: str, scale_name: str, module: PackedModule, stack: int | None, matrix: Matrix
) -> PackedTensor:
    codes, scales = module.tensors[codes_name], module.tensors[scale_name]
    grid = grid_of_groups(scales, stack, matrix, _GROUP)
    unit = _GROUP if len(codes.shape) - (stack is not None) == 3 else 2
    rows = ScaledRows(codes, matrix, fp4_pairs, (grid,), is_stack=stack is not None, unit=unit)
    return PackedTensor(
        codes.name,
        "MXFP4" if scales.dtype in EXPONENTS else "float4 e2m1",
        whole_shape(stack, matrix),
        rows,
        {codes_name: "packed", scale_name: "scale"},
        unit,
    )
