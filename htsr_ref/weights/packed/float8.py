"""Float8 codes with one scale, one a row, or one a block."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.packed.grid import cells_of, fits, proven_block
from htsr_ref.weights.packed.methods import quantization_config
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import damaged
from htsr_ref.weights.packed.scaled import Plain, ScaledRows
from htsr_ref.weights.packed.scales import EXPONENTS
from htsr_ref.weights.packed.settings import is_modelopt, method, stated_blocks
from htsr_ref.weights.packed.shapes import scale_grid, stack_and_matrix, whole_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.grid import Matrix
    from htsr_ref.weights.packed.packed_module import PackedModule

_FLOAT8 = {"float8_e4m3fn": "float8 e4m3", "float8_e5m2": "float8 e5m2"}
_METHODS = frozenset({"fp8", "fbgemm_fp8", "compressed-tensors", "quark"})
"""Values of quant_method under which a float8 weight always has a scale; ModelOpt's as well."""


def read_float8(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read float8 weights, and stacks of them, that lie beside their scales.

    Parameters
    ----------
    module : weights e4m3 or e5m2; the scales are `NAME_scale_inv` or `NAME_scale`, and beside
        `weight` also `scale`, `scale_weight` or `qscale_weight`.

    Returns
    -------
    One tensor for each weight that has a scale.

    Raises
    ------
    DamagedPackingError
        If the scales do not fit the weight, or are missing though the config asks for them.
    NotUnderstoodError
        If there are two scales, or the size or the order of the blocks is not provable.

    Spec: PAK-5.
    """
    found = []
    for name, codes in module.tensors.items():
        if codes.dtype not in _FLOAT8:
            continue
        scale = scale_name(module, name)
        if scale is not None:
            found.append(_read(module, name, scale))
        elif name == "weight" and _needs_scale(module) and len(codes.shape) > 1:
            raise damaged(codes, "it has no scale, which the config says it has")
    return tuple(found)


def _needs_scale(module: PackedModule) -> bool:
    return method(module) in _METHODS or is_modelopt(module)


def scale_name(module: PackedModule, name: str) -> str | None:
    """Name of the tensor that holds a weight's scales; None if there is none.

    Raises
    ------
    NotUnderstoodError
        If there is more than one.
    """
    there = [candidate for candidate in _scale_names(name) if candidate in module.tensors]
    if len(there) > 1:
        raise NotUnderstoodError(
            f"module {shown(module.name)} has {' and '.join(there)}, and which one holds is not "
            "known"
        )
    return there[0] if there else None


def _scale_names(name: str) -> tuple[str, ...]:
    names = (f"{name}_scale_inv", f"{name}_scale")
    return (*names, "scale", "scale_weight", "qscale_weight") if name == "weight" else names


def _read(module: PackedModule, name: str, scale_name: str) -> PackedTensor:
    codes, scale = module.tensors[name], module.tensors[scale_name]
    stack, matrix = stack_and_matrix(codes)
    stated = stated_blocks(module)
    grid = scale_grid(scale, stack, matrix, stated)
    if not stated and scale_name == f"{name}_scale" and grid.block[0] == 1 < matrix[0]:
        _refuse_unknown_order(scale)
    rows = ScaledRows(codes, matrix, Plain(codes.dtype), (grid,), is_stack=stack is not None)
    return PackedTensor(
        codes.name,
        _FLOAT8[codes.dtype],
        whole_shape(stack, matrix),
        rows,
        {name: "packed", scale_name: "scale"},
    )


def _refuse_unknown_order(scale: RawTensor) -> None:
    """Refuse exponents of groups of columns that no config explains: ComfyUI permutes them."""
    if scale.dtype in EXPONENTS and scale.shape[-1] > 1:
        raise NotUnderstoodError(
            f"tensor {shown(scale.name)} holds scales of groups of columns, in an order that only "
            "a config could tell"
        )


def block_of_others(modules: Iterable[PackedModule]) -> Matrix | None:
    """Size of the blocks of a file's float8 weights, if those that prove it all prove the same.

    Spec: PAK-3.
    """
    grids = (grid for module in modules if not _states_blocks(module) for grid in _grids(module))
    proven = {proven_block(cells, matrix) for cells, matrix in grids} - {None}
    return proven.pop() if len(proven) == 1 else None


def with_block(module: PackedModule, block: Matrix) -> PackedModule:
    """State a size of blocks where a module's own shapes leave it open and these blocks fit.

    Spec: PAK-3.
    """
    grids = list(_grids(module))
    is_open = any(proven_block(cells, matrix) is None for cells, matrix in grids)
    if not is_open or _states_blocks(module) or not all(fits(*grid, block) for grid in grids):
        return module
    config = {**quantization_config(module), "weight_block_size": list(block)}
    return replace(module, settings={**module.settings, "quantization_config": config})


def _states_blocks(module: PackedModule) -> bool:
    """Whether a config states sizes of blocks, be they valid or not."""
    try:
        return bool(stated_blocks(module))
    except DamagedPackingError:
        return True


def _grids(module: PackedModule) -> Iterator[tuple[Matrix, Matrix]]:
    """Numbers of blocks along both axes, and the matrix, of float8 weights with several."""
    for name, codes in module.tensors.items():
        if codes.dtype not in _FLOAT8 or len(codes.shape) not in (2, 3):
            continue
        there = [scale for scale in _scale_names(name) if scale in module.tensors]
        stack, matrix = stack_and_matrix(codes)
        cells = cells_of(module.tensors[there[0]].shape, stack, matrix) if len(there) == 1 else None
        if cells is not None and min(cells) > 1:
            yield cells, matrix
