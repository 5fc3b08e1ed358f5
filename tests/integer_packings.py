"""Modules of packed tensors for tests: from fixtures, and from arrays in memory."""

import json
from pathlib import Path

import ml_dtypes
import numpy as np
import safetensors

from htsr_ref.weights.backing import InMemory
from htsr_ref.weights.container import RawTensor
from htsr_ref.weights.dtypes import codes_of, decode
from htsr_ref.weights.packed.packed_module import PackedModule
from htsr_ref.weights.safetensors_file import read_safetensors

FIXTURES = Path(__file__).parent / "weights" / "packed" / "fixtures"


def raw(name: str, array: np.ndarray) -> RawTensor:
    """A tensor in memory; ml_dtypes' arrays are those of their types."""
    return RawTensor(name, array.shape, array.dtype.name, InMemory(codes_of(array)))


def module(arrays: dict[str, np.ndarray], **settings) -> PackedModule:
    """The module "m" with these tensors and settings."""
    return PackedModule("m", {key: raw(f"m.{key}", a) for key, a in arrays.items()}, settings)


def fixture(name: str) -> tuple[PackedModule, np.ndarray, str]:
    """The module that a library wrote, its matrix as float64, and that matrix's number type."""
    path = FIXTURES / f"{name}.safetensors"
    tensors = {tensor.name: tensor for tensor in read_safetensors(path).tensors}
    expected = tensors.pop("expected")
    with safetensors.safe_open(path, "np") as file:
        settings = json.loads(file.metadata()["settings"])
    members = {key.removeprefix("m."): tensor for key, tensor in tensors.items()}
    everything = (slice(None),) * len(expected.shape)
    values = decode(expected.backing.read(everything), expected.dtype)
    return PackedModule("m", members, settings), values, expected.dtype


def arrays_of(packed: PackedModule) -> dict[str, np.ndarray]:
    """The tensors' numbers, writable."""
    arrays = {}
    for key, tensor in packed.tensors.items():
        codes = np.array(tensor.backing.read((slice(None),) * len(tensor.shape)))
        is_bfloat16 = tensor.dtype == "bfloat16"
        arrays[key] = codes.view(ml_dtypes.bfloat16) if is_bfloat16 else codes
    return arrays
