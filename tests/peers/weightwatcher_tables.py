"""Write the tables that WeightWatcher makes of `networks`, for the tests that run without it.

    PYTHONPATH=tests python tests/peers/weightwatcher_tables.py

in an environment that holds weightwatcher 0.7.7 and torch. NaN and infinities become strings.
"""

import contextlib
import io
import json
import logging
import math
import warnings
from collections import OrderedDict
from importlib.metadata import version
from pathlib import Path
from typing import Any

from networks import CONVOLUTIONS, Weights, networks, role

FIXTURE = Path(__file__).with_name("fixtures") / "weightwatcher-0.7.7.json"


def module(weights: Weights) -> Any:
    """Build a torch module that holds these weights."""
    import torch
    from torch import nn

    layers = OrderedDict()
    for name, weight in weights.items():
        if weight.ndim == 4:
            groups = CONVOLUTIONS.get(name, 1)
            out, in_, *sides = weight.shape
            layer = nn.Conv2d(in_ * groups, out, sides, groups=groups, bias=False)
        elif role(name) == "embedding":
            layer = nn.Embedding(*weight.shape)
        else:
            layer = nn.Linear(weight.shape[1], weight.shape[0], bias=False)
        layer.weight.data = torch.from_numpy(weight.copy())
        layers[name] = layer
    return nn.Sequential(layers)


def tables() -> dict[str, Any]:
    """Run WeightWatcher on every network: details by layer, and the summary."""
    logging.disable(logging.CRITICAL)
    warnings.simplefilter("ignore")
    import weightwatcher

    found = {}
    for network, weights in networks().items():
        with contextlib.redirect_stdout(io.StringIO()):
            watcher = weightwatcher.WeightWatcher(model=module(weights))
            details = watcher.analyze()
            summary = watcher.get_summary(details)
        rows = [plain(row) for row in details.to_dict(orient="records")]
        found[network] = {
            "details": {row.pop("name"): row for row in rows},
            "summary": plain(summary),
        }
    return {"weightwatcher": version("weightwatcher"), "networks": found}


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """Make a row JSON: NumPy's numbers as Python's, what is not a number as a string."""
    result = {}
    for key, value in row.items():
        number = value.item() if hasattr(value, "item") else value
        finite = not isinstance(number, float) or math.isfinite(number)
        result[key] = number if finite else repr(number)
    return result


if __name__ == "__main__":
    FIXTURE.write_text(json.dumps(tables(), indent=1) + "\n", encoding="utf-8")
