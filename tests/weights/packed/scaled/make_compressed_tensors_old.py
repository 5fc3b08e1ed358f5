# /// script
# dependencies = ["compressed-tensors==0.9.0", "torch==2.13.0", "safetensors==0.8.0"]
# ///
"""Fixtures of compressed-tensors' layout up to 0.13; run it with 0.9.0 and with 0.13.0."""

from importlib.metadata import version

import torch
from compressed_tensors.compressors import BaseCompressor
from compressed_tensors.quantization import QuantizationArgs
from compressed_tensors.quantization.utils import calculate_qparams
from saving import save

VERSION = version("compressed-tensors")


def make(name, shape, bits, group_size, symmetric=True, is_ordered=True):
    args = {"num_bits": bits, "type": "int", "symmetric": symmetric}
    args |= {"strategy": "group", "group_size": group_size}
    if not is_ordered:
        args["actorder"] = "group"
    stated = QuantizationArgs(**args)
    weight = (torch.randn(shape) * 0.02).to(torch.bfloat16)
    groups = torch.arange(shape[1], dtype=torch.int32) // group_size
    if not is_ordered:
        groups = groups[torch.randperm(shape[1])]
    parts = weight[:, torch.argsort(groups)].reshape(shape[0], -1, group_size)
    scale, zero = calculate_qparams(parts.amin(-1), parts.amax(-1), stated)
    given = {"scale": scale.to(weight.dtype), "zero_point": zero.to(torch.int8)}
    state = {"weight_scale": given["scale"]}
    if not symmetric:
        state["weight_zero_point"] = given["zero_point"]
    if not is_ordered:
        state["weight_g_idx"] = given["g_idx"] = groups
    compressor = BaseCompressor.load_from_registry("pack-quantized")
    state |= compressor.compress_weight(weight, quantization_args=stated, **given)
    matrix = compressor.decompress_weight(dict(state), stated)
    group = {"targets": ["Linear"], "weights": stated.model_dump(mode="json")}
    config = {"quant_method": "compressed-tensors", "format": "pack-quantized"}
    settings = {"quantization_config": {**config, "config_groups": {"group_0": group}}}
    save(f"ct{VERSION}_{name}", state, matrix, f"compressed-tensors {VERSION}", settings)


def main():
    torch.manual_seed(2026)
    make("int4_group", (40, 96), 4, 32)
    make("int4_zeros", (42, 96), 4, 32, symmetric=False)
    make("int4_act_order", (42, 96), 4, 32, symmetric=False, is_ordered=False)
    make("int3_zeros", (42, 96), 3, 32, symmetric=False)
    make("int6_group", (20, 64), 6, 32)


if __name__ == "__main__":
    main()
