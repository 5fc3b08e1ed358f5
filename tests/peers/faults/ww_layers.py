"""Faults of WeightWatcher in finding layers, reading files and taking options."""

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from . import inputs
from .running import Outcome, columns, convolution, details, error, linear, watch


def state_dict(**tensors: np.ndarray) -> dict[str, Any]:
    """Tensors by name, as torch has them."""
    import torch

    return {name.replace("__", "."): torch.from_numpy(W.copy()) for name, W in tensors.items()}


def names(rows: list[Outcome]) -> list[str]:
    """Names of the layers that were analyzed."""
    return [row["name"] for row in rows]


def base_model_ignored() -> Outcome:
    """A model whose difference from its base is asked for in the call of `analyze`."""
    model = linear(inputs.heavy_matrix())
    base = linear(inputs.heavy_matrix(7))
    late = watch(model).analyze(base_model=base)["log_norm"][0]
    early = watch(model, base).analyze()["log_norm"][0]
    return {"log_norm by analyze": late, "log_norm by the constructor": early}


def base_model_in_checkpoint() -> Outcome:
    """Two checkpoints that hold their weights under the key state_dict."""
    model = {"state_dict": state_dict(a__weight=inputs.heavy_matrix())}
    base = {"state_dict": state_dict(a__weight=inputs.heavy_matrix(7))}
    return error(lambda: watch(model, base).analyze())


def kinds_skipped_silently() -> Outcome:
    """A model of one analysable layer and five others that hold weights."""
    from torch import nn

    model = nn.Sequential(
        *linear(inputs.heavy_matrix(), inputs.heavy_matrix(5, 20, 7)),
        nn.Conv1d(16, 24, 3),
        nn.Conv3d(8, 8, 3),
        nn.ConvTranspose2d(8, 8, 3),
        nn.LSTM(16, 16),
    )
    return {"layers": [row["longname"] for row in details(model)]}


def stacks_dropped() -> Outcome:
    """A tensor of two stacked matrices beside a matrix."""
    W = inputs.heavy_matrix()
    return {"layers": names(details(state_dict(a__weight=W, experts__weight=np.stack([W, W]))))}


def other_names_dropped() -> Outcome:
    """A tensor whose name does not end in .weight beside one whose name does."""
    W = inputs.heavy_matrix()
    return {"layers": names(details(state_dict(a__weight=W, gate_up_proj=W)))}


def no_name_ends_in_weight() -> Outcome:
    """One matrix called a."""
    return error(lambda: details(state_dict(a=inputs.heavy_matrix())))


def quantization_scale_ignored() -> Outcome:
    """Rows quantized to 8 bits, each with a scale of its own."""
    rows = details(state_dict(a__weight=inputs.quantized()[0], a__scale=inputs.quantized()[1]))
    return columns(rows[0], "alpha", "log_norm")


def single_file() -> Outcome:
    """The path of a .safetensors file."""
    from safetensors.numpy import save_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file({"a.weight": inputs.heavy_matrix()}, path)
        return error(lambda: details(str(path)))


def layer_ids_of_shards() -> Outcome:
    """A folder of three files with two layers each."""
    from safetensors.numpy import save_file

    with tempfile.TemporaryDirectory() as folder:
        for shard in range(3):
            tensors = {f"l{2 * shard + i}.weight": inputs.heavy_matrix() for i in range(2)}
            save_file(tensors, Path(folder) / f"model-0000{shard + 1}-of-00003.safetensors")
        return {"layer_id": [row["layer_id"] for row in details(folder)]}


def option(**options: Any) -> Outcome:
    """What an option of `analyze` raises."""
    return error(lambda: details(convolution(inputs.narrowing_kernel()), **options))


def fft() -> Outcome:
    """The option fft."""
    return option(fft=True)


def channels_first() -> Outcome:
    """The option channels."""
    return option(channels="first")


def no_limit_of_size() -> Outcome:
    """Limits switched off."""
    limits: Mapping[str, Any] = {"max_evals": None, "max_N": None, "min_evals": None}
    return {name: option(**{name: value})["error"] for name, value in limits.items()}


def max_rows_alone() -> Outcome:
    """The greatest number of rows lowered below the default of max_evals."""
    return {"refused": option(max_N=10_000)["error"] is not None}


def analyze_vectors() -> Outcome:
    """The method analyze_vectors."""
    return error(lambda: watch(linear(inputs.heavy_matrix())).analyze_vectors(plot=False))
