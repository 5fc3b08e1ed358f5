"""What a library stored, and the matrix that it made of it: ours by its steps is the same."""

import ml_dtypes
import numpy as np
import pytest
from scaled_modules import FIXTURES, fixture

from htsr_ref.weights.packed.packed_module import NotUnderstoodError, PackedModule
from htsr_ref.weights.packed.schemes import unpack

REFUSED = sorted(FIXTURES.glob("refused_*.safetensors"))
READ = sorted(set(FIXTURES.glob("*.safetensors")) - set(REFUSED))
ROUNDED_TWICE = [path for path in READ if "nvfp4" in path.name]
ROUNDED_ONCE = [path for path in READ if "nvfp4" not in path.name]
TYPES = {"float32": np.float32, "bfloat16": ml_dtypes.bfloat16}


def test_the_fixtures_are_there():
    names = {path.stem for path in FIXTURES.glob("*.safetensors")}
    assert {"fp8_blocks", "fp8_ragged", "fp8_stack", "mxfp4_stack", "fp4_in_int8"} <= names
    assert {"ct_int3_zeros", "ct0.9.0_int4_act_order", "ct0.13.0_int3_zeros"} <= names
    assert {"ct_nvfp4", "ct_mxfp4", "ct_mxfp8", "modelopt_nvfp4", "modelopt_nvfp4_stack"} <= names
    assert {"comfy_fp8", "comfy_int8_tensor", "comfy_int8_rows"} <= names
    assert {"refused_comfy_mxfp8", "refused_comfy_nvfp4"} <= names


@pytest.mark.spec("PAK-1", "PAK-5", "PAK-6", "PAK-7", "PAK-8", "PAK-10")
@pytest.mark.parametrize("path", ROUNDED_ONCE, ids=lambda path: path.stem)
def test_rounded_once_to_the_library_type(path):
    """All of these libraries round the product once, to the type of the scale."""
    packed, matrix, dtype = fixture(path)
    (tensor,) = unpack(packed)
    assert tensor.shape == matrix.shape
    ours = tensor[...].astype(TYPES[dtype]).astype(np.float64)
    np.testing.assert_array_equal(ours, matrix)


@pytest.mark.spec("PAK-11", "PAK-12")
@pytest.mark.parametrize("path", ROUNDED_TWICE, ids=lambda path: path.stem)
def test_rounded_with_the_scales_and_again_with_the_code(path):
    """Both libraries round the two scales' product or quotient to float32, then the whole."""
    packed, matrix, dtype = fixture(path)
    (tensor,) = unpack(packed)
    scales = packed.tensors["weight_scale"]
    blocks = scales.backing.read((slice(None),) * len(scales.shape))
    blocks = blocks.view(ml_dtypes.float8_e4m3fn).astype(np.float32)
    whole_name = next(
        name for name in packed.tensors if name.startswith(("weight_g", "weight_scale_2"))
    )
    whole = packed.tensors[whole_name].backing.read(
        (slice(None),) * len(packed.tensors[whole_name].shape)
    )
    is_divisor = whole_name == "weight_global_scale"
    exact = blocks.astype(np.float64) / whole if is_divisor else blocks.astype(np.float64) * whole
    once = blocks / whole.astype(np.float32) if is_divisor else blocks * whole.astype(np.float32)
    assert once.dtype == np.float32
    codes = tensor[...] / np.repeat(exact, 16, axis=-1)
    assert np.abs(2 * codes - np.rint(2 * codes)).max() < 1e-12
    codes = (np.rint(2 * codes) / 2).astype(np.float32)
    ours = (codes * np.repeat(once, 16, axis=-1)).astype(TYPES[dtype])
    np.testing.assert_array_equal(ours.astype(np.float64), matrix)


@pytest.mark.spec("PAK-9")
@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.stem)
def test_permuted_scales_are_refused_with_and_without_their_marker(path):
    """ComfyUI stores these scales in the order of a kernel; shapes do not show it."""
    packed, _, _ = fixture(path)
    with pytest.raises(NotUnderstoodError, match=r"packed by ComfyUI's '(mxfp8|nvfp4)'"):
        unpack(packed)
    unmarked = {name: part for name, part in packed.tensors.items() if name != "comfy_quant"}
    with pytest.raises(NotUnderstoodError, match="order"):
        unpack(PackedModule("module", unmarked))
