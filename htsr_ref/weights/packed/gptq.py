"""GPTQ: codes along the inputs, zeros along the outputs, groups of inputs in any order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.weights.packed.bits import unpack_stream, words_around
from htsr_ref.weights.packed.methods import packing_method, quantization_config, text, whole
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    bad_layer,
    check_when_opened,
    damaged,
    member,
    read_scales,
    require_real,
    require_shape,
    require_type,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

_BITS: dict[str, tuple[int, ...]] = {"gptq": (2, 3, 4, 8), "auto-round": (2, 3, 4, 5, 6, 7, 8)}
_STORED_LESS_ONE: dict[str, dict[str | None, bool]] = {
    "gptq": {None: True, "gptq": True, "gptq_v2": False},
    "auto-round": {
        "auto_round": False,
        "auto_round:gptqmodel": False,
        "auto_round:auto_gptq": True,
        "auto_round:gptq": True,
    },
}
"""By quant_method and format: whether a stored zero is one less than the zero."""
_UNIT = 32
"""Codes after which a word ends, whatever their bits."""
_ROLES = {"qweight": "packed", "g_idx": "packed", "scales": "scale", "qzeros": "zero point"}


def read_gptq(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a layer that GPTQ or AutoRound packed.

    The bits follow from the shapes, so that overrides by layer need no reading. A model without
    a quantization_config is of GPTQ's first format if the shapes fit.

    Returns
    -------
    One tensor (out, in); none if this is not GPTQ.

    Raises
    ------
    NotUnderstoodError
        If it is of a format that is not read.
    DamagedPackingError
        If shapes, types, scales, groups or zeros contradict each other.

    Spec: PAK-31, PAK-32.
    """
    family = packing_method(module)
    if family is None and _fits_without_settings(module):
        family = "gptq"
    if family not in _BITS or "qweight" not in module.tensors:
        return ()
    layer = _opened(module, family)
    parts = {name: role for name, role in _ROLES.items() if name in module.tensors}
    if layer.order is not None:
        check_when_opened(layer.order, layer.read_groups)
    check_when_opened(layer.scales, lambda: read_scales(layer.scales))
    check_when_opened(layer.zeros, lambda: layer.read_zeros(slice(0, layer.outputs, 1)))
    return (
        PackedTensor(
            layer.codes.name,
            f"int{layer.bits} (GPTQ)",
            (layer.outputs, layer.inputs),
            layer.decode,
            parts,
            _UNIT,
        ),
    )


def _fits_without_settings(module: PackedModule) -> bool:
    found = [module.tensors.get(name) for name in ("qweight", "qzeros", "scales")]
    shapes = [tensor.shape for tensor in found if tensor is not None and len(tensor.shape) == 2]
    if len(shapes) < len(found):
        return False
    codes, zeros, scales = shapes
    return codes[1] == scales[1] and zeros[0] == scales[0]


def _stored_less_one(module: PackedModule, family: str) -> bool:
    """Tell the convention of zeros; NotUnderstoodError for a format that is not read."""
    settings = quantization_config(module)
    if settings.get("is_marlin_format"):
        raise NotUnderstoodError("GPTQ packed for the Marlin kernel is not read")
    if family == "auto-round":
        layout = text(settings, "packing_format")
    else:
        layout = text(settings, "checkpoint_format") or text(settings, "format")
    known = _STORED_LESS_ONE[family]
    if layout not in known:
        raise NotUnderstoodError(f"{family} in the format {layout!r} is not read")
    return known[layout]


@dataclass(frozen=True, eq=False)
class _Layer:
    """The tensors of a layer, whose shapes fit each other."""

    codes: RawTensor
    zeros: RawTensor
    scales: RawTensor
    order: RawTensor | None
    bits: int
    inputs: int
    group_size: int
    stored_less_one: bool

    @property
    def groups(self) -> int:
        return self.scales.shape[0]

    @property
    def outputs(self) -> int:
        return self.scales.shape[1]

    def read_groups(self) -> NDArray[np.int64]:
        """Group of each input."""
        if self.order is None:
            return np.arange(self.inputs) // self.group_size
        groups = self.order.backing.read((slice(None),)).astype(np.int64)
        if groups.size and not 0 <= groups.min() <= groups.max() < self.groups:
            raise bad_layer(self.order, f"it names groups that are not among the {self.groups}")
        if self.groups > 1 and not groups.any():
            raise bad_layer(self.order, "it is all zero, which kernels read in two ways")
        return groups

    def read_zeros(self, rows: slice) -> NDArray[np.int16]:
        """Zeros (groups, rows)."""
        words, count, part = words_around(rows, self.bits)
        stored = self.zeros.backing.read((slice(None), words))
        zeros = unpack_stream(stored, self.bits, count, 1)[:, part].astype(np.int16)
        if not self.stored_less_one:
            return zeros
        if (zeros == 2**self.bits - 1).any():
            problem = f"it holds {2**self.bits - 1}, which kernels take for several zeros"
            raise bad_layer(self.zeros, problem)
        return zeros + np.int16(1)

    def decode(self, _: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        groups = self.read_groups()[columns]
        words, count, _all = words_around(columns, self.bits)
        codes = unpack_stream(self.codes.backing.read((words, rows)), self.bits, count, 0)
        values = (codes - self.read_zeros(rows)[groups]).astype(np.float64)
        values *= read_scales(self.scales, slice(None), rows)[groups]
        return values.T


def _opened(module: PackedModule, family: str) -> _Layer:
    """Hold the tensors against each other."""
    stored_less_one = _stored_less_one(module, family)
    codes, zeros, scales = (member(module, name) for name in ("qweight", "qzeros", "scales"))
    for tensor in (codes, zeros, scales):
        if len(tensor.shape) != 2 or not tensor.shape[0]:
            raise damaged(tensor, f"its shape is {tensor.shape}, not that of a matrix")
    require_type(codes, "int32", "uint32")
    require_type(zeros, "int32", "uint32")
    require_real(scales)
    groups, outputs = scales.shape
    require_shape(codes, codes.shape[0], outputs)
    require_shape(zeros, groups, zeros.shape[1])
    order = module.tensors.get("g_idx")
    if order is not None:
        require_type(order, "int32", "int64")
        if len(order.shape) != 1:
            raise damaged(order, f"its shape is {order.shape}, which should have one axis")
    bits = _bits(module, family, codes, zeros, outputs, order)
    inputs = order.shape[0] if order is not None else codes.shape[0] * 32 // bits
    group_size = _group_size(module, inputs, groups, scales) if order is None else 0
    return _Layer(codes, zeros, scales, order, bits, inputs, group_size, stored_less_one)


def _bits(
    module: PackedModule,
    family: str,
    codes: RawTensor,
    zeros: RawTensor,
    outputs: int,
    order: RawTensor | None,
) -> int:
    """Bits of a code, for which both streams have the length that they have."""
    lengths = [(outputs, zeros.shape[1])]
    if order is not None:
        lengths.append((order.shape[0], codes.shape[0]))
    fitting = [
        bits
        for bits in range(2, 9)
        if all(-(-count * bits // 32) == words for count, words in lengths)
    ]
    stated = whole(quantization_config(module), "bits")
    if len(fitting) > 1 and stated in fitting:
        fitting = [stated]
    if len(fitting) != 1:
        raise damaged(codes, "its shape and that of the zeros fit no one number of bits")
    if fitting[0] not in _BITS[family]:
        raise NotUnderstoodError(f"{family} with {fitting[0]} bits is not read")
    return fitting[0]


def _group_size(module: PackedModule, inputs: int, groups: int, scales: RawTensor) -> int:
    """Count the inputs of a group, of a layer without an order of groups."""
    settings = quantization_config(module)
    stated = whole(settings, "group_size")
    if stated is not None and stated > 0 and -(-inputs // stated) == groups:
        if inputs % stated and (settings.get("dynamic") or settings.get("extra_config")):
            raise NotUnderstoodError(
                "a last group that is cut, beside settings by layer and without g_idx, is not read"
            )
        return stated
    if inputs % groups:
        raise damaged(scales, f"its {groups} groups do not divide {inputs} inputs")
    return inputs // groups
