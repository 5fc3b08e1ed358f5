"""Which method packed a model, and its settings one by one, without believing their types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.packed.packed_module import PackedModule


def quantization_config(module: PackedModule) -> Mapping[str, Any]:
    """Return the model's quantization_config; an empty one if there is none."""
    found = module.settings.get("quantization_config")
    return found if isinstance(found, dict) else {}


def text(settings: Mapping[str, Any], key: str) -> str | None:
    """Return a setting in lower case; None if it is missing or no text."""
    value = settings.get(key)
    return value.lower() if isinstance(value, str) else None


def whole(settings: Mapping[str, Any], key: str) -> int | None:
    """Return a setting that is a whole number; None if it is missing or something else."""
    value = settings.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def packing_method(module: PackedModule) -> str | None:
    """Return the method that packed the model: quant_method, or what its tool leaves unsaid.

    AutoAWQ's quant_config.json and AutoGPTQ's quantize_config.json do not name themselves;
    AutoRound packs as AWQ where its packing_format says so.
    """
    settings = quantization_config(module)
    method = text(settings, "quant_method")
    if method is None:
        if "w_bit" in settings:
            return "awq"
        return "gptq" if "bits" in settings else None
    if method in ("auto-round", "intel/auto-round"):
        is_awq = text(settings, "packing_format") in ("auto_round:auto_awq", "auto_round:awq")
        return "awq" if is_awq else "auto-round"
    return method
