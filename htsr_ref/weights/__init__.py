"""Weight files in, lazy layers out: the format htsr-weights/2 and its readers."""

from htsr_ref.weights.converting import Converted, convert
from htsr_ref.weights.layer import Layer, Part, Weights
from htsr_ref.weights.opening import open_weights
from htsr_ref.weights.selection import select
from htsr_ref.weights.stored import StoredTensor
from htsr_ref.weights.tensor_spec import Quantization, TensorSpec
from htsr_ref.weights.writer import write_weights

__all__ = [
    "Converted",
    "Layer",
    "Part",
    "Quantization",
    "StoredTensor",
    "TensorSpec",
    "Weights",
    "convert",
    "open_weights",
    "select",
    "write_weights",
]
