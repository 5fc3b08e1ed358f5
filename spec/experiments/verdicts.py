# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "htsr-ref"]
# ///
"""How often each verdict falls on matrices whose nature is known.

One row of the table is one kind of matrix, one shape and one convention: over the draws, how often
each verdict of VRD falls. Both conventions see the same matrices, stored in single precision as
weights are.

    OPENBLAS_NUM_THREADS=1 uv run verdicts.py    # writes verdicts.csv beside this file
"""

import csv
import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri

from htsr_ref import get_convention, open_weights
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.planning import plan_layer
from htsr_ref.reports.verdicts import VERDICTS, verdict_of
from htsr_ref.spectra.store import MemoryStore

Array = NDArray[np.float64]
Shape = tuple[int, int]
Kind = Callable[[Shape, np.random.Generator], Array]

SEED = 20_200_518
DRAWS, DRAWS_OF_LARGE, LARGE = 50, 20, 500
SHAPES = (
    *((25, 25), (50, 50), (100, 100), (200, 200), (500, 500)),
    *((100, 50), (200, 100), (400, 200), (1000, 500)),
)
CONVENTIONS = ("sdm2020", "sdm2020-text")
OUTPUT = Path(__file__).with_suffix(".csv")


def with_signs(sizes: Array, rng: np.random.Generator) -> Array:
    """Give positive entries a random sign."""
    return sizes * rng.choice((-1.0, 1.0), sizes.shape)


def truncated_normal(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw normal entries between -2 and 2."""
    return np.asarray(ndtri(rng.uniform(ndtr(-2.0), ndtr(2.0), shape)))


def orthogonal(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw orthonormal columns, uniformly."""
    q, r = np.linalg.qr(rng.standard_normal(shape))
    return np.asarray(q * np.sign(np.diag(r)))


def slice_of_orthogonal(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw one position of a 3×3 kernel whose flattened weight is orthogonal."""
    rows, columns = shape
    return orthogonal((9 * rows, columns), rng)[4 * rows : 5 * rows]


def student(freedom: int) -> Kind:
    """Student-t entries with some degrees of freedom, P(|x| > t) ~ t^-freedom."""
    return lambda shape, rng: rng.standard_t(freedom, shape)


def lognormal(sigma: float) -> Kind:
    """Entries of random sign whose logarithm is normal."""
    return lambda shape, rng: with_signs(rng.lognormal(0.0, sigma, shape), rng)


def pareto(mu: float) -> Kind:
    """Entries of random sign with P(|x| > t) = t^-μ."""
    return lambda shape, rng: with_signs((1.0 - rng.random(shape)) ** (-1.0 / mu), rng)


def spiked(number: int, spread: float = 0.0) -> Kind:
    """Noise, whose singular values are at most about 2, and a signal's of 2 to 8.

    The columns of the noise have standard deviations from 1 - spread to 1 + spread.
    """

    def draw(shape: Shape, rng: np.random.Generator) -> Array:
        rows, columns = shape
        left, right = orthogonal((rows, number), rng), orthogonal((columns, number), rng)
        scales = rng.uniform(1.0 - spread, 1.0 + spread, columns)
        noise = rng.standard_normal(shape) * scales / np.sqrt(rows)
        return np.asarray(noise + (left * rng.uniform(2.0, 8.0, number)) @ right.T)

    return draw


def correlated(shape: Shape, rng: np.random.Generator) -> Array:
    """Draw Gaussian rows in which neighbors correlate by 0.5."""
    drawn = rng.standard_normal(shape)
    for column in range(1, shape[1]):
        drawn[:, column] = 0.5 * drawn[:, column - 1] + np.sqrt(0.75) * drawn[:, column]
    return drawn


def power_law(alpha: float) -> Kind:
    """Eigenvalues drawn independently from a power law of this exponent, from 1 up."""

    def draw(shape: Shape, rng: np.random.Generator) -> Array:
        eigenvalues = (1.0 - rng.random(shape[1])) ** (-1.0 / (alpha - 1.0))
        right = orthogonal((shape[1], shape[1]), rng)
        return np.asarray((orthogonal(shape, rng) * np.sqrt(eigenvalues)) @ right.T)

    return draw


KINDS: dict[str, Kind] = {
    "Gaussian": lambda shape, rng: rng.standard_normal(shape),
    "bounded (uniform)": lambda shape, rng: rng.uniform(-1.0, 1.0, shape),
    "truncated normal": truncated_normal,
    "orthogonal": orthogonal,
    "slice of an orthogonal kernel": slice_of_orthogonal,
    **{f"Student t, {freedom} d.o.f.": student(freedom) for freedom in (10, 8, 6, 5, 4, 3)},
    "lognormal, sigma = 0.5": lognormal(0.5),
    "lognormal, sigma = 1": lognormal(1.0),
    **{f"Pareto, mu = {mu:g}": pareto(mu) for mu in (3.0, 2.5, 2.0, 1.5, 1.0)},
    "noise and 1 spike": spiked(1),
    "noise and 10 spikes": spiked(10),
    "uneven noise and 10 spikes": spiked(10, spread=0.2),
    "correlated columns": correlated,
    **{f"power law, alpha = {alpha:g}": power_law(alpha) for alpha in (4.0, 3.0, 2.0)},
}


def rows() -> Iterator[dict[str, object]]:
    """All rows of the table; each kind and shape has its own stream of random numbers."""
    conventions = {name: get_convention(name) for name in CONVENTIONS}
    for (s, shape), (k, kind) in itertools.product(enumerate(SHAPES), enumerate(KINDS)):
        rng = np.random.default_rng([SEED, k, s])
        draws = DRAWS_OF_LARGE if shape[1] >= LARGE else DRAWS
        counts = {name: Counter[str]() for name in CONVENTIONS}
        for _ in range(draws):
            weights = open_weights({"matrix": KINDS[kind](shape, rng).astype(np.float32)})
            store = MemoryStore()
            for name, convention in conventions.items():
                planned = plan_layer(weights.layers[0], convention)
                layer = analyze_layer(planned, convention, "auto", store=store)
                counts[name][verdict_of(layer.matrices[0]).name] += 1
        for name, found in counts.items():
            yield {
                "kind": kind,
                "rows": shape[0],
                "columns": shape[1],
                "convention": name,
                "draws": draws,
                **{verdict: found[verdict] for verdict in VERDICTS},
            }


def main() -> None:
    """Write the table."""
    table = list(rows())
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
