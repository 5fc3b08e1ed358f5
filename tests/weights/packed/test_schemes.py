"""All schemes together: what is refused by name, what is unknown, what is not packed at all."""

import json

import ml_dtypes
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scaled_modules import E4M3, module

from htsr_ref.errors import LayerError
from htsr_ref.weights.packed.packed_module import DamagedPackingError, NotUnderstoodError
from htsr_ref.weights.packed.refused import REFUSED
from htsr_ref.weights.packed.schemes import SCHEMES, unpack

WEIGHT = np.ones((4, 4), np.int8)


def marked(text):
    return {"comfy_quant": np.frombuffer(text.encode(), np.uint8)}


@pytest.mark.spec("PAK-9")
@pytest.mark.parametrize("refusal", REFUSED, ids=lambda refusal: refusal.scheme)
def test_every_refusal_is_named(refusal):
    arrays = {name.replace(".", "__"): WEIGHT for name in sorted(refusal.tensors)}
    names = {other.scheme for other in REFUSED if other.tensors <= set(refusal.tensors)}
    with pytest.raises(NotUnderstoodError, match="module 'layer' is packed by") as caught:
        unpack(module(**arrays))
    assert any(name in str(caught.value) for name in names)


@pytest.mark.spec("PAK-9")
@pytest.mark.parametrize(
    "marker",
    [
        {"format": "nvfp4"},
        {"format": "mxfp8"},
        {"format": "int8_tensorwise", "convrot": True},
        {"format": "svdquant_w4a4"},
        {"format": 5},
        {},
    ],
)
@pytest.mark.parametrize("is_metadata", [False, True])
def test_comfyui_formats_that_are_not_read(marker, is_metadata):
    arrays = {"weight": WEIGHT, "weight_scale": np.ones((), np.float32)}
    settings = {}
    if is_metadata:
        text = json.dumps({"format_version": "1.0", "layers": {"layer": marker}})
        settings = {"metadata": {"_quantization_metadata": text}}
    else:
        arrays |= marked(json.dumps(marker))
    with pytest.raises(NotUnderstoodError, match="packed by ComfyUI's"):
        unpack(module(settings, **arrays))


@pytest.mark.spec("PAK-9")
def test_comfyui_marks_of_other_layers_say_nothing():
    text = json.dumps({"layers": {"another": {"format": "nvfp4"}}})
    arrays = {"weight": WEIGHT, "weight_scale": np.ones((), np.float32)}
    for metadata in ({"_quantization_metadata": text}, {"format": "pt"}, {}):
        assert len(unpack(module({"metadata": metadata}, **arrays))) == 1


@pytest.mark.spec("PAK-9")
@pytest.mark.parametrize(
    "arrays",
    [marked("{"), marked('{"a": 1, "a": 2}'), {"comfy_quant": np.zeros((2, 2), np.uint8)}],
)
def test_a_damaged_mark(arrays):
    with pytest.raises(DamagedPackingError, match="layer"):
        unpack(module(weight=WEIGHT, weight_scale=np.ones((), np.float32), **arrays))
    with pytest.raises(DamagedPackingError, match="not valid JSON"):
        unpack(module({"metadata": {"_quantization_metadata": "{"}}, weight=WEIGHT))


@pytest.mark.spec("PAK-13")
@pytest.mark.parametrize(
    "arrays",
    [
        {"weight": np.ones((4, 4), np.uint8), "weight_scale": np.ones(4, np.float32)},
        {"weight": WEIGHT, "scale": np.ones(4, np.float32)},
        {"weight": np.ones((4, 4), E4M3), "weight_scale_2": np.ones(4, np.float32)},
        {
            "weight": np.ones((4, 4), ml_dtypes.float8_e4m3fnuz),
            "weight_scale": np.ones(4, np.float32),
        },
        {"weight": WEIGHT, "absmax": np.ones(4, np.float32)},
        {"codes": np.ones((4, 4), np.uint32), "codes_zeros": np.ones(4, np.float32)},
        {"weight": np.ones((4, 4), np.uint8), "weight_step": np.ones((4, 2), np.float16)},
        {"weight_codes": np.ones((4, 4), np.int32), "delta": np.ones((4, 2), np.float32)},
        {"qzeros": np.ones((4, 4), np.int32), "scales": np.ones((4, 32), np.float16)},
    ],
)
def test_codes_beside_scales_that_no_scheme_reads_are_refused(arrays):
    with pytest.raises(NotUnderstoodError, match="in a way that is not known"):
        unpack(module(**arrays))


@pytest.mark.spec("PAK-13")
@pytest.mark.parametrize(
    "arrays",
    [
        {},
        {"weight": np.ones((4, 4), np.float32), "bias": np.ones(4, np.float32)},
        {"weight": WEIGHT, "bias": np.ones(4, np.float32)},
        {"weight": np.ones((4, 4), E4M3)},
        {"weight": np.ones((4, 4), E4M3), "input_scale": np.ones((), np.float32)},
        {"B": np.ones((4, 4), np.float32), "s": np.ones((4, 4), np.float32)},
        {"weight": np.ones(4, np.float32), "scale": np.ones(4, np.float32)},
        {"weight": WEIGHT, "bias": np.ones((4, 4), np.float32)},
        {"weight_mask": np.ones((4, 4), np.uint8), "weight_orig": np.ones((4, 4), np.float32)},
        {"position_ids": np.ones((4, 4), np.int64), "position_scale": np.ones(4)},
    ],
)
def test_modules_that_are_not_packed(arrays):
    assert unpack(module(**arrays)) == ()


NAMES = [
    *("weight", "weight_packed", "weight_scale", "weight_scale_inv", "scale", "scale_weight"),
    *("weight_scale_2", "weight_global_scale", "weight_zero_point", "weight_shape"),
    *("weight_g_idx", "a_blocks", "a_scales", "comfy_quant", "down_proj", "down_proj_scale_inv"),
]
TYPES = [np.int8, np.uint8, np.int32, np.int64, np.float32, np.float16, E4M3]
SETTINGS = [None, {}, [], "x", 3, -1, [1, 1], [2, 16], {"a": {"weights": {"num_bits": 4}}}]


@st.composite
def random_modules(draw):
    seed = np.random.default_rng(draw(st.integers(0, 2**32)))
    arrays = {}
    for name in draw(st.sets(st.sampled_from(NAMES), max_size=5)):
        shape = draw(st.lists(st.sampled_from([0, 1, 2, 4, 16, 32]), max_size=4))
        codes = seed.integers(0, 256, shape)
        arrays[name] = np.asarray(codes).astype(draw(st.sampled_from(TYPES)))
    config = {
        "quant_method": draw(st.sampled_from(["fp8", "modelopt", "compressed-tensors", 4])),
        "weight_block_size": draw(st.sampled_from(SETTINGS)),
        "config_groups": draw(st.sampled_from(SETTINGS)),
    }
    settings = {
        "quantization_config": draw(st.sampled_from([config, {}, 3])),
        "hf_quant_config": draw(st.sampled_from([{}, {"quantization": {"group_size": 16}}, []])),
        "metadata": draw(st.sampled_from([{}, {"_quantization_metadata": "[]"}])),
    }
    return module(settings, **arrays)


@pytest.mark.spec("PAK-13")
@given(random_modules())
def test_any_module_is_read_or_refused_with_an_error_of_ours(packed):
    """A tensor that is read decodes to its shape, or says what is wrong with its numbers."""
    try:
        found = unpack(packed)
    except (NotUnderstoodError, DamagedPackingError) as error:
        assert "layer" in str(error)
        return
    for tensor in found:
        assert set(tensor.parts) <= set(packed.tensors)
        try:
            values = tensor[...]
        except LayerError as error:
            assert "tensor 'layer" in str(error)
        else:
            assert values.shape == tensor.shape
            assert values.dtype == np.float64


def test_no_module_is_of_two_schemes():
    assert len(set(SCHEMES)) == len(SCHEMES)
