# /// script
# requires-python = ">=3.11"
# dependencies = ["torch", "torchvision"]
# ///
"""Shapes of the weight tensors of the torchvision models in `sdm2020/matrix_counts.csv`.

The models are built on the meta device: nothing is downloaded and nothing computed.

    uv run torchvision_shapes.py    # writes sdm2020/torchvision_shapes.json, 10 s
"""

import csv
import json
from pathlib import Path

import torch
from torchvision import models

FOLDER = Path(__file__).parent / "sdm2020"
OUTPUT = FOLDER / "torchvision_shapes.json"


def weight_shapes(name: str) -> dict[str, list[int]]:
    """Shapes of a model's tensors called "weight" that have two axes or more."""
    with torch.device("meta"):
        model = getattr(models, name)(weights=None)
    return {
        key: list(tensor.shape)
        for key, tensor in model.state_dict().items()
        if key.endswith(".weight") and tensor.ndim >= 2
    }


def main() -> None:
    """Write the shapes of every model, one model a line."""
    with (FOLDER / "matrix_counts.csv").open(encoding="utf-8") as file:
        names = [row["model"] for row in csv.DictReader(file)]
    lines = [f'"{name}": {json.dumps(weight_shapes(name))}' for name in names]
    OUTPUT.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
