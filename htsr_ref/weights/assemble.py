"""From stored tensors to layers: what each tensor is, and how its numbers are read."""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError, shown
from htsr_ref.weights.dtypes import is_decoded, is_integer
from htsr_ref.weights.layer import Layer, Weights, layer_name
from htsr_ref.weights.manifest import NOT_DECODED
from htsr_ref.weights.meaning.axes import Layout, matrix_layout, plain_layout
from htsr_ref.weights.meaning.decisions import Decision, decide
from htsr_ref.weights.meaning.model import Model
from htsr_ref.weights.meaning.roles import MATRIX_ROLES
from htsr_ref.weights.overrides import apply_overrides
from htsr_ref.weights.stored import Scaling, StoredTensor
from htsr_ref.weights.tied_heads import tied_heads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import Container, RawTensor
    from htsr_ref.weights.manifest import Manifest
    from htsr_ref.weights.tensor_spec import Constant, Quantization

_RECONVERT = "Convert the file again"


def assemble(
    container: Container,
    overrides: Mapping[str, Mapping[str, Any]] | None,
    *,
    name: str,
    file: object,
) -> Weights:
    """Give every stored tensor its meaning.

    Parameters
    ----------
    container : the tensors and what their files say of them.
    overrides : the user's corrections.
    name : name of the weights.
    file : the path that error messages name.

    Raises
    ------
    WeightFileError
        If manifest, configuration or overrides do not fit the tensors.

    Spec: FMT-14.
    """
    manifest = container.manifest
    tensors = _with_ties(container, file)
    if manifest is not None:
        _check_names(file, manifest, tensors, {tensor.name for tensor in container.tensors})
    model = _model(container, tensors)
    _check_config(file, model)
    decisions = _without_the_not_decoded(decide(model), manifest)
    names = _unique_names(tensors, decisions)
    decisions = apply_overrides(file, decisions, tensors, names, overrides or {})
    names = _unique_names(tensors, decisions)
    return Weights(
        name=name,
        format=container.format,
        layers=tuple(
            _layer(file, names[tensor.name], tensor, decisions[tensor.name], tensors)
            for tensor in tensors.values()
        ),
        source=manifest.source if manifest is not None else None,
        extra=manifest.extra if manifest is not None else {},
        files=container.files,
        warnings=container.warnings,
    )


def _without_the_not_decoded(
    decisions: dict[str, Decision], manifest: Manifest | None
) -> dict[str, Decision]:
    """Leave out tensors of which a conversion could make no weight, as it did. Spec: FMT-22."""
    stated = {} if manifest is None else manifest.extra.get(NOT_DECODED)
    if not isinstance(stated, dict):
        return decisions
    left_out = {
        name: replace(decisions[name], left_out=reason, code="not-understood")
        for name, reason in stated.items()
        if name in decisions and isinstance(reason, str)
    }
    return decisions | left_out


def _model(container: Container, tensors: Mapping[str, RawTensor]) -> Model:
    manifest = container.manifest
    config, settings = _config_of(container), container.settings
    if manifest is None:
        return Model(tensors, {}, container.framework, config, settings)
    framework = (manifest.source.get("framework") or container.framework).split(" ")[0].lower()
    return Model(tensors, manifest.tensors, framework, config, settings)


def _config_of(container: Container) -> Mapping[str, Any]:
    """Return the model's configuration: the manifest's, else the one beside the weights."""
    stated = {} if container.manifest is None else container.manifest.config
    return stated or container.settings.get("config", {})


def _check_config(file: object, model: Model) -> None:
    """Refuse a configuration of another model: no tensor has its width; an adapter's need not.

    Spec: FMT-20.
    """
    stated = model.config.get("hidden_size")
    if type(stated) is not int or stated < 1 or "adapter_config" in model.settings:
        return
    widths = {size for shape in model.shapes.values() for size in shape if size}
    if widths and not any(size % stated == 0 for size in widths):
        raise WeightFileError(
            file,
            f"config.json contradicts it: hidden_size is {stated}, and no tensor has that width",
            "Put the model's own config.json beside it, or move this one away",
        )


def _check_names(
    file: object, manifest: Manifest, tensors: Mapping[str, RawTensor], stored: set[str]
) -> None:
    for name in manifest.tensors:
        if name not in tensors:
            raise WeightFileError(
                file, "the manifest names it, but it is not stored", _RECONVERT, name
            )
    for name in stored:
        if name not in manifest.tensors:
            raise WeightFileError(file, "the manifest does not name it", _RECONVERT, name)


def _with_ties(container: Container, file: object) -> dict[str, RawTensor]:
    """All tensors by name, with those that are stored under another name only at the end."""
    tensors = {tensor.name: tensor for tensor in container.tensors}
    manifest = container.manifest
    ties = dict(container.ties)
    if manifest is not None:
        ties = {
            name: spec.same_as
            for name, spec in manifest.tensors.items()
            if spec.same_as is not None
        }
    ties = {
        name: kept for name, kept in tied_heads(tensors, _config_of(container)) if kept not in ties
    } | ties
    tied: dict[str, RawTensor] = {}
    for name, kept in ties.items():
        if kept not in tensors or ties.get(kept) is not None:
            raise WeightFileError(
                file,
                f"same_as names {kept!r}, which is not stored or tied itself",
                _RECONVERT,
                name,
            )
        tied[name] = replace(tensors.get(name, tensors[kept]), name=name, same_as=kept)
        if tied[name].shape != tensors[kept].shape:
            raise WeightFileError(
                file, f"it cannot be the same as {kept!r}: shapes differ", _RECONVERT, name
            )
    return tensors | tied


def _unique_names(
    tensors: Mapping[str, RawTensor], decisions: Mapping[str, Decision]
) -> dict[str, str]:
    """Layer names; those that are not unique give way to the tensors' names. Spec: FMT-14."""
    stated = {name: decisions[name].spec.layer for name in tensors}
    wanted = {
        name: layer or layer_name(_plain_name(name, decisions[name]))
        for name, layer in stated.items()
    }
    count = Counter(wanted.values())
    matrices = Counter(layer for name, layer in wanted.items() if decisions[name].spec.axes)
    for name, layer in stated.items():
        if layer is None or count[layer] == 1:
            continue
        if matrices[layer] > 1 or not decisions[name].spec.axes:
            leaf = decisions[name].variable or re.split(r"[./]", name)[-1].removesuffix(":0")
            wanted[name] = f"{layer}/{leaf}"
    count = Counter(wanted.values())
    return {
        name: layer if count[layer] == 1 and (layer not in tensors or layer == name) else name
        for name, layer in wanted.items()
    }


def _plain_name(name: str, decision: Decision) -> str:
    """Name that a tensor would have if it were stored as itself."""
    return name if decision.computed is None else decision.computed.plain_name


def _layer(
    file: object,
    layer: str,
    tensor: RawTensor,
    decision: Decision,
    tensors: Mapping[str, RawTensor],
) -> Layer:
    try:
        data, layout = _data(tensor, decision, tensors)
    except ValueError as error:
        raise WeightFileError(
            file, str(error), "Correct its description (manifest or override)", tensor.name
        ) from error
    return Layer(
        name=layer,
        tensor=tensor.name,
        role=decision.spec.role or "unknown",
        shape=layout.shape,
        dtype=data.dtype,
        axes=layout.axes,
        groups=decision.spec.groups,
        parts=decision.spec.parts,
        layer_class=decision.spec.layer_class,
        decided=decision.decided,
        left_out=_left_out(tensor, decision),
        code=decision.code,
        same_as=tensor.same_as,
        warnings=decision.warnings,
        data=data,
        plain_name=_plain_name(tensor.name, decision),
    )


def _data(
    tensor: RawTensor, decision: Decision, tensors: Mapping[str, RawTensor]
) -> tuple[StoredTensor, Layout]:
    """How a tensor's numbers are read, and its canonical axes."""
    spec, computed = decision.spec, decision.computed
    shape = tensor.shape if computed is None else computed.shape
    layout = matrix_layout(spec.axes, shape, spec.view) if spec.axes else plain_layout(shape)
    _check_sections(layout, decision)
    if computed is not None:
        return StoredTensor(tensor.name, computed.dtype, layout, computed), layout
    if spec.decoded_from is not None:
        if tensor.dtype not in ("float32", "float64"):
            raise ValueError(f"decoded numbers are float32 or float64, not {tensor.dtype}")
        dtype = spec.decoded_from
        data = StoredTensor(tensor.name, dtype, layout, tensor.backing, stored_dtype=tensor.dtype)
        return data, layout
    scaling = None
    if spec.quantization is not None:
        scaling = _scaling(spec.quantization, spec.axes, layout, tensors)
    return StoredTensor(tensor.name, tensor.dtype, layout, tensor.backing, scaling), layout


def _check_sections(layout: Layout, decision: Decision) -> None:
    """Check that parts and groups cut the axis "out" without a remainder. Spec: FMT-4."""
    spec = decision.spec
    if not spec.parts and spec.groups == 1:
        return
    out = layout.shape[layout.axes.index("out")]
    if spec.parts and sum(part.size for part in spec.parts) != out:
        raise ValueError(
            f"its parts have {sum(part.size for part in spec.parts)} rows together, "
            f"but the axis 'out' has {out}"
        )
    if out % spec.groups:
        raise ValueError(f"its {spec.groups} groups do not divide the {out} of the axis 'out'")


def _scaling(
    quantization: Quantization,
    axes: tuple[str, ...],
    layout: Layout,
    tensors: Mapping[str, RawTensor],
) -> Scaling:
    axis = None
    if quantization.axis is not None:
        if quantization.axis >= len(layout.order):
            raise ValueError(f"quantization: there is no axis {quantization.axis}")
        # From the stored axis to the canonical one.
        axis = quantization.axis
        if axes:
            name = axes[axis]
            if axes.count(name) > 1 and name != "stack":
                raise ValueError(f"quantization: the axis {axis} is merged with another")
            before = sum(other == name for other in axes[:axis])
            axis = layout.axes.index(name) + before
    length = 1 if axis is None else layout.shape[axis]

    def numbers(constant: Constant) -> Any:
        if isinstance(constant, str):
            return _scale_tensor(constant, length, tensors)
        if isinstance(constant, tuple) and len(constant) != length:
            raise ValueError(f"quantization: {len(constant)} numbers for an axis of {length}")
        return np.array(constant, dtype=np.float64)

    return Scaling(numbers(quantization.scale), numbers(quantization.zero_point), axis)


def _scale_tensor(name: str, length: int, tensors: Mapping[str, RawTensor]) -> StoredTensor:
    tensor = tensors.get(name)
    if tensor is None:
        raise ValueError(f"quantization: the tensor {shown(name)} is not stored")
    if not is_decoded(tensor.dtype):
        raise ValueError(f"quantization: numbers of type {tensor.dtype} are not decoded")
    size = math.prod(tensor.shape)
    if size not in (1, length) or max(tensor.shape, default=1) != size:
        raise ValueError(
            f"quantization: the tensor {shown(name)} of shape {tensor.shape} should hold "
            f"{length} numbers along one axis"
        )
    return StoredTensor(name, tensor.dtype, plain_layout(tensor.shape), tensor.backing)


def _left_out(tensor: RawTensor, decision: Decision) -> str | None:
    """Why a tensor is not analyzed; None if it is. Spec: FMT-14."""
    spec = decision.spec
    if decision.left_out is not None:
        return decision.left_out
    if spec.role not in MATRIX_ROLES:
        return spec.role
    if 0 in (decision.computed or tensor).shape:
        return "it has no elements"
    if decision.computed is not None:
        return None
    if not is_decoded(tensor.dtype):
        return f"numbers of type {tensor.dtype} are not decoded"
    if is_integer(tensor.dtype) and spec.quantization is None:
        return f"{tensor.dtype} without a scale: declare its quantization"
    return None
