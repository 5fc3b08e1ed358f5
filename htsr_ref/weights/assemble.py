"""From stored tensors to layers: apply the manifest, the inference and the user's overrides."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.axes import MATRIX_KINDS, Layout, matrix_layout, plain_layout
from htsr_ref.weights.classify import classify, has_gpt2_conv1d, layer_name
from htsr_ref.weights.decision import Decision
from htsr_ref.weights.dtypes import is_decoded, is_integer
from htsr_ref.weights.layer import Layer, Weights
from htsr_ref.weights.overrides import apply_overrides
from htsr_ref.weights.stored import Scaling, StoredTensor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.weights.container import Container, RawTensor
    from htsr_ref.weights.manifest import Constant, Manifest, Quantization, TensorSpec

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
    container : the tensors and their manifest.
    overrides : the user's corrections.
    name : name of the weights.
    file : the path that error messages name.

    Raises
    ------
    WeightFileError
        If manifest or overrides do not fit the tensors.

    Spec: FMT-14.
    """
    tensors = _with_ties(container, file)
    if container.manifest is not None:
        decisions = _declared(file, container.manifest, tensors)
    else:
        gpt2 = has_gpt2_conv1d(tensors.values())
        decisions = {name: classify(tensor, gpt2=gpt2) for name, tensor in tensors.items()}
    decisions = apply_overrides(file, decisions, tensors, overrides or {})
    layers = _unique_names(tensors, decisions)
    return Weights(
        name=name,
        format=container.format,
        layers=tuple(
            _layer(file, layers[tensor.name], tensor, decisions[tensor.name], tensors)
            for tensor in tensors.values()
        ),
        source=container.manifest.source if container.manifest is not None else None,
        extra=container.manifest.extra if container.manifest is not None else {},
        files=container.files,
        warnings=container.warnings,
    )


def _with_ties(container: Container, file: object) -> dict[str, RawTensor]:
    """All tensors by name, with those that are stored under another name only at the end."""
    tensors = {tensor.name: tensor for tensor in container.tensors}
    ties = dict(container.ties)
    if container.manifest is not None:
        ties = {
            name: spec.same_as
            for name, spec in container.manifest.tensors.items()
            if spec.same_as is not None
        }
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


def _declared(
    file: object, manifest: Manifest, tensors: Mapping[str, RawTensor]
) -> dict[str, Decision]:
    for name in manifest.tensors:
        if name not in tensors:
            raise WeightFileError(
                file, "the manifest names it, but it is not stored", _RECONVERT, name
            )
    for name in tensors:
        if name not in manifest.tensors:
            raise WeightFileError(file, "the manifest does not name it", _RECONVERT, name)
    return {name: _declared_as(manifest.tensors[name]) for name in tensors}


def _declared_as(spec: TensorSpec) -> Decision:
    """Decision of the file's maker, with the rule that it gives. Spec: FMT-3."""
    if spec.rule is None:
        return Decision(spec, "declared")
    return Decision(spec, f"{'inferred' if spec.inferred else 'declared'}: {spec.rule}")


def _unique_names(
    tensors: Mapping[str, RawTensor], decisions: Mapping[str, Decision]
) -> dict[str, str]:
    """Layer names; those that are not unique give way to the tensors' names. Spec: FMT-14."""
    wanted = {
        name: decisions[name].spec.layer or tensor.layer or layer_name(name)
        for name, tensor in tensors.items()
    }
    count = Counter(wanted.values())
    return {
        name: layer if count[layer] == 1 and layer not in tensors else name
        for name, layer in wanted.items()
    }


def _layer(
    file: object,
    layer: str,
    tensor: RawTensor,
    decision: Decision,
    tensors: Mapping[str, RawTensor],
) -> Layer:
    spec = decision.spec
    try:
        layout = _layout(tensor, decision)
        _check_sections(layout, decision)
        scaling = None
        if spec.quantization is not None:
            scaling = _scaling(spec.quantization, layout, tensors)
    except ValueError as error:
        raise WeightFileError(
            file, str(error), "Correct its description (manifest or override)", tensor.name
        ) from error
    return Layer(
        name=layer,
        tensor=tensor.name,
        kind=spec.kind,
        shape=layout.shape,
        dtype=tensor.dtype,
        axes=layout.axes,
        groups=spec.groups,
        parts=spec.parts,
        decided=decision.decided,
        left_out=_left_out(tensor, decision),
        same_as=tensor.same_as,
        warnings=decision.warnings,
        data=StoredTensor(tensor.name, tensor.dtype, layout, tensor.backing, scaling),
    )


def _layout(tensor: RawTensor, decision: Decision) -> Layout:
    if not decision.spec.axes:
        return plain_layout(tensor.shape)
    return matrix_layout(decision.spec.kind, decision.spec.axes, tensor.shape)


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
    quantization: Quantization, layout: Layout, tensors: Mapping[str, RawTensor]
) -> Scaling:
    axis = quantization.axis
    if axis is not None and axis >= len(layout.shape):
        raise ValueError(f"quantization: there is no axis {axis}")
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
        raise ValueError(f"quantization: the tensor {name!r} is not stored")
    if not is_decoded(tensor.dtype):
        raise ValueError(f"quantization: numbers of type {tensor.dtype} are not decoded")
    size = math.prod(tensor.shape)
    if size not in (1, length) or max(tensor.shape, default=1) != size:
        raise ValueError(
            f"quantization: the tensor {name!r} of shape {tensor.shape} should hold "
            f"{length} numbers along one axis"
        )
    return StoredTensor(name, tensor.dtype, plain_layout(tensor.shape), tensor.backing)


def _left_out(tensor: RawTensor, decision: Decision) -> str | None:
    """Why a tensor is not analyzed; None if it is. Spec: FMT-14."""
    spec = decision.spec
    if decision.left_out is not None:
        return decision.left_out
    if tensor.same_as is not None:
        return f"same as {tensor.same_as}"
    if spec.kind not in MATRIX_KINDS:
        return spec.kind
    if 0 in tensor.shape:
        return "it has no elements"
    if not is_decoded(tensor.dtype):
        return f"numbers of type {tensor.dtype} are not decoded"
    if is_integer(tensor.dtype) and spec.quantization is None:
        return f"{tensor.dtype} without a scale: declare its quantization"
    return None
