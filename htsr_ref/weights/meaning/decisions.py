"""What every tensor of a model is: what its file states, what it computes, and what is inferred."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from htsr_ref.weights.layer import Part
from htsr_ref.weights.meaning.computed import Computed, computed_weights
from htsr_ref.weights.meaning.model import Model, Seen, seen_of
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.meaning.rules import first_meaning
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.tensor_spec import NOTHING_KNOWN, TensorSpec

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.layer import LeftOutCode
    from htsr_ref.weights.meaning.found import Meaning
    from htsr_ref.weights.stored import ComputedTensor


@dataclass(frozen=True)
class Decision:
    """The meaning of a tensor.

    Parameters
    ----------
    spec : role, axes and so on. The axes are those of the tensor as stored, in stored order.
    decided : "stated", "stated: <rule>", "inferred: <rule>" or "override: <pattern>".
    left_out : reason for not analyzing it that does not follow from role, type and shape.
    code : kind of that reason (RPT-3).
    warnings : what the user should know.
    computed : the numbers, where they are not those stored.
    variable : the tensor's name within its layer, where its own is a number.
    """

    spec: TensorSpec
    decided: str
    left_out: str | None = None
    code: LeftOutCode = "left-out"
    warnings: tuple[str, ...] = ()
    computed: ComputedTensor | None = field(default=None, compare=False)
    variable: str | None = None


def decide(model: Model) -> dict[str, Decision]:
    """Meaning of every tensor of a model.

    Spec: FMT-15.

    >>> import numpy as np
    >>> from htsr_ref.weights.backing import InMemory
    >>> from htsr_ref.weights.container import RawTensor
    >>> kernel = np.zeros((3, 3, 8, 16))
    >>> tensor = RawTensor("conv/kernel", kernel.shape, "float64", InMemory(kernel))
    >>> found = decide(Model({"conv/kernel": tensor}))["conv/kernel"]
    >>> found.decided, found.spec.axes
    ('inferred: conv kernel (k, in, out)', ('k1', 'k2', 'in', 'out'))
    """
    scales = dict(_stated_scales(model.facts))
    computed = computed_weights(model)
    shown = _as_shown(model, computed)
    turned = _turned(shown)
    seen_as = _with_turned(shown, turned)
    decisions = {}
    for name in model.tensors:
        if name in computed and computed[name].role is not None:
            decisions[name] = _part(computed[name])
        elif name in scales and model.facts[name].role is None:
            decisions[name] = Decision(TensorSpec(scales[name]), f"stated: {scales[name]}")
        else:
            decisions[name] = _decision(name, seen_as, is_turned=name in turned)
            if name in computed:
                decisions[name] = _computed(decisions[name], computed[name], model.tensors[name])
    return decisions


def _stated_scales(facts: Mapping[str, TensorSpec]) -> Iterator[tuple[str, str]]:
    """Tensors that hold scales and zero points of others, with their roles."""
    for spec in facts.values():
        if spec.quantization is not None:
            if isinstance(spec.quantization.scale, str):
                yield spec.quantization.scale, "scale"
            if isinstance(spec.quantization.zero_point, str):
                yield spec.quantization.zero_point, "zero point"


def _part(computed: Computed) -> Decision:
    """Decision of a tensor that a computed weight is made of, or that cannot be computed."""
    return Decision(
        TensorSpec(computed.role),
        f"inferred: {computed.rule}",
        computed.left_out or computed.role,
        computed.code,
    )


def _computed(decision: Decision, computed: Computed, stored: RawTensor) -> Decision:
    """Decision of a tensor that stands for a computed weight."""
    decided = f"{decision.decided}, {computed.rule}"
    decision = replace(decision, decided=decided, computed=computed.tensor)
    tensor = computed.tensor
    if tensor is None or not tensor.is_canonical:
        return decision
    spec = decision.spec
    # Groups of codes lie along inputs; what has one code an entry may be a convolution.
    is_grouped = isinstance(tensor, PackedTensor) and tensor.shape != stored.shape
    if spec.role == "unknown" and is_grouped and len(tensor.shape) == 3:
        decided = f"inferred: a stack (stack, out, in), {computed.rule}"
        spec = TensorSpec("weight")
        decision = replace(decision, decided=decided, left_out=None, code="left-out")
    elif spec.role not in MATRIX_ROLES or ("k1" in spec.axes and not is_grouped):
        return decision
    axes = (*("stack",) * (len(tensor.shape) - 2), "out", "in")
    fits = sum(part.size for part in spec.parts) == tensor.shape[-2]
    parts = spec.parts if fits else ()
    spec = replace(spec, axes=axes, view=None, groups=1, parts=parts, quantization=None)
    return replace(decision, spec=spec)


def _as_shown(model: Model, computed: Mapping[str, Computed]) -> Model:
    """Give computed weights the shapes and names that they will have, for the rules to look at."""
    weights = {name: found.tensor for name, found in computed.items() if found.tensor is not None}
    if not weights:
        return model
    tensors = {
        name: replace(tensor, shape=weights[name].shape, dtype="float64")
        if name in weights
        else tensor
        for name, tensor in model.tensors.items()
    }
    plain_names = {name: weight.plain_name for name, weight in weights.items()}
    return replace(model, tensors=tensors, plain_names=plain_names)


def _decision(name: str, model: Model, *, is_turned: bool) -> Decision:
    facts = model.facts.get(name, NOTHING_KNOWN)
    if facts.role is not None:
        return _stated(facts)
    seen = seen_of(name, model)
    meaning = first_meaning(seen)
    if is_turned:
        rule = f"{meaning.rule}, turned: Paddle's are (in, out)"
        meaning = replace(meaning, rule=rule, axes=meaning.axes[::-1])
    spec = _with_facts(meaning, facts)
    left_out, code = _left_out(seen, meaning)
    return Decision(
        spec,
        _decided(meaning.rule, inferred=meaning.inferred),
        left_out,
        code,
        _warnings(seen, spec),
        variable=meaning.variable,
    )


def _stated(facts: TensorSpec) -> Decision:
    """Decision of a tensor whose role the file states."""
    decided = _decided(facts.rule or "", inferred=facts.inferred)
    if facts.role == "packed":
        return Decision(facts, decided, facts.rule, "not-understood")
    return Decision(facts, decided, facts.rule if facts.role == "unknown" else None)


def _decided(rule: str, *, inferred: bool) -> str:
    word = "inferred" if inferred else "stated"
    return f"{word}: {rule}" if rule else word


def _with_facts(meaning: Meaning, facts: TensorSpec) -> TensorSpec:
    """Join what is inferred and what the file states beside it, which wins."""
    if meaning.role not in MATRIX_ROLES:
        return TensorSpec(meaning.role, layer=facts.layer, same_as=facts.same_as)
    found: dict[str, Any] = {
        "layer_class": facts.layer_class or meaning.layer_class,
        "axes": meaning.axes,
        "view": meaning.view,
        "groups": meaning.groups,
        "parts": tuple(Part(name, size) for name, size in meaning.parts),
    }
    if facts.axes:
        found |= {"axes": facts.axes, "view": facts.view, "groups": facts.groups}
        found["parts"] = facts.parts
    return replace(facts, role=meaning.role, rule=meaning.rule, inferred=meaning.inferred, **found)


def _left_out(seen: Seen, meaning: Meaning) -> tuple[str | None, LeftOutCode]:
    """Why a tensor is not analyzed, where role, type and shape do not say it."""
    if meaning.role == "unknown" and seen.ndim > 1:
        return f"{meaning.rule}. Say what it is with --layers", "not-understood"
    if meaning.role == "packed" and seen.ndim > 1:
        return "by its name it holds packed weights, in a way that is not known", "not-understood"
    return None, "left-out"


def _warnings(seen: Seen, spec: TensorSpec) -> tuple[str, ...]:
    if spec.role == "recurrent" and not spec.parts and seen.ndim == 2:
        return (f"its gates are fused in {seen.shape}: declare its parts to split them",)
    return ()


def _turned(model: Model) -> frozenset[str]:
    """Names of the linear weights of Paddle, which are (in, out)."""
    if model.framework != "paddle":
        return frozenset()
    matrices = [name for name, tensor in model.tensors.items() if len(tensor.shape) == 2]
    seen = ((name, seen_of(name, model)) for name in matrices)
    return frozenset(
        name
        for name, s in seen
        if (s.facts.layer_class or "linear") == "linear" and first_meaning(s).role == "weight"
    )


def _with_turned(model: Model, names: frozenset[str]) -> Model:
    """Turn these matrices into what PyTorch would have, for the rules to look at."""
    if not names:
        return model
    tensors = {
        name: replace(tensor, shape=tensor.shape[::-1]) if name in names else tensor
        for name, tensor in model.tensors.items()
    }
    return replace(model, tensors=tensors)
