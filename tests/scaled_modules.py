"""Modules of packed weights for the tests: from arrays, and from fixtures that libraries wrote."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np

from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.dtypes import decode
from htsr_ref.weights.packed.packed_module import PackedModule
from htsr_ref.weights.safetensors_file import read_safetensors

FIXTURES = Path(__file__).parent / "weights" / "packed" / "scaled"

E4M3, E5M2 = ml_dtypes.float8_e4m3fn, ml_dtypes.float8_e5m2
E8M0, E2M1 = ml_dtypes.float8_e8m0fnu, ml_dtypes.float4_e2m1fn
BF16 = ml_dtypes.bfloat16


def raw(name, array):
    """A tensor in memory; ml_dtypes' types are stored as the integers of their width."""
    array = np.asarray(array)
    dtype = array.dtype.name
    if dtype.startswith(("bfloat", "float8")):
        array = array.view(f"u{array.dtype.itemsize}")
    return RawTensor(name, array.shape, dtype, InMemory(array))


def module(settings=None, **arrays):
    """A module named "layer" with these tensors; a double underscore in a name is a dot."""
    names = {name.replace("__", "."): array for name, array in arrays.items()}
    tensors = {name: raw(f"layer.{name}", array) for name, array in names.items()}
    return PackedModule("layer", tensors, settings or {})


def configured(**values):
    """Settings with this quantization_config."""
    return {"quantization_config": values}


def compressed(**weights):
    """Settings of compressed-tensors whose only group says this about weights."""
    groups = {"group_0": {"targets": ["Linear"], "weights": weights}}
    return configured(quant_method="compressed-tensors", config_groups=groups)


def fixture(path):
    """The module of a fixture, and the matrix that the library made of it."""
    container = read_safetensors(path)
    stored = {tensor.name: tensor for tensor in container.tensors}
    matrix = stored.pop("library")
    everything = (slice(None),) * len(matrix.shape)
    tensors = {name.removeprefix("module."): tensor for name, tensor in stored.items()}
    header = path.read_bytes()
    header = json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
    settings = json.loads(header["__metadata__"]["settings"])
    values = decode(matrix.backing.read(everything), matrix.dtype)
    return PackedModule("module", tensors, settings), values, matrix.dtype


def pairs(values):
    """Bytes of e2m1 numbers, two a byte, the first one in the low bits."""
    codes = np.asarray(values).astype(E2M1).view(np.uint8)
    return codes[..., 0::2] | codes[..., 1::2] << 4
