"""Packed weights that are recognized by the names of their tensors and not read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.errors import shown
from htsr_ref.weights.dtypes import PLAIN_FLOATS
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.settings import comfy_marker

if TYPE_CHECKING:
    from htsr_ref.weights.packed.packed_module import PackedModule

_OWN_LAYOUT = "its codes lie in the order of its kernel, which is not read"
_CODEBOOKS = "its codebooks are not read"
_ROTATED = "its weight is stored rotated"
_APART = "its packing is stated apart from its codes"
_SPLIT = "its weight is split into parts that are not put together"


@dataclass(frozen=True)
class Refusal:
    """A scheme that is not read.

    Parameters
    ----------
    scheme : its name.
    tensors : the tensors that only its modules have together.
    reason : why it is not read.
    """

    scheme: str
    tensors: frozenset[str]
    reason: str


def _refusal(scheme: str, tensors: str, reason: str) -> Refusal:
    return Refusal(scheme, frozenset(tensors.split()), reason)


REFUSED = (
    _refusal("EETQ", "weight weight_scales", _OWN_LAYOUT),
    _refusal("Marlin", "B s", _OWN_LAYOUT),
    _refusal("QQQ", "B s_channel", _OWN_LAYOUT),
    _refusal("Marlin 2:4", "B_24 B_meta", _OWN_LAYOUT),
    _refusal("AQLM", "codes codebooks", _CODEBOOKS),
    _refusal("VPTQ", "centroids indices", _CODEBOOKS),
    _refusal("VPTQ", "centroids.weight indices", _CODEBOOKS),
    _refusal("HIGGS", "tables tables2", _CODEBOOKS),
    _refusal("HIGGS", "weight scales tables", _CODEBOOKS),
    _refusal("QuIP#", "Qidxs", _CODEBOOKS),
    _refusal("QuIP#", "Qidxs_0", _CODEBOOKS),
    _refusal("QTIP or EXL3", "trellis", _CODEBOOKS),
    _refusal("EXL2", "q_weight", "its bits change from row to row"),
    _refusal("HQQ or SINQ", "W_q", _APART),
    _refusal("quanto", "weight._data weight._scale", _APART),
    _refusal("quanto", "_data _scale", _APART),
    _refusal("torchao", "_weight_qdata", _APART),
    _refusal("SVDQuant", "qweight wscales", _SPLIT),
    _refusal("SVDQuant", "weight weight_proj_down weight_proj_up", _SPLIT),
    _refusal("FP-Quant", "qweight forward_hadamard_matrix", _ROTATED),
    _refusal("SpQR", "dense_weights row_offsets", _SPLIT),
    _refusal("ParoQuant", "theta pairs channel_scales", _ROTATED),
    _refusal("swizzled NVFP4", "weight weight_sf", _OWN_LAYOUT),
    _refusal("ComfyUI's W4A8", "weight weight_s_rel weight_codebook", _CODEBOOKS),
    _refusal("sparse weights of compressed-tensors", "compressed bitmask", _SPLIT),
    _refusal("weights with scaled inputs", "weight pre_quant_scale", "its inputs are scaled too"),
)
"""By the names of tensors; the first that fits is named."""

_COMFY_READ = ("float8_e4m3fn", "float8_e5m2", "int8_tensorwise", "int8_blockwise")
_COMFY_SWIZZLED = ("mxfp8", "nvfp4")


def refuse_by_name(module: PackedModule) -> None:
    """Raise NotUnderstoodError if a module's tensors or markers are those of a scheme not read.

    Raises
    ------
    NotUnderstoodError
        With the scheme and the reason.
    DamagedPackingError
        If ComfyUI's marker is there and is no JSON.

    Spec: PAK-9.
    """
    for refusal in REFUSED:
        if refusal.tensors <= module.tensors.keys() and _has_codes(module, refusal):
            raise NotUnderstoodError(
                f"module {shown(module.name)} is packed by {refusal.scheme}: {refusal.reason}"
            )
    _refuse_comfy(module)


def _has_codes(module: PackedModule, refusal: Refusal) -> bool:
    """Whether one of the tensors holds anything but plain floats."""
    return any(module.tensors[name].dtype not in PLAIN_FLOATS for name in refusal.tensors)


def _refuse_comfy(module: PackedModule) -> None:
    marker = comfy_marker(module)
    if marker is None:
        return
    scheme = marker.get("format")
    if marker.get("convrot"):
        reason = _ROTATED
    elif isinstance(scheme, str) and scheme.startswith(_COMFY_SWIZZLED):
        reason = _OWN_LAYOUT
    elif isinstance(scheme, str) and scheme.startswith(_COMFY_READ):
        return
    else:
        reason = "it is not known"
    raise NotUnderstoodError(
        f"module {shown(module.name)} is packed by ComfyUI's {scheme!r}: {reason}"
    )
