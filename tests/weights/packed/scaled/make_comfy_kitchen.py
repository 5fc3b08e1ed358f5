# /// script
# dependencies = ["comfy-kitchen==0.2.40", "torch==2.13.0", "safetensors==0.8.0"]
# ///
"""Fixtures of ComfyUI's float8 and int8, by its library of kernels; nvfp4 is refused."""

import json
from importlib.metadata import version

import torch
from comfy_kitchen.tensor import QuantizedTensor
from saving import save

MADE_BY = f"comfy-kitchen {version('comfy-kitchen')}"


def make(name, scheme, layout, shape, **options):
    quantized = QuantizedTensor.from_float(torch.randn(shape) * 0.02, layout, **options)
    marker = json.dumps({"format": scheme}).encode()
    stored = dict(quantized.state_dict("weight"))
    stored["comfy_quant"] = torch.tensor(list(marker), dtype=torch.uint8)
    matrix = quantized.dequantize()
    save(name, stored, matrix[:1] if name.startswith("refused") else matrix, MADE_BY)


def main():
    torch.manual_seed(2026)
    make("comfy_fp8", "float8_e4m3fn", "TensorCoreFP8Layout", (20, 32))
    make("comfy_int8_tensor", "int8_tensorwise", "TensorWiseINT8Layout", (20, 32))
    rows = {"is_weight": True, "per_channel": True}
    make("comfy_int8_rows", "int8_tensorwise", "TensorWiseINT8Layout", (20, 32), **rows)
    make("refused_comfy_nvfp4", "nvfp4", "TensorCoreNVFP4Layout", (128, 64))
    make("refused_comfy_mxfp8", "mxfp8", "TensorCoreMXFP8Layout", (128, 32))


if __name__ == "__main__":
    main()
