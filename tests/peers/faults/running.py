"""Run the tools quietly and bring what they return into JSON."""

import contextlib
import io
import logging
import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

Outcome = dict[str, Any]

FIT = ("alpha", "sigma", "xmin", "num_pl_spikes", "status", "warning")
"""Columns of WeightWatcher's fit."""


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silence prints, logs and warnings."""
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with (
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def plain(value: Any) -> Any:
    """Make a value JSON: numbers as Python's; NaN and infinities as strings."""
    if isinstance(value, dict):
        return {key: plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [plain(entry) for entry in value]
    number = value.item() if hasattr(value, "item") else value
    return repr(number) if isinstance(number, float) and not math.isfinite(number) else number


def error(call: Callable[[], Any]) -> Outcome:
    """Kind and first line of the exception that a call raises."""
    try:
        call()
    except Exception as exception:
        return {"error": f"{type(exception).__name__}: {exception}".splitlines()[0]}
    return {"error": None}


def linear(*weights: np.ndarray) -> Any:
    """Build a torch module of linear layers."""
    import torch
    from torch import nn

    layers = [nn.Linear(W.shape[1], W.shape[0], bias=False) for W in weights]
    for layer, W in zip(layers, weights, strict=True):
        layer.weight.data = torch.from_numpy(W.copy())
    return nn.Sequential(*layers)


def convolution(kernel: np.ndarray) -> Any:
    """Build a torch module of one two-dimensional convolution."""
    import torch
    from torch import nn

    out, in_, *sides = kernel.shape
    layer = nn.Conv2d(in_, out, sides, bias=False)
    layer.weight.data = torch.from_numpy(kernel.copy())
    return nn.Sequential(layer)


def watch(model: Any, base_model: Any = None) -> Any:
    """Make a WeightWatcher of a model."""
    import weightwatcher

    return weightwatcher.WeightWatcher(model=model, base_model=base_model)


def details(model: Any, **options: Any) -> list[Outcome]:
    """Rows of the table that `analyze` returns."""
    rows: list[Outcome] = watch(model).analyze(**options).to_dict(orient="records")
    return rows


def columns(row: Outcome, *names: str) -> Outcome:
    """Some columns of a row."""
    return {name: row[name] for name in names}
