# /// script
# dependencies = ["transformers==5.24.0", "torch==2.13.0", "safetensors==0.8.0"]
# ///
"""Fixtures of float8, four-bit floats in int8, and MXFP4, by transformers' own conversions."""

from types import SimpleNamespace

import torch
from saving import save
from transformers import __version__
from transformers.integrations.finegrained_fp8 import (
    Fp8Dequantize,
    Fp8Quantize,
    _dequantize_fp8_weight,
)
from transformers.integrations.mxfp4 import convert_moe_packed_tensors

MADE_BY = f"transformers {__version__}"


def config(block, scale_fmt="float"):
    return {"quantization_config": {"quant_method": "fp8", "weight_block_size": block}}, (
        SimpleNamespace(
            quantization_config=SimpleNamespace(
                weight_block_size=block, scale_fmt=scale_fmt, dequantize=True
            )
        )
    )


def by_blocks(name, key, shape, scale_fmt="float"):
    settings, quantizer = config([32, 16], scale_fmt)
    stored = Fp8Quantize(quantizer).convert({key: torch.randn(shape) * 0.02})
    codes, scales = stored.values()
    matrix = Fp8Dequantize(quantizer)._dequantize_one(codes, scales, torch.float32)
    save(name, stored, matrix, MADE_BY, settings)


def ragged():
    settings, _ = config([32, 16])
    codes = (torch.randn(72, 40) * 100).to(torch.float8_e4m3fn)
    scales = torch.rand(3, 3) / 1000
    matrix = _dequantize_fp8_weight(codes, scales, [32, 16], torch.float32)
    save("fp8_ragged", {"weight": codes, "weight_scale_inv": scales}, matrix, MADE_BY, settings)


def by_groups_of_32(name, key, codes, scales):
    settings, quantizer = config([128, 128])
    matrix = Fp8Dequantize(quantizer)._dequantize_one(codes, scales, torch.float32)
    save(name, {key: codes, f"{key}_scale_inv": scales}, matrix, MADE_BY, settings)


def mxfp4():
    blocks = torch.randint(0, 256, (2, 24, 2, 16), dtype=torch.uint8)
    scales = torch.randint(118, 124, (2, 24, 2), dtype=torch.uint8)
    matrix = convert_moe_packed_tensors(blocks, scales).transpose(1, 2)
    tensors = {"gate_up_proj_blocks": blocks, "gate_up_proj_scales": scales}
    save(
        "mxfp4_stack", tensors, matrix, MADE_BY, {"quantization_config": {"quant_method": "mxfp4"}}
    )


def main():
    torch.manual_seed(2026)
    by_blocks("fp8_blocks", "weight", (64, 48))
    by_blocks("fp8_blocks_e8m0", "weight", (64, 48), "ue8m0")
    by_blocks("fp8_stack", "gate_up_proj", (3, 32, 32))
    ragged()
    packed = torch.randint(-128, 128, (24, 32), dtype=torch.int8)
    exponents = torch.randint(118, 124, (24, 2), dtype=torch.uint8)
    by_groups_of_32("fp4_in_int8", "weight", packed, exponents.view(torch.float8_e8m0fnu))
    packed = torch.randint(-128, 128, (3, 8, 32), dtype=torch.int8)
    by_groups_of_32("fp4_in_int8_stack", "down_proj", packed, torch.rand(3, 8, 2) / 100)
    mxfp4()


if __name__ == "__main__":
    main()
