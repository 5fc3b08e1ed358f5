"""Two models in one: the difference of their weights, or a model with its adapter."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from htsr_ref.errors import WeightFileError, shown
from htsr_ref.weights.derived.adapters import PEFT_PREFIX
from htsr_ref.weights.derived.derived_tensor import DerivedTensor
from htsr_ref.weights.layer import Base
from htsr_ref.weights.matching import match_layers
from htsr_ref.weights.meaning.axes import Layout
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.stored import StoredTensor

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from htsr_ref.weights.layer import Layer, Weights


@dataclass(frozen=True, eq=False)
class Combined:
    """first + sign·second, both in canonical axes. Spec: DER-10."""

    first: StoredTensor
    second: StoredTensor
    sign: int

    def read(self, index: tuple[slice, ...]) -> NDArray[np.float64]:
        """Add a part of both."""
        return self.first[index] + self.sign * self.second[index]

    def load(self) -> Combined:
        """Return the same with both in memory."""
        return Combined(self.first.load(), self.second.load(), self.sign)


def minus(weights: Weights, base: Weights) -> Weights:
    """Subtract one model from another, weight by weight.

    Parameters
    ----------
    weights : the model, such as one that was fine-tuned.
    base : what is subtracted. Layers are matched as `htsr diff` matches them.

    Returns
    -------
    Weights of `weights`, with the differences for numbers; a layer without a partner is left out
    as bad data.

    Raises
    ------
    WeightFileError
        If no layer has a partner.

    Spec: DER-10.
    """
    pairs = match_layers(_matrices(weights), _matrices(base))
    if not pairs:
        raise WeightFileError(
            weights.name,
            f"it has no layer in common with {base.name}: neither names nor shapes agree",
            "Give the model that it was made from",
        )
    partners = {first.tensor: (second, how) for first, second, how in pairs}

    def difference(layer: Layer) -> Layer:
        if layer.left_out is not None or layer.role not in MATRIX_ROLES:
            return layer
        if layer.tensor not in partners:
            return _alone(layer, f"no layer of {base.name} has its name and shape")
        second, how = partners[layer.tensor]
        by = "" if how == "name" else ", matched by shape"
        found = _combined(layer, second, -1, f"minus {second.tensor}{by}")
        return found if second.same_as is not None else replace(found, same_as=None)

    layers = tuple(map(difference, weights.layers))
    return replace(weights, layers=layers, base=Base("minus", base))


def with_adapter(adapter: Weights, base: Weights) -> Weights:
    """Add an adapter to the model that it was made for.

    Parameters
    ----------
    adapter : products of factors, and weights that replace those of the model.
    base : the model.

    Returns
    -------
    Every layer of the model, adapted where the adapter names it. What the adapter names and the
    model lacks is added, left out as bad data; so is what cannot be read of it.

    Raises
    ------
    WeightFileError
        If there is nothing of an adapter in the file.

    Spec: DER-11.
    """
    target_of = _targets(adapter, base)
    changed: dict[str, Layer] = {}
    alone: list[Layer] = []
    is_adapter = False
    for layer in adapter.layers:
        is_adapter |= layer.data.product() is not None or layer.role == "adapter"
        if layer.code != "left-out" and layer.left_out is not None:
            alone.append(layer)
            continue
        if layer.role not in MATRIX_ROLES or layer.left_out is not None:
            continue
        target = target_of.get(layer.tensor)
        if target is None or target.shape != layer.shape:
            lack = "has no such module" if target is None else f"has it with {target.shape}"
            alone.append(_alone(layer, f"{base.name} {lack}"))
        elif layer.data.product() is None:
            rule = f"{target.decided}, replaced by {layer.tensor}"
            changed[target.tensor] = replace(
                target, data=layer.data, dtype=layer.dtype, decided=rule, same_as=None
            )
        else:
            before = changed.get(target.tensor, target)
            changed[target.tensor] = _combined(before, layer, 1, f"plus {layer.tensor}")
    if not is_adapter:
        raise WeightFileError(adapter.name, "it holds no adapter", "Give the adapter first")
    layers = (*(changed.get(layer.tensor, layer) for layer in base.layers), *alone)
    return replace(
        base,
        name=adapter.name,
        layers=layers,
        format=adapter.format,
        files=adapter.files,
        source=adapter.source,
        warnings=(*base.warnings, *adapter.warnings),
        base=Base("plus", base),
    )


def _matrices(weights: Weights) -> list[Layer]:
    return [
        layer for layer in weights.layers if layer.left_out is None and layer.role in MATRIX_ROLES
    ]


def _targets(adapter: Weights, base: Weights) -> dict[str, Layer]:
    """Layers of a model by the adapter's tensors that name them.

    A model may be saved with or without the module that its adapter was made around: of names as
    they are, and without the first component on either side, those decide that agree most often.
    """
    named = {layer.tensor: _module(layer.plain_name) for layer in adapter.layers if layer.axes}
    modules = {_module(layer.plain_name): layer for layer in base.layers if layer.axes}
    inner = {_within(name): layer for name, layer in modules.items()}
    ways = (
        {tensor: modules[name] for tensor, name in named.items() if name in modules},
        {
            tensor: modules[_within(name)]
            for tensor, name in named.items()
            if _within(name) in modules
        },
        {tensor: inner[name] for tensor, name in named.items() if name in inner},
    )
    return max(ways, key=len)


def _module(tensor: str) -> str:
    """Name of a module without what PEFT puts around it."""
    plain = tensor.removeprefix(PEFT_PREFIX).replace(".modules_to_save.default.", ".")
    return plain.removesuffix(".weight")


def _within(module: str) -> str:
    """Name of a module in the outermost one that holds it."""
    return module.partition(".")[2] or module


def _alone(layer: Layer, reason: str) -> Layer:
    return replace(layer, left_out=f"tensor {shown(layer.tensor)}: {reason}", code="bad-data")


def _combined(layer: Layer, second: Layer, sign: int, rule: str) -> Layer:
    """Layer with the sum or difference of its weights and another's."""
    shape = layer.shape
    layout = Layout(layer.axes, shape, tuple(range(len(shape))), shape)
    dtype = _joint(layer.dtype, second.dtype)
    numbers = Combined(layer.data, second.data, sign)
    terms = (layer.data, second.data)
    tensor = DerivedTensor(
        layer.tensor, layer.plain_name, dtype, shape, rule, {}, numbers, terms=terms
    )
    return replace(
        layer,
        data=StoredTensor(layer.tensor, dtype, layout, tensor),
        dtype=dtype,
        decided=f"{layer.decided}, {rule}",
    )


def _joint(first: str, second: str) -> str:
    """Type that a sum is reported under: that of both, or the wide one."""
    if first == second or "64" in first:
        return first
    return second if "64" in second else f"{first} and {second}"
