"""Small networks for comparisons with other tools: weights from a seed, never from a file."""

import numpy as np

Weights = dict[str, np.ndarray]


def heavy(
    rng: np.random.Generator, *shape: int, mu: float = 3.0, scale: float = 0.05
) -> np.ndarray:
    """Symmetric Pareto entries, made of uniform numbers alone so that they never change."""
    u = rng.random((2, *shape))
    return (scale * np.sign(u[0] - 0.5) * (1.0 - u[1]) ** (-1.0 / mu)).astype(np.float32)


def networks() -> dict[str, Weights]:
    """Weights by network and layer; axes out, in, k1, k2."""
    rng = np.random.default_rng(20240229)
    u, v = heavy(rng, 64, 2), heavy(rng, 2, 48)
    return {
        "mlp": {
            "fc1": heavy(rng, 256, 64),
            "fc2": heavy(rng, 128, 256, mu=2.0),
            "fc3": heavy(rng, 10, 128),
        },
        "convnet": {
            "conv3x3": heavy(rng, 32, 16, 3, 3),
            "conv1x1": heavy(rng, 64, 32, 1, 1),
            "conv5x5": heavy(rng, 16, 24, 5, 5),
            "narrowing2x2": heavy(rng, 12, 40, 2, 2),
            "grouped": heavy(rng, 32, 8, 3, 3),
            "depthwise": heavy(rng, 24, 1, 3, 3),
            "first": heavy(rng, 8, 3, 3, 3),
        },
        "transformer": {
            "qkv": heavy(rng, 192, 64),
            "proj": heavy(rng, 64, 64, mu=1.5),
            "up": heavy(rng, 256, 64, mu=4.0),
            "down": heavy(rng, 64, 256, mu=4.0),
        },
        "embedding": {
            "tokens": heavy(rng, 500, 48, scale=1.0),
            "positions": heavy(rng, 40, 48, scale=0.3),
            "head": heavy(rng, 30, 48),
        },
        "few eigenvalues": {
            f"fc{M}": heavy(rng, 2 * M, M) for M in (7, 8, 9, 12, 18, 19, 20, 21, 24)
        },
        "degenerate": {
            "zero": np.zeros((48, 32), np.float32),
            "identity": np.eye(64, dtype=np.float32),
            "rank2": (u.astype(float) @ v).astype(np.float32),
            "small": 1e-3 * heavy(rng, 96, 64, scale=1.0),
            "tiny": 1e-5 * heavy(rng, 96, 64),
            "ten above the floor": np.diag(np.geomspace(1e-5, 0.1, 30)).astype(np.float32),
        },
    }


CONVOLUTIONS = {"grouped": 4, "depthwise": 24}
"""Groups of the convolutions that have several."""


def role(name: str) -> str:
    """Role of a layer by its name."""
    return "embedding" if name in ("tokens", "positions") else "weight"
