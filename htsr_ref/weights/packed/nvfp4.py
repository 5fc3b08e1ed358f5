"""NVFP4: four-bit floats with a float8 scale for every 16 columns and one for the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import member, require_type
from htsr_ref.weights.packed.scaled import ScaledRows, fp4_pairs
from htsr_ref.weights.packed.scales import read_any_scales, read_divisors
from htsr_ref.weights.packed.settings import is_modelopt
from htsr_ref.weights.packed.shapes import (
    grid_of_groups,
    one_number,
    stack_and_matrix,
    whole_shape,
)

if TYPE_CHECKING:
    from htsr_ref.weights.packed.packed_module import PackedModule

_GROUP = 16


def read_nvfp4(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read an NVFP4 weight, or a stack of them.

    Parameters
    ----------
    module : `weight` uint8, `weight_scale` e4m3 and `weight_scale_2` (ModelOpt, which the config
        must name), or `weight_packed`, `weight_scale` and `weight_global_scale`
        (compressed-tensors).

    Returns
    -------
    One tensor, or none.

    Raises
    ------
    DamagedPackingError
        If codes and scales do not fit each other, or one is missing.
    NotUnderstoodError
        If the order of the scales is not known, or there are zero points.

    Spec: PAK-11, PAK-12.
    """
    if _is_compressed(module):
        return (_packed(module, "weight_packed", "weight_global_scale"),)
    codes = module.tensors.get("weight")
    if codes is None or codes.dtype != "uint8" or "weight_scale_2" not in module.tensors:
        return ()
    if not is_modelopt(module):
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} is NVFP4; ModelOpt and ComfyUI store its scales in "
            "different orders, and no config says which it is. Put hf_quant_config.json beside "
            "the weights"
        )
    if member(module, "weight_scale").dtype != "float8_e4m3fn":
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} holds bytes with two scales, but not those of NVFP4"
        )
    return (_packed(module, "weight", "weight_scale_2"),)


def _is_compressed(module: PackedModule) -> bool:
    codes, scales = module.tensors.get("weight_packed"), module.tensors.get("weight_scale")
    if codes is None or codes.dtype != "uint8":
        return False
    is_float8 = scales is not None and scales.dtype == "float8_e4m3fn"
    return is_float8 or "weight_global_scale" in module.tensors


def _packed(module: PackedModule, codes_name: str, whole_name: str) -> PackedTensor:
    codes, scales = module.tensors[codes_name], member(module, "weight_scale")
    require_type(scales, "float8_e4m3fn")
    if "weight_zero_point" in module.tensors:
        raise NotUnderstoodError(
            f"tensor {shown(codes.name)} holds four-bit floats with zero points"
        )
    stack, matrix = stack_and_matrix(codes, 2)
    blocks = grid_of_groups(scales, stack, matrix, _GROUP)
    is_divisor = whole_name == "weight_global_scale"
    read = read_divisors if is_divisor else read_any_scales
    whole = one_number(member(module, whole_name), stack, matrix, read)
    rows = ScaledRows(
        codes,
        matrix,
        fp4_pairs,
        (blocks,) if is_divisor else (blocks, whole),
        divisor=whole if is_divisor else None,
        is_stack=stack is not None,
        unit=2,
    )
    return PackedTensor(
        codes.name,
        "NVFP4",
        whole_shape(stack, matrix),
        rows,
        {codes_name: "packed", "weight_scale": "scale", whole_name: "scale"},
        rows.unit,
    )
