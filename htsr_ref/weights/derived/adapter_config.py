"""What an adapter's configuration says of its scale, and what it sets that is not read."""

from __future__ import annotations

import math
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError

if TYPE_CHECKING:
    from collections.abc import Mapping

_FILE = "adapter_config.json"
_MERGE = "Merge the adapter into its model, and analyze that"
_WITHOUT_EFFECT = frozenset(
    {
        "alpha_pattern",
        "auto_mapping",
        "base_model_name_or_path",
        "eva_config",
        "exclude_modules",
        "fan_in_fan_out",
        "inference_mode",
        "layers_pattern",
        "layers_to_transform",
        "lora_alpha",
        "lora_dropout",
        "megatron_config",
        "megatron_core",
        "modules_to_save",
        "peft_type",
        "peft_version",
        "qalora_group_size",
        "r",
        "rank_pattern",
        "revision",
        "runtime_config",
        "target_modules",
        "task_type",
        "use_rslora",
    }
)
"""Keys that are read, or that do not change what the factors stand for."""
_HARMLESS = {
    "bias": ("none",),
    "init_lora_weights": (True, "gaussian", "eva", "orthogonal"),
}
"""Values, beside those that count as false, of keys whose other values change the weight."""
_EXPRESSION = re.compile(r"\^?(?:[\w$-]|\\[.d]|\.|[*+](?<=[.d][*+]))*")
_LONGEST = 512


@dataclass(frozen=True)
class LoraSettings:
    """The scale of an adapter's products.

    Parameters
    ----------
    alpha : where no pattern says otherwise.
    alphas : those of modules whose names match an expression; the first that matches decides.
    ranks : every rank that the configuration names.
    over_root : whether alpha is divided by the root of the rank, not by the rank.

    Spec: DER-7.
    """

    alpha: float
    alphas: tuple[tuple[re.Pattern[str], float], ...]
    ranks: frozenset[int]
    over_root: bool

    def scale(self, module: str, rank: int) -> float:
        """Scale of the product of two factors.

        Raises
        ------
        DamagedPackingError
            The configuration names no such rank.
        """
        if rank not in self.ranks:
            stated = ", ".join(map(str, sorted(self.ranks)))
            raise DamagedPackingError(
                f"its factors have rank {rank}, and {_FILE} says {stated}. Put the adapter's own "
                "configuration beside it"
            )
        found = (alpha for pattern, alpha in self.alphas if pattern.match(module[:_LONGEST]))
        alpha = next(found, self.alpha)
        return alpha / (math.sqrt(rank) if self.over_root else rank)


def lora_settings(config: Mapping[str, Any]) -> LoraSettings:
    """Read an adapter's configuration, as PEFT writes it.

    Raises
    ------
    NotUnderstoodError
        It is no LoRA, or it sets what changes the weight in a way that is not read.
    DamagedPackingError
        A number is missing or none.

    Spec: DER-7, DER-8.
    """
    kind = config.get("peft_type", "LORA")
    if kind != "LORA":
        raise NotUnderstoodError(f"it belongs to an adapter of type {kind}. {_MERGE}")
    for key, value in config.items():
        is_harmless = value in _HARMLESS.get(key, ()) if isinstance(value, str | bool) else False
        if key not in _WITHOUT_EFFECT and value and not is_harmless:
            shown = str(value)[:60]
            raise NotUnderstoodError(f"{_FILE} sets {key} = {shown}, which is not read. {_MERGE}")
    ranks = [config.get("r", 8), *_map(config, "rank_pattern").values()]
    if not all(type(rank) is int and rank > 0 for rank in ranks):
        raise DamagedPackingError(f"{_FILE}: r must be whole numbers above 0")
    return LoraSettings(
        _number(config.get("lora_alpha", 8)),
        tuple((_expression(key), _number(a)) for key, a in _map(config, "alpha_pattern").items()),
        frozenset(ranks),
        config.get("use_rslora") is True,
    )


def _map(config: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = config.get(key) or {}
    if not isinstance(value, dict):
        raise DamagedPackingError(f"{_FILE}: {key} must be an object")
    return value


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not abs(value) <= sys.float_info.max:  # an integer may be larger
        raise DamagedPackingError(f"{_FILE}: alpha must be a number")
    return float(value)


def _expression(key: str) -> re.Pattern[str]:
    """Expression that PEFT makes of a key: it ends a module's name, after a dot.

    Only plain names are read, with up to two repetitions of a digit or of any character: a
    hostile expression would never come to an end.
    """
    repetitions = key.count("*") + key.count("+")
    if len(key) > _LONGEST or repetitions > 2 or _EXPRESSION.fullmatch(key) is None:
        raise NotUnderstoodError(
            f"{_FILE}: alpha_pattern has the expression {key[:60]!r}, which is not read. {_MERGE}"
        )
    return re.compile(rf"(.*\.)?({key})$")
