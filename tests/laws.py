"""One law of each shape, and tails of every kind, for the tests of distributions."""

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray
from strategies import generators, positive_samples

from htsr_ref.powerlaw.distributions import (
    BoundedPowerLaw,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)

EXAMPLES = (
    PowerLaw(1.01, 1.0),
    PowerLaw(2.5, 3.0),
    PowerLaw(30.0, 1e-300),
    BoundedPowerLaw(2.5, 1.0, 50.0),
    BoundedPowerLaw(1.0, 1.0, 50.0),
    BoundedPowerLaw(-3.0, 1.0, 50.0),
    BoundedPowerLaw(1.5, 1e-300, 1e300),
    TruncatedPowerLaw(0.0, 0.2, 3.0),
    TruncatedPowerLaw(0.7, 1e-5, 3.0),
    TruncatedPowerLaw(1.0, 1e-9, 1.0),
    TruncatedPowerLaw(1.5, 0.1, 1.0),
    TruncatedPowerLaw(2.5, 0.0, 1.0),
    TruncatedPowerLaw(3.0, 100.0, 1.0),
    TruncatedPowerLaw(30.0, 40.0, 1.0),
    TruncatedPowerLaw(0.9, 1e-300, 1e-300),
    Exponential(0.3, 3.0),
    Exponential(1e-300, 1e-300),
    StretchedExponential(0.0, 0.4, 3.0),
    StretchedExponential(1e-12, 0.4, 1.0),
    StretchedExponential(0.5, 0.4, 3.0),
    StretchedExponential(3.0, -5.0, 1.0),
    Lognormal(0.5, 1.0, 3.0),
    Lognormal(9.0, 0.3, 1.0),
    Lognormal(-5.0, 2.0, 1.0),
    Lognormal(-4e4, 1e2, 1.0),
    Lognormal(600.0, 100.0, 1e-300),
)


@st.composite
def extreme_tails(draw: st.DrawFn) -> NDArray[np.float64]:
    """Positive samples at the ends of what binary64 holds, of at least two distinct values."""
    rng = draw(generators)
    n = draw(st.integers(2, 30))
    kinds = {
        "everywhere": 10.0 ** rng.uniform(-300, 300, n),
        "one giant": np.append(np.ones(n), 10.0 ** rng.uniform(0, 300)),
        "one dwarf": np.append(1e300 * (1 - rng.random(n) / 2), 1e-300),
        "neighbors of 1": np.append(1.0 + 2.0**-52 * rng.integers(1, 5, n), 1.0),
        "neighbors of 1e-300": np.append(1e-300 * (1 + 4e-16 * rng.integers(1, 9, n)), 1e-300),
        "neighbors of 1e300": np.append(1e300 * (1 + 4e-16 * rng.integers(1, 9, n)), 1e300),
        "narrow": 1.0 + 10.0 ** -rng.uniform(0, 16) * rng.random(n),
        "wide lognormal": np.exp(80.0 * rng.random() * rng.standard_normal(n)),
    }
    tail = kinds[draw(st.sampled_from(sorted(kinds)))]
    return tail if tail.min() < tail.max() else np.array([1.0, 2.0])


tails = st.one_of(positive_samples, extreme_tails())
