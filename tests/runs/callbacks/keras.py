# /// script
# dependencies = ["numpy", "keras==3.15.1", "jax==0.10.2"]
# ///
"""A training with Keras on JAX, which the page's code runs."""

import os
import sys
from pathlib import Path

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np

keras.utils.set_random_seed(0)
epochs = 3
model = keras.Sequential(
    [
        keras.Input((8, 8, 50)),
        keras.layers.Conv2D(60, 2, name="conv"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(70, name="dense"),
    ]
)
model.compile(optimizer="sgd", loss="mse")
rng = np.random.default_rng(0)
x, y = rng.normal(size=(64, 8, 8, 50)), rng.normal(size=(64, 70))

reports = {}
exec(Path(sys.argv[1]).read_text(encoding="utf-8"))  # Our own page.

assert list(reports) == ["epoch-0", "epoch-1", "epoch-2"]
last = reports["epoch-2"]
assert [layer.name.split("/")[-1] for layer in last.analyzed()] == ["conv", "dense"]
assert [len(layer.matrices) for layer in last.analyzed()] == [4, 1]
kernel = np.asarray(model.get_layer("dense").kernel, dtype=np.float64)
found = last.analyzed()[1].matrices[0].log10_frobenius_norm
assert abs(found - np.log10(np.linalg.norm(kernel))) < 1e-9
