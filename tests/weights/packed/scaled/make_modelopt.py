# /// script
# dependencies = ["nvidia-modelopt==0.47.0", "torch==2.13.0", "safetensors==0.8.0"]
# ///
"""Fixtures of NVFP4, by NVIDIA's ModelOpt."""

from importlib.metadata import version

import torch
from modelopt.torch.quantization.qtensor.nvfp4_tensor import NVFP4QTensor
from saving import save

MADE_BY = f"nvidia-modelopt {version('nvidia-modelopt')}"


def nvfp4(name, shape):
    weight = torch.randn(shape) * 0.02
    quantized, scale, whole = NVFP4QTensor.quantize(weight, 16)
    matrix = quantized.dequantize(
        torch.float32, scale=scale, double_scale=whole, block_sizes={-1: 16}
    )
    stored = {"weight": quantized._quantized_data, "weight_scale": scale}
    stored["weight_scale_2"] = whole.reshape(())
    config = {
        "producer": {"name": "modelopt"},
        "quantization": {"quant_algo": "NVFP4", "group_size": 16},
    }
    save(name, stored, matrix, MADE_BY, {"hf_quant_config": config})


def main():
    torch.manual_seed(2026)
    nvfp4("modelopt_nvfp4", (24, 64))
    nvfp4("modelopt_nvfp4_stack", (3, 8, 64))


if __name__ == "__main__":
    main()
