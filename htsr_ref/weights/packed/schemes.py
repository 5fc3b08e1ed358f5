"""All schemes of packed weights, and what a module's tensors are by them."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.dtypes import is_decoded, is_integer
from htsr_ref.weights.packed.awq import read_awq
from htsr_ref.weights.packed.bitnet import read_bitnet
from htsr_ref.weights.packed.bitsandbytes import read_bitsandbytes
from htsr_ref.weights.packed.compressed_tensors import read_compressed_tensors
from htsr_ref.weights.packed.float8 import read_float8
from htsr_ref.weights.packed.gptq import read_gptq
from htsr_ref.weights.packed.int8 import read_int8
from htsr_ref.weights.packed.mlx import read_mlx
from htsr_ref.weights.packed.mxfp4 import read_mxfp4
from htsr_ref.weights.packed.nvfp4 import read_nvfp4
from htsr_ref.weights.packed.packed_module import NotUnderstoodError, PackedModule
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.refused import refuse_by_name

if TYPE_CHECKING:
    from htsr_ref.weights.container import RawTensor

ReadScheme = Callable[[PackedModule], tuple[PackedTensor, ...]]

SCHEMES: tuple[ReadScheme, ...] = (
    read_compressed_tensors,
    read_nvfp4,
    read_mxfp4,
    read_float8,
    read_int8,
    read_gptq,
    read_awq,
    read_mlx,
    read_bitnet,
    read_bitsandbytes,
)
"""Of every module at most one scheme finds tensors."""

_CODES = frozenset({"int8", "uint8", "int16", "uint16", "int32", "uint32"})
_NARROW_FLOATS = ("float4", "float6", "float8")
_MARKS = ("scale", "zero", "absmax", "codebook", "quant", "scb")
_WEIGHT_CODES = re.compile(
    r"((q|packed_|quantized_)?weight|(weight|w)_?(q|packed|codes?|u?int\d*|q?data|quantized)|"
    r"qzeros)"
)
"""Names of codes that have no other meaning, whatever their scales are called."""
_TO_WEIGHT = re.compile(r"q?weight.*$", re.DOTALL)
_OF_OTHERS = ("input", "output", "act", "q_", "k_", "v_")
"""How the names of scales begin that are those of inputs, outputs or a cache."""


def unpack(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Find the packed weights of a module.

    Parameters
    ----------
    module : its tensors and what the model's files say about them.

    Returns
    -------
    The packed weights; none if the module has no packed tensors.

    Raises
    ------
    NotUnderstoodError
        If there are packed tensors that no scheme reads.
    DamagedPackingError
        If the tensors of a scheme contradict each other.

    Spec: PAK-9, PAK-13.
    """
    refuse_by_name(module)
    for read in SCHEMES:
        found = read(module)
        if found:
            return found
    for name, tensor in module.tensors.items():
        if _looks_packed(module, name, tensor):
            raise NotUnderstoodError(
                f"tensor {shown(tensor.name)} holds {tensor.dtype} numbers beside scales, in a way "
                "that is not known"
            )
    return ()


def _looks_packed(module: PackedModule, name: str, tensor: RawTensor) -> bool:
    """Whether a tensor of at least two axes holds codes that another tensor explains.

    It belongs to the tensors whose names begin as its own does, up to "weight". Beside what is by
    its name the codes of a weight, any matrix of floats may be scales.
    """
    is_code = tensor.dtype in _CODES or tensor.dtype.startswith(_NARROW_FLOATS)
    if len(tensor.shape) < 2 or not is_code:
        return False
    if _WEIGHT_CODES.fullmatch(name.lower()) and any(
        other != "bias"
        and len(found.shape) > 1
        and is_decoded(found.dtype)
        and not is_integer(found.dtype)
        for other, found in module.tensors.items()
        if other != name
    ):
        return True
    beginning = _TO_WEIGHT.sub("", name).rstrip("._")
    others = (other for other in module.tensors if other != name and other.startswith(beginning))
    return any(
        mark in other.lower()
        for other in others
        if not other.lower().startswith(_OF_OTHERS)
        for mark in _MARKS
    )
