"""One fixture: a module as a library stores it, and the matrix that it makes of it."""

import json
from pathlib import Path

from safetensors.torch import save_file

HERE = Path(__file__).parent


def save(name, tensors, matrix, made_by, settings=None):
    """Write NAME.safetensors with the module's tensors and the tensor `library`."""
    tensors = {f"module.{key}": value.contiguous() for key, value in tensors.items()}
    metadata = {"made_by": made_by, "settings": json.dumps(settings or {})}
    tensors["library"] = matrix.contiguous()
    save_file(tensors, HERE / f"{name}.safetensors", metadata)
