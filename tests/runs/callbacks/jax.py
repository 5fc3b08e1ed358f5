# /// script
# dependencies = ["numpy", "jax==0.10.2", "flax==0.12.8", "optax==0.2.8"]
# ///
"""A loop with JAX and Flax, which the page's code runs."""

import sys
from pathlib import Path

import jax
import numpy as np
import optax
from flax import nnx

epochs = 3


class Net(nnx.Module):
    def __init__(self, rngs):
        self.conv = nnx.Conv(50, 60, (2, 2), rngs=rngs)
        self.dense = nnx.Linear(60, 70, rngs=rngs)

    def __call__(self, x):
        return self.dense(self.conv(x).mean(axis=(1, 2)))


@nnx.jit
def train_step(model, optimizer, x, y):
    grads = nnx.grad(lambda net: ((net(x) - y) ** 2).mean())(model)
    optimizer.update(model, grads)


model = Net(nnx.Rngs(0))
optimizer = nnx.Optimizer(model, optax.sgd(0.1), wrt=nnx.Param)
keys = jax.random.split(jax.random.key(0), 4)
batches = [(jax.random.normal(key, (8, 5, 5, 50)), jax.random.normal(key, (8, 70))) for key in keys]

reports = {}
exec(Path(sys.argv[1]).read_text(encoding="utf-8"))  # Our own page.

assert list(reports) == ["epoch-0", "epoch-1", "epoch-2"]
last = {layer.name: layer for layer in reports["epoch-2"].analyzed()}
assert {name: len(layer.matrices) for name, layer in last.items()} == {"conv": 4, "dense": 1}
kernel = np.asarray(model.dense.kernel[...], dtype=np.float64)
found = last["dense"].matrices[0].log10_frobenius_norm
assert abs(found - np.log10(np.linalg.norm(kernel))) < 1e-9
