"""Layers with tensors and settings at random: numbers of the shape told, or an error of ours."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from integer_packings import FIXTURES, arrays_of, fixture, module

from htsr_ref.errors import HtsrError
from htsr_ref.weights.packed.awq import read_awq
from htsr_ref.weights.packed.bitnet import read_bitnet
from htsr_ref.weights.packed.bitsandbytes import read_bitsandbytes
from htsr_ref.weights.packed.gptq import read_gptq
from htsr_ref.weights.packed.mlx import read_mlx

SCHEMES = (read_gptq, read_awq, read_mlx, read_bitnet, read_bitsandbytes)
NAMES = sorted(path.stem for path in FIXTURES.glob("*.safetensors"))
KINDS = ("float32", "float16", "uint8", "int8", "int32", "uint32", "int64", "float64", "bool")
SETTINGS = ("bits", "group_size", "mode", "quant_method", "packing_format", "checkpoint_format")
SETTINGS += ("m", "linear_class", "version", "extra_config", "quantization_mode", "w_bit")
VALUES = [None, 0, -1, 3, 4, 8, 32, 2**70, 1.5, True, "gptq", "awq", "bitnet", "mxfp4", "nvfp4"]
VALUES += ["auto-round", "auto_round", [], [1], {}, {"bits": 3}, {"group_size": 0}, "online"]


@st.composite
def broken_layers(draw, name):
    packed, _, _ = fixture(name)
    arrays = arrays_of(packed)
    stated = {key: dict(value) for key, value in packed.settings.items()}
    for _ in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(sorted(arrays)))
        rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
        match draw(st.sampled_from(["shape", "numbers", "type", "leave out", "setting", "cut"])):
            case "shape":
                shape = draw(st.lists(st.integers(0, 40), max_size=4))
                arrays[key] = np.ones(shape, arrays[key].dtype)
            case "numbers":
                size = arrays[key].nbytes
                noise = rng.integers(0, 256, size, dtype=np.uint8).view(arrays[key].dtype)
                arrays[key] = noise.reshape(arrays[key].shape)
            case "type":
                kind = draw(st.sampled_from(KINDS))
                arrays[key] = np.ones(arrays[key].shape).astype(kind)
            case "cut":
                arrays[key] = arrays[key].reshape(-1)[: draw(st.integers(0, 60))]
            case "leave out" if len(arrays) > 1:
                del arrays[key]
            case _:
                place = draw(st.sampled_from(["quantization_config", "quantization", "metadata"]))
                name_of_setting = draw(st.sampled_from(SETTINGS))
                stated.setdefault(place, {})[name_of_setting] = draw(st.sampled_from(VALUES))
    return module(arrays, **stated)


@pytest.mark.parametrize("name", NAMES)
def test_a_broken_layer_is_read_or_refused(name):
    @settings(max_examples=settings().max_examples // 3)
    @given(broken_layers(name))
    def read(packed):
        for scheme in SCHEMES:
            try:
                for tensor in scheme(packed):
                    *stack, rows, columns = tensor.shape
                    assert tensor[..., -1:, :].shape == (*stack, min(rows, 1), columns)
                    assert np.isfinite(tensor[...]).all()
            except HtsrError as error:
                assert str(error)

    read()
