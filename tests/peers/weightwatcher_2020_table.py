"""Write the table that WeightWatcher 0.2.7 makes of `LAYERS`, for the tests that run without it.

    PYTHONPATH=tests python tests/peers/weightwatcher_2020_table.py

in an environment that holds weightwatcher 0.2.7 and powerlaw 1.4.6 (both installed with --no-deps),
numpy below 2, with which that program computes in float32, scikit-learn, pandas, matplotlib and
torch. TensorFlow and Keras, which it imports and a torch model does not need, are replaced by empty
modules.
"""

import logging
import sys
import types
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from networks import heavy

FIXTURE = Path(__file__).with_name("fixtures") / "weightwatcher-0.2.7.csv"


def layers() -> dict[str, np.ndarray]:
    """Two convolutions, one of them too narrow to be analyzed, and two linear layers."""
    rng = np.random.default_rng(27)
    return {
        "conv": heavy(rng, 60, 64, 3, 3),
        "dense": heavy(rng, 70, 110),
        "flat": ((rng.random((200, 100)) - 0.5) / 3).astype(np.float32),
        "narrow": heavy(rng, 20, 64, 2, 2),
    }


def stand_in(name: str) -> Any:
    """Make an empty module that has the classes of layers that the program asks for."""
    module: Any = types.ModuleType(name)
    module.__path__ = []
    module.__version__ = "none"
    kinds = {kind: type(kind, (), {}) for kind in ("Dense", "Conv1D", "Conv2D", "Embedding")}
    module.layers = types.SimpleNamespace(
        **kinds, core=types.SimpleNamespace(**kinds), convolutional=types.SimpleNamespace(**kinds)
    )
    module.load_model = None
    return module


def main() -> None:
    """Run the program and write its details."""
    names = ("tensorflow", "tensorflow.keras", "keras", "keras.models")
    sys.modules.update({name: stand_in(name) for name in names})
    sys.modules["tensorflow"].keras = sys.modules["tensorflow.keras"]  # type: ignore[attr-defined]
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    import torch
    import weightwatcher
    from torch import nn

    logging.disable(logging.CRITICAL)
    weights = layers()
    modules = []
    for W in weights.values():
        out, in_, *kernel = W.shape
        module = nn.Conv2d(in_, out, kernel) if kernel else nn.Linear(in_, out)
        module.weight.data = torch.from_numpy(W)
        modules.append(module)
    watcher = weightwatcher.WeightWatcher(model=nn.Sequential(*modules))
    results = watcher.analyze(alphas=True, softranks=True, spectralnorms=True)
    watcher.get_details(results=results).to_csv(FIXTURE)


if __name__ == "__main__":
    main()
