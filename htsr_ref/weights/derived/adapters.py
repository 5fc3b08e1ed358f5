"""Adapters: which factors belong together, by the names that PEFT, kohya and diffusers give."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.derived.adapter_config import lora_settings
from htsr_ref.weights.derived.low_rank import LowRank, low_rank
from htsr_ref.weights.derived.parts import Parts
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.derived.derived_tensor import DerivedTensor

PEFT_PREFIX = "base_model.model."
"""What PEFT puts before the names of a model's modules."""

_PEFT = re.compile(
    r"(?P<module>.+)\.lora_(?P<kind>embedding_)?(?P<side>[AB])"
    r"(\.(?P<adapter>(?!weight$|bias$)[^.]+))?(\.weight)?",
    re.DOTALL,
)
_KOHYA = re.compile(r"(?P<module>.+)[._]lora[._](?P<side>down|up)\.weight", re.DOTALL)
_OTHER = re.compile(
    r"(?P<module>.+?)\.(?P<what>(lora|hada|lokr|ia3|oft|boft|vera|dora)_\w+(\..*)?)", re.DOTALL
)
_SIDES = {"A": "down", "B": "up", "down": "down", "up": "up"}
_MERGE = "Merge the adapter into its model, and analyze that"


@dataclass
class _Module:
    """What is stored of the adapter of one module."""

    factors: dict[str, RawTensor] = field(default_factory=dict)
    others: dict[str, RawTensor] = field(default_factory=dict)
    is_embedding: bool = False
    is_peft: bool = False


def adapters(
    tensors: Mapping[str, RawTensor], settings: Mapping[str, Mapping[str, Any]]
) -> Iterator[Parts]:
    """Find the factors of adapters.

    Parameters
    ----------
    tensors : of a model, by name.
    settings : what its files say; "adapter_config" is that of PEFT.

    Spec: DER-6, DER-8.
    """
    modules: dict[tuple[str, str], _Module] = {}
    others = []
    for name, tensor in tensors.items():
        match = _PEFT.fullmatch(name) or _KOHYA.fullmatch(name)
        if match is None:
            others.append(name)
            continue
        found = match.groupdict()
        module = modules.setdefault((found["module"], found.get("adapter") or ""), _Module())
        module.factors[_SIDES[found["side"]]] = tensor
        module.is_embedding |= found.get("kind") is not None
        module.is_peft |= "kind" in found
    keys = {key[0]: key for key in modules}
    for name in others:
        if (match := _OTHER.fullmatch(name)) is not None:
            key = keys.setdefault(match["module"], (match["module"], ""))
            modules.setdefault(key, _Module()).others[match["what"]] = tensors[name]
    config = settings.get("adapter_config")
    for (name, _), module in modules.items():
        alpha = tensors.get(f"{name}.alpha") if module.factors else None
        stored = [*module.factors.values(), *module.others.values()]
        names = tuple(t.name for t in stored) + (() if alpha is None else (alpha.name,))
        derive = partial(_derive, name, module, alpha, config)
        yield Parts(names, derive, "adapter", "factor of an adapter")


def _derive(
    name: str, module: _Module, alpha: RawTensor | None, config: Mapping[str, Any] | None
) -> DerivedTensor:
    """Put the weight of one module's adapter together."""
    if module.others:
        raise NotUnderstoodError(
            f"it belongs to an adapter with {next(iter(module.others))!r}, which is not read. "
            f"{_MERGE}"
        )
    if module.factors.keys() != {"down", "up"}:
        raise DamagedPackingError("the other factor is not stored. Save or download it again")
    down, up = module.factors["down"], module.factors["up"]
    rank = max(down.shape[0], 1) if down.shape else 1
    if alpha is not None:
        scale = 1 / rank
    elif config is not None:
        scale = lora_settings(config).scale(name.removeprefix(PEFT_PREFIX), rank)
    elif module.is_peft:
        raise NotUnderstoodError(
            "its scale is not known: no adapter_config.json is beside it and no alpha stored"
        )
    else:
        scale = 1.0
    product = LowRank(down, up, scale, alpha, module.is_embedding)
    return low_rank(f"{name.removeprefix('lora_')}.weight", product)
