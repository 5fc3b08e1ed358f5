"""MLX: codes along the inputs in words of 32 bits, with a scale and perhaps a bias a group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.errors import shown
from htsr_ref.weights.dtypes import decode
from htsr_ref.weights.packed.bits import unpack_stream
from htsr_ref.weights.packed.methods import quantization_config, text, whole
from htsr_ref.weights.packed.packed_module import NotUnderstoodError
from htsr_ref.weights.packed.packed_tensor import PackedTensor
from htsr_ref.weights.packed.reading import (
    check_when_opened,
    damaged,
    finite,
    read_number,
    read_scales,
    require_real,
    require_shape,
    require_type,
)
from htsr_ref.weights.packed.small_floats import E2M1, powers_of_two

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from htsr_ref.weights.container import RawTensor
    from htsr_ref.weights.packed.packed_module import PackedModule

_AFFINE_BITS = (1, 2, 3, 4, 5, 6, 8)
_GROUPS = {"affine": (32, 64, 128), "mxfp4": (32,), "mxfp8": (32,), "nvfp4": (16,)}
_DEFAULTS = {"affine": (4, 64), "mxfp4": (4, 32), "mxfp8": (8, 32), "nvfp4": (4, 16)}
"""Bits and group size by mode."""
_LARGEST = 448 * 6
"""What a global scale stands for in units of the scales: the largest e4m3 times e2m1."""


def read_mlx(module: PackedModule) -> tuple[PackedTensor, ...]:
    """Read a layer that MLX, or transformers for Metal, packed.

    Returns
    -------
    One tensor (out, in) or (stack, out, in); none if this is not MLX's.

    Raises
    ------
    NotUnderstoodError
        If the mode is not known, or nothing states bits and group size and the shapes allow
        several.
    DamagedPackingError
        If shapes, types or scales contradict each other.

    Spec: PAK-34, PAK-35.
    """
    codes, scales = module.tensors.get("weight"), module.tensors.get("scales")
    if codes is None or scales is None or codes.dtype != "uint32" or _is_of_others(module):
        return ()
    if len(codes.shape) not in (2, 3) or not codes.shape[-1]:
        raise damaged(codes, f"its shape is {codes.shape}, not that of packed rows")
    bias_name = next((name for name in ("biases", "qbiases") if name in module.tensors), None)
    require_shape(scales, *codes.shape[:-1], scales.shape[-1] if scales.shape else 0)
    mode, bits, group_size = _layout(module, codes, scales, bias_name is not None)
    inputs = scales.shape[-1] * group_size
    if inputs * bits != codes.shape[-1] * 32:
        problem = f"its {codes.shape[-1]} words do not hold {inputs} codes of {bits} bits"
        raise damaged(codes, problem)
    parts = {"weight": "packed", "scales": "scale"}
    global_scale = 1.0
    if mode == "nvfp4" and "global_scale" in module.tensors:
        parts["global_scale"] = "scale"
        global_scale = read_number(module.tensors["global_scale"]) / _LARGEST
    biases = None
    if mode == "affine":
        if bias_name is None:
            raise damaged(scales, "no biases are beside it")
        biases = module.tensors[bias_name]
        parts[bias_name] = "zero point"
        require_real(scales)
        require_real(biases)
        require_shape(biases, *scales.shape)
    else:
        require_type(scales, "uint8")
    layer = _Layer(codes, scales, biases, mode, bits, group_size, global_scale)
    everything = (slice(None),) * len(scales.shape)
    check_when_opened(scales, lambda: layer.scale_and_bias(everything))
    name = f"int{bits} (MLX)" if mode == "affine" else f"{mode} (MLX)"
    shape = (*codes.shape[:-1], inputs)
    return (PackedTensor(codes.name, name, shape, layer.decode, parts, group_size),)


@dataclass(frozen=True, eq=False)
class _Layer:
    codes: RawTensor
    scales: RawTensor
    biases: RawTensor | None
    mode: str
    bits: int
    group_size: int
    global_scale: float

    def decode(self, place: int, rows: slice, columns: slice) -> NDArray[np.float64]:
        stack = (slice(place, place + 1, 1),) if len(self.codes.shape) == 3 else ()
        begin, end = columns.start // self.group_size, columns.stop // self.group_size
        words_of_group = self.group_size * self.bits // 32
        across = slice(begin * words_of_group, end * words_of_group, 1)
        words = self.codes.backing.read((*stack, rows, across)).reshape(
            -1, across.stop - across.start
        )
        count = columns.stop - columns.start
        numbers = unpack_stream(words, self.bits, count, 1)
        scale, bias = self.scale_and_bias((*stack, rows, slice(begin, end, 1)))
        groups = self._values(numbers).reshape(-1, end - begin, self.group_size)
        groups *= scale.reshape(-1, end - begin, 1)
        if bias is not None:
            groups += bias.reshape(-1, end - begin, 1)
        return groups.reshape(len(numbers), count)

    def _values(self, codes: NDArray[np.uint8]) -> NDArray[np.float64]:
        if self.mode == "affine":
            return codes.astype(np.float64)
        if self.mode == "mxfp8":
            return finite(self.codes, decode(codes, "float8_e4m3fn"))
        return np.take(E2M1, codes)

    def scale_and_bias(
        self, index: tuple[slice, ...]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64] | None]:
        """Scales of a part, and biases where there are some."""
        if self.biases is not None:
            return read_scales(self.scales, *index), read_scales(self.biases, *index)
        stored = self.scales.backing.read(index)
        if self.mode == "nvfp4":
            values = decode(stored, "float8_e4m3fn") * self.global_scale
        else:
            values = powers_of_two(stored)
        return finite(self.scales, values), None


def _layout(
    module: PackedModule, codes: RawTensor, scales: RawTensor, has_biases: bool
) -> tuple[str, int, int]:
    """Tell mode, bits and group size: as the settings state them, or as only they fit."""
    settings = _settings(module)
    if settings is not None:
        mode = text(settings, "mode") or "affine"
        if mode not in _DEFAULTS:
            raise NotUnderstoodError(f"MLX's mode {mode!r} is not read")
        bits, group_size = _DEFAULTS[mode]
        bits = whole(settings, "bits") or bits
        group_size = whole(settings, "group_size") or group_size
        if bits not in (_AFFINE_BITS if mode == "affine" else (_DEFAULTS[mode][0],)):
            raise NotUnderstoodError(f"MLX's mode {mode!r} with {bits} bits is not read")
        if group_size <= 0 or (mode != "affine" and group_size != _DEFAULTS[mode][1]):
            raise NotUnderstoodError(f"MLX's mode {mode!r} in groups of {group_size} is not read")
        return mode, bits, group_size
    modes = ("affine",) if has_biases else ("mxfp4", "mxfp8", "nvfp4")
    fitting = [
        (mode, bits, group_size)
        for mode in modes
        for bits in (_AFFINE_BITS if mode == "affine" else (_DEFAULTS[mode][0],))
        for group_size in _GROUPS[mode]
        if bits * group_size * scales.shape[-1] == codes.shape[-1] * 32
    ]
    is_known_as_mlx = module.settings.get("metadata", {}).get("format") == "mlx"
    if not fitting:
        raise damaged(codes, "its shape and that of the scales fit no bits and group size")
    if len(fitting) > 1 or not (has_biases or is_known_as_mlx):
        raise NotUnderstoodError(
            "MLX's bits and group size are not stated, and several fit: keep config.json beside "
            "the file"
        )
    return fitting[0]


def _is_of_others(module: PackedModule) -> bool:
    """Whether the settings name a method that does not pack as MLX does."""
    settings = quantization_config(module)
    method = text(settings, "quant_method")
    if "quantization" in module.settings or method in (None, "metal"):
        return False
    if text(settings, "packing_format") not in ("mlx", "auto_round:mlx"):
        return True
    if settings.get("extra_config"):
        raise NotUnderstoodError("AutoRound's MLX format with settings by layer is not read")
    return False


def _settings(module: PackedModule) -> Mapping[str, Any] | None:
    """Return what is stated for this module; None if nothing is."""
    stated = module.settings.get("quantization") or quantization_config(module)
    if not stated:
        return None
    own = stated.get(module.name)
    if isinstance(own, dict):
        return own
    for key, value in stated.items():
        is_near = key.endswith(f".{module.name}") or module.name.endswith(f".{key}")
        if is_near and isinstance(value, dict):
            raise NotUnderstoodError(
                f"config.json has settings for {shown(key)}, which may or may not be "
                f"{shown(module.name)}"
            )
    return stated
