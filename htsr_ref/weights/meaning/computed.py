"""Weights that are not stored as themselves: packed ones, and those that others give."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from htsr_ref.weights.packed.packed_module import (
    DamagedPackingError,
    NotUnderstoodError,
    PackedModule,
)
from htsr_ref.weights.packed.schemes import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.meaning.model import Model
    from htsr_ref.weights.packed.packed_tensor import PackedTensor

PLAIN = ("float64", "float32", "float16", "bfloat16")
"""Types whose numbers are the weights, unless something beside them says otherwise."""
_PART_NAMES = (
    *("weight_orig", "weight_mask", "weight_g", "weight_v"),
    *("original", "original0", "original1"),
)


@dataclass(frozen=True)
class Computed:
    """What a tensor is in the computation of a weight.

    Parameters
    ----------
    rule : how the weight is computed, or why it is not.
    role : role of a part; None for the tensor that stands for the weight.
    tensor : the weight, where this tensor stands for it.
    left_out, code : why it is not analyzed.
    """

    rule: str
    role: str | None = None
    tensor: PackedTensor | None = None
    left_out: str | None = None
    code: Literal["left-out", "not-understood", "bad-data"] = "left-out"


def computed_weights(model: Model) -> dict[str, Computed]:
    """Find the weights of a model that must be computed, and the tensors they are made of.

    Returns
    -------
    By the tensors' names. Tensors that are their own weights are not among them.

    Spec: PAK-1.
    """
    found: dict[str, Computed] = {}
    for module, tensors in _candidates(model):
        packed = PackedModule(module, tensors, model.settings)
        names = {rest: tensor.name for rest, tensor in tensors.items()}
        try:
            weights = unpack(packed)
        except NotUnderstoodError as error:
            found |= _refused(tensors, str(error), "not-understood")
        except DamagedPackingError as error:
            found |= _refused(tensors, str(error), "bad-data")
        else:
            if not weights and (reason := _unreadable(tensors)):
                found |= _refused(tensors, reason, "not-understood")
            for weight in weights:
                found |= {
                    names[rest]: Computed(f"part of {weight.dtype}", role)
                    for rest, role in weight.parts.items()
                }
                found[weight.name] = Computed(weight.dtype, tensor=weight)
    return found


def _candidates(model: Model) -> list[tuple[str, Mapping[str, RawTensor]]]:
    """Modules that may be packed: each with its tensors by the rest of their names.

    Where a file states the scales, as of what PyTorch quantized, nothing is left to be found out.
    """
    modules: dict[str, dict[str, RawTensor]] = {}
    for name, tensor in model.tensors.items():
        stem = name[: name.rfind(".") + 1]
        if stem[:-1] in model.tensors:  # "fc.weight.absmax" belongs to fc
            stem = stem[: stem.rfind(".", 0, -1) + 1]
        modules.setdefault(stem, {})[name[len(stem) :]] = tensor
    return [
        (stem[:-1], tensors)
        for stem, tensors in modules.items()
        if not any(_is_stated(tensor.name, model) for tensor in tensors.values())
        and (
            any(tensor.dtype not in PLAIN for tensor in tensors.values())
            or not tensors.keys().isdisjoint(_PART_NAMES)
        )
    ]


def _is_stated(name: str, model: Model) -> bool:
    """Whether the file itself says what a tensor's numbers stand for."""
    facts = model.facts.get(name)
    return facts is not None and (facts.role is not None or facts.quantization is not None)


_COMPUTED = (
    ({"weight_orig", "weight_mask"}, "it is pruned by the mask beside it"),
    ({"weight_orig"}, "its parametrization is not known"),
    ({"original"}, "its parametrization is not known"),
    ({"weight_g", "weight_v"}, "it is under weight norm"),
    ({"original0", "original1"}, "it is under a parametrization of two parts"),
)
"""Names of parts whose weight must be computed."""


def _unreadable(tensors: Mapping[str, RawTensor]) -> str:
    """Why the weight of a module cannot be read though nothing claims it; "" if it can be."""
    for parts, reason in _COMPUTED:
        if parts <= tensors.keys():
            return f"{reason}. Save the weight itself"
    coded = [t for t in tensors.values() if t.dtype not in PLAIN and len(t.shape) > 1]
    scales = [
        rest
        for rest in tensors
        if re.search("scale|zero|absmax|scb|codebook", rest.lower())
        and not rest.lower().startswith(NOT_OF_WEIGHTS)
    ]
    if coded and scales:
        found = f"numbers of type {coded[0].dtype} with {scales[0]!r} beside them"
        return f"{found}: no packing that is known"
    return ""


NOT_OF_WEIGHTS = ("input", "output", "act", "q_", "k_", "v_")
"""How the names of scales begin that are those of inputs, outputs or a cache."""


def _refused(
    tensors: Mapping[str, RawTensor], reason: str, code: Literal["not-understood", "bad-data"]
) -> dict[str, Computed]:
    """Leave out all that belongs to a weight that cannot be computed, but its bias."""
    return {
        tensor.name: Computed(reason, "packed", left_out=reason, code=code)
        for rest, tensor in tensors.items()
        if rest != "bias"
    }
