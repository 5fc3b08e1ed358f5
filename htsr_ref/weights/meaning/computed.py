"""Weights that are not stored as themselves: packed ones, and those that others give."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from htsr_ref.weights.derived.adapters import adapters
from htsr_ref.weights.derived.parametrized import parametrized
from htsr_ref.weights.dtypes import PLAIN_FLOATS
from htsr_ref.weights.packed.float8 import block_of_others, with_block
from htsr_ref.weights.packed.packed_module import (
    DamagedPackingError,
    NotUnderstoodError,
    PackedModule,
)
from htsr_ref.weights.packed.schemes import unpack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.layer import LeftOutCode
    from htsr_ref.weights.meaning.model import Model
    from htsr_ref.weights.stored import ComputedTensor


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
    tensor: ComputedTensor | None = None
    left_out: str | None = None
    code: LeftOutCode = "left-out"


def computed_weights(model: Model) -> dict[str, Computed]:
    """Find the weights of a model that must be computed, and the tensors they are made of.

    Returns
    -------
    By the tensors' names. Tensors that are their own weights are not among them.

    Spec: PAK-1, DER-1.
    """
    return _packed_weights(model) | _derived_weights(model)


def _derived_weights(model: Model) -> dict[str, Computed]:
    """Weights that other tensors give, and the tensors they are made of."""
    found: dict[str, Computed] = {}
    for parts in chain(parametrized(model.tensors), adapters(model.tensors, model.settings)):
        if any(_is_stated(name, model) for name in parts.names):
            continue
        try:
            weight = parts.derive()
        except (NotUnderstoodError, DamagedPackingError) as error:
            refusal = Computed(parts.rule, parts.role, left_out=str(error), code=error.code)
            found |= dict.fromkeys(parts.names, refusal)
        else:
            rule = f"part of a weight ({weight.rule})"
            found |= {name: Computed(rule, role) for name, role in weight.parts.items()}
            found[weight.name] = Computed(weight.rule, tensor=weight)
    return found


def _packed_weights(model: Model) -> dict[str, Computed]:
    """Weights that are stored as codes, and the tensors that these consist of."""
    found: dict[str, Computed] = {}
    modules = [
        PackedModule(module, tensors, model.settings) for module, tensors in _candidates(model)
    ]
    block = block_of_others(modules)
    for packed in modules:
        names = {rest: tensor.name for rest, tensor in packed.tensors.items()}
        try:
            weights = unpack(packed if block is None else with_block(packed, block))
        except (NotUnderstoodError, DamagedPackingError) as error:
            # The bias of a packed weight is stored as itself.
            others = [name for rest, name in names.items() if rest != "bias"]
            reason = str(error)
            found |= dict.fromkeys(
                others, Computed(reason, "packed", left_out=reason, code=error.code)
            )
        else:
            for weight in weights:
                found |= {
                    names[rest]: Computed(f"part of {weight.dtype}", role)
                    for rest, role in weight.parts.items()
                }
                found[weight.name] = Computed(weight.dtype, tensor=weight)
    tied = {name: t.same_as for name, t in model.tensors.items() if t.same_as in found}
    return {name: _tied(found[kept], name) for name, kept in tied.items() if kept} | found


def _tied(computed: Computed, name: str) -> Computed:
    """Give what a tensor is to the one that is tied to it."""
    tensor = computed.tensor
    return computed if tensor is None else replace(computed, tensor=replace(tensor, name=name))


def _candidates(model: Model) -> list[tuple[str, Mapping[str, RawTensor]]]:
    """Modules that may be packed: each with its tensors by the rest of their names.

    Where a file states the scales, as of what PyTorch quantized, nothing is left to be found out.
    """
    modules: dict[str, dict[str, RawTensor]] = {}
    for name, tensor in model.tensors.items():
        stem = _stem(name, model)
        modules.setdefault(stem, {})[name[len(stem) :]] = tensor
    return [
        (stem[:-1], tensors)
        for stem, tensors in modules.items()
        if not all(tensor.same_as for tensor in tensors.values())
        and not any(_is_stated(tensor.name, model) for tensor in tensors.values())
        and any(tensor.dtype not in PLAIN_FLOATS for tensor in tensors.values())
    ]


def _stem(name: str, model: Model) -> str:
    """Name of a tensor's module, with its dot.

    "fc.weight.absmax" beside "fc.weight" belongs to "fc.", as does "fc.centroids.weight" beside
    "fc.indices".
    """
    of_codebook = name.removesuffix("centroids.weight")
    if of_codebook != name and f"{of_codebook}indices" in model.tensors:
        return of_codebook[: of_codebook.rfind(".") + 1]
    owners = (name.rsplit(".", levels)[0] for levels in (2, 1))
    owner = next((owner for owner in owners if owner in model.tensors), name)
    return owner[: owner.rfind(".") + 1]


def _is_stated(name: str, model: Model) -> bool:
    """Whether the file itself says what a tensor's numbers stand for."""
    facts = model.facts.get(name)
    return facts is not None and (facts.role is not None or facts.quantization is not None)
