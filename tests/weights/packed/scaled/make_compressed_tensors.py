# /// script
# dependencies = ["compressed-tensors==0.20.0", "torch==2.13.0", "safetensors==0.8.0"]
# ///
"""Fixtures of every form of compressed-tensors, by its compressors of today."""

import compressed_tensors
import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs, QuantizationScheme
from compressed_tensors.quantization.utils import calculate_qparams
from saving import save

MADE_BY = f"compressed-tensors {compressed_tensors.__version__}"


def blocks_of(weight, args):
    """The weight cut into the parts that share a scale: (grid rows, grid columns, numbers)."""
    rows, columns = weight.shape
    strategy = args["strategy"]
    if strategy == "tensor":
        return weight.reshape(1, -1)
    if strategy == "channel":
        return weight.reshape(rows, 1, columns)
    if strategy == "block":
        height, width = args["block_structure"]
        padded = torch.nn.functional.pad(weight, (0, -columns % width, 0, -rows % height))
        tiles = padded.reshape(padded.shape[0] // height, height, -1, width).transpose(1, 2)
        return tiles.flatten(2)
    return weight.reshape(rows, -1, args["group_size"])


def make(name, form, shape, args, dtype=torch.bfloat16):
    scheme = QuantizationScheme(targets=["Linear"], weights=QuantizationArgs(**args))
    weight = (torch.randn(shape) * 0.02).to(dtype)
    parts = blocks_of(weight, args)
    state = {"weight": weight}
    whole = None
    if form == "nvfp4-pack-quantized":
        whole = (448 * 6 / weight.abs().max()).float().reshape(1)
        state["weight_global_scale"] = whole
    scale, zero = calculate_qparams(parts.amin(-1), parts.amax(-1), scheme.weights, whole)
    state["weight_scale"] = scale if form == "nvfp4-pack-quantized" else scale.to(dtype)
    if not args.get("symmetric", True):
        state["weight_zero_point"] = zero.to(torch.int8)
    compressor = BaseCompressor.get_value_from_registry(form)
    stored = compressor.compress(state, scheme)
    matrix = compressor.decompress(stored, scheme)["weight"]
    stated = scheme.weights.model_dump(mode="json")
    group = {"targets": ["Linear"], "weights": stated, "format": form}
    config = {"quant_method": "compressed-tensors", "format": form, "config_groups": {"a": group}}
    save(name, stored, matrix, MADE_BY, {"quantization_config": config})


def integers(bits, strategy, **more):
    return {"num_bits": bits, "type": "int", "symmetric": True, "strategy": strategy, **more}


def floats(bits, strategy, **more):
    return {"num_bits": bits, "type": "float", "symmetric": True, "strategy": strategy, **more}


def main():
    torch.manual_seed(2026)
    pack, uneven = "pack-quantized", {"symmetric": False}
    make("ct_int4_group", pack, (40, 96), integers(4, "group", group_size=32))
    make("ct_int4_zeros", pack, (42, 96), integers(4, "group", group_size=32, **uneven))
    make("ct_int3_zeros", pack, (42, 96), integers(3, "group", group_size=32, **uneven))
    make("ct_int5_channel", pack, (20, 50), integers(5, "channel", **uneven))
    make("ct_int8_channel_packed", pack, (20, 50), integers(8, "channel"), torch.float32)
    make("ct_int8_tensor", "int-quantized", (20, 50), integers(8, "tensor"), torch.float32)
    make("ct_int8_channel_zeros", "int-quantized", (20, 50), integers(8, "channel", **uneven))
    make("ct_int8_group", "int-quantized", (20, 64), integers(8, "group", group_size=16))
    make("ct_fp8_tensor", "float-quantized", (20, 50), floats(8, "tensor"), torch.float32)
    make("ct_fp8_channel", "float-quantized", (20, 50), floats(8, "channel"))
    blocks = floats(8, "block", block_structure=[16, 32])
    make("ct_fp8_ragged_blocks", "float-quantized", (40, 80), blocks, torch.float32)
    make("ct_nvfp4", "nvfp4-pack-quantized", (20, 64), floats(4, "tensor_group", group_size=16))
    exponents = {"group_size": 32, "scale_dtype": torch.uint8, "zp_dtype": torch.uint8}
    make("ct_mxfp4", "mxfp4-pack-quantized", (20, 64), floats(4, "group", **exponents))
    make("ct_mxfp8", "mxfp8-quantized", (20, 64), floats(8, "group", **exponents))


if __name__ == "__main__":
    main()
