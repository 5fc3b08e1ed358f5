"""What the schema of reports calls the means of a layer and of a model."""

import json
from pathlib import Path

SPEC = Path(__file__).parents[1] / "spec"
_DEFINED = json.loads((SPEC / "schemas" / "report.schema.json").read_text(encoding="utf-8"))[
    "$defs"
]
LAYER_MEANS: list[str] = _DEFINED["layerMeans"]["required"]
MODEL_MEANS = {"alpha_hat": "weighted_alpha"} | {
    name: name.removeprefix("mean_")
    for name in _DEFINED["model"]["required"]
    if name.startswith("mean_")
}
"""Means of a model, and the number of a matrix that each of them is the mean of (MET-10)."""
