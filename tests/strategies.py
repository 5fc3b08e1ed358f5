"""Hypothesis strategies: weight matrices and positive samples.

Random numbers come from NumPy generators with a drawn seed: Hypothesis draws the shape, the law
and the seed, so that a failing example is short and can be repeated.
"""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

Array = NDArray[np.float64]

seeds = st.integers(0, 2**32 - 1)
generators = seeds.map(np.random.default_rng)


def haar(rng: np.random.Generator, rows: int, columns: int) -> Array:
    """Orthonormal columns, uniformly distributed: QR of a Gaussian with the signs of R moved."""
    Q, R = np.linalg.qr(rng.standard_normal((rows, columns)))
    return Q * np.sign(np.diagonal(R))


def prescribed(rng: np.random.Generator, N: int, singular_values: Array) -> Array:
    """(N, M) matrix with M given singular values and Haar singular vectors."""
    M = len(singular_values)
    return haar(rng, N, M) * singular_values @ haar(rng, M, M).T


@st.composite
def shapes(draw: st.DrawFn, min_M: int = 1, max_M: int = 20) -> tuple[int, int]:
    """N ≥ M, up to twice as tall as wide."""
    M = draw(st.integers(min_M, max_M))
    return draw(st.integers(M, 2 * M)), M


@st.composite
def prescribed_matrices(draw: st.DrawFn) -> tuple[Array, Array]:
    """A tall matrix and its singular values, ascending, from 1 down to at least 1e-12."""
    N, M = draw(shapes(min_M=2))
    rng = draw(generators)
    spread = draw(st.floats(0, 12))
    inner = 10.0 ** (-spread * rng.random(M - 2))
    sigma = np.sort(np.concatenate((inner, [1.0, 10.0**-spread])))
    return prescribed(rng, N, sigma), sigma


@st.composite
def well_conditioned_matrices(draw: st.DrawFn, min_M: int = 4, max_M: int = 20) -> Array:
    """A tall matrix whose singular values are distinct and lie between 1/30 and 1.

    Rounding moves their logarithms, and so every number of the fit, by far less than 1e-12.
    """
    N, M = draw(shapes(min_M, max_M))
    rng = draw(generators)
    steps = rng.uniform(0.2, 1.0, M)
    sigma = 30.0 ** -(np.cumsum(steps) / steps.sum())
    return prescribed(rng, N, sigma)


@st.composite
def gaussian_matrices(draw: st.DrawFn, min_M: int = 1, max_M: int = 20) -> Array:
    """Independent normal entries, of any scale."""
    shape = draw(shapes(min_M, max_M))
    scale = draw(st.sampled_from([1e-6, 0.02, 1.0, 1e6]))
    return scale * draw(generators).standard_normal(shape)


@st.composite
def heavy_tailed_matrices(draw: st.DrawFn, min_M: int = 1, max_M: int = 20) -> Array:
    """Independent Student or signed Pareto entries, P(|w| > t) ~ t^-μ."""
    shape = draw(shapes(min_M, max_M))
    mu = draw(st.sampled_from([0.8, 1.5, 2.5, 3.5]))
    rng = draw(generators)
    if draw(st.booleans()):
        return rng.standard_t(mu, shape)
    return (1 + rng.pareto(mu, shape)) * rng.choice([-1.0, 1.0], shape)


@st.composite
def degenerate_matrices(draw: st.DrawFn) -> Array:
    """Zero, rank 1, a single column, the identity, repeated rows, constant."""
    N, M = draw(shapes(min_M=2))
    rng = draw(generators)
    kinds = {
        "zero": np.zeros((N, M)),
        "rank 1": np.outer(rng.standard_normal(N), rng.standard_normal(M)),
        "single column": rng.standard_normal((N, 1)),
        "identity": np.eye(N, M),
        "repeated rows": np.repeat(rng.standard_normal((1 + N // 3, M)), 3, axis=0)[:N],
        "constant": np.full((N, M), 0.37),
    }
    return kinds[draw(st.sampled_from(sorted(kinds)))]


matrices = st.one_of(
    prescribed_matrices().map(lambda pair: pair[0]),
    gaussian_matrices(),
    heavy_tailed_matrices(),
    degenerate_matrices(),
)
"""Tall matrices of every kind above."""


@st.composite
def distinct_samples(draw: st.DrawFn, min_size: int = 2, max_size: int = 24) -> Array:
    """Positive samples without ties, in random order: power laws, lognormals, clusters."""
    size = draw(st.integers(min_size, max_size))
    rng = draw(generators)
    uniform = rng.random(size)
    laws = {
        "power law": (1 - uniform) ** (-1 / draw(st.sampled_from([0.3, 1.0, 1.5, 4.0, 20.0]))),
        "lognormal": rng.lognormal(-1.0, draw(st.sampled_from([0.1, 1.0, 3.0])), size),
        "bulk and spikes": np.where(uniform < 0.8, 1 + uniform, 100.0 ** (1 + uniform)),
    }
    return laws[draw(st.sampled_from(sorted(laws)))]


@st.composite
def tied_samples(draw: st.DrawFn, max_size: int = 24) -> Array:
    """Positive samples of at least two distinct values, most of them taken several times."""
    values = draw(st.lists(st.integers(1, 40), min_size=2, max_size=6, unique=True))
    counts = draw(st.lists(st.integers(1, max_size // 6), min_size=6, max_size=6))
    sample = np.repeat(np.array(values, dtype=np.float64), counts[: len(values)])
    return draw(generators).permutation(sample)


@st.composite
def huge_range_samples(draw: st.DrawFn, decades: int = 140) -> Array:
    """Positive samples without ties between 10^-decades and 10^decades."""
    size = draw(st.integers(2, 24))
    return 10.0 ** draw(generators).uniform(-decades, decades, size)


@st.composite
def nearly_equal_samples(draw: st.DrawFn) -> Array:
    """Positive samples whose values agree in their first digits."""
    size = draw(st.integers(2, 24))
    spread = draw(st.sampled_from([1e-3, 1e-6, 1e-9]))
    return 0.7 + spread * draw(generators).random(size)


positive_samples = st.one_of(
    distinct_samples(), tied_samples(), huge_range_samples(), nearly_equal_samples()
)
"""Samples of every kind above; all have a fit."""


@st.composite
def large_samples(draw: st.DrawFn) -> Array:
    """Ascending positive samples of 61 to 600 points, some with ties or exact quantiles."""
    sample = np.sort(draw(distinct_samples(61, 600)))
    match draw(st.sampled_from(["as drawn", "tied", "quantiles", "two power laws"])):
        case "tied":
            return np.ceil(sample * 20) / 20
        case "quantiles":
            order = (np.arange(sample.size) + 0.5) / sample.size
            return (1 - order) ** -draw(st.sampled_from([0.2, 0.7, 2.0]))
        case "two power laws":
            return np.where(sample < np.median(sample), sample, sample**2 / np.median(sample))
    return sample
