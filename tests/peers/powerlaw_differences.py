# /// script
# requires-python = ">=3.11"
# dependencies = ["htsr-ref", "powerlaw==2.0.0"]
# ///
"""Where the package `powerlaw` and this one differ on the same tails: the table of spec/.

Not a test: run it by hand, in an environment that holds both packages. Each row is a tail whose
smallest point is xmin. The columns are ours minus theirs, in the exponent, the one-sided KS
distance and the greatest log-likelihood of each law; λ is compared relatively.

    python tests/peers/powerlaw_differences.py
"""

import sys
import warnings
from typing import Any

import numpy as np
from draws import draw
from numpy.typing import NDArray

from htsr_ref.powerlaw.distributions import (
    DISTRIBUTIONS,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)
from htsr_ref.powerlaw.ks import ks_gaps

LAWS = {
    "power_law": "Power_Law",
    "truncated_power_law": "Truncated_Power_Law",
    "exponential": "Exponential",
    "stretched_exponential": "Stretched_Exponential",
    "lognormal": "Lognormal",
}
RANGES = {
    "alpha": [0, 1000],
    "Lambda": [0, None],
    "beta": [0, None],
    "mu": [None, None],
    "sigma": [0, None],
}
"""Their ranges, widened: by default α ends at 3."""


def samples() -> dict[str, NDArray[np.float64]]:
    """Tails by name."""
    rng = np.random.default_rng(20240611)
    W = rng.standard_normal((400, 200))
    return {
        "power law, α = 2.5": draw(PowerLaw(2.5, 1.0), 200, rng),
        "power law, α = 1.3": draw(PowerLaw(1.3, 1.0), 200, rng),
        "power law, α = 6": draw(PowerLaw(6.0, 1.0), 200, rng),
        "power law, α = 2.5, xmin = 1e-6": draw(PowerLaw(2.5, 1e-6), 200, rng),
        "truncated, α = 1.5, λ = 0.01": draw(TruncatedPowerLaw(1.5, 0.01, 1.0), 500, rng),
        "truncated, α = 2.5, λ = 0.1": draw(TruncatedPowerLaw(2.5, 0.1, 1.0), 200, rng),
        "truncated, α = 0.5, λ = 0.01": draw(TruncatedPowerLaw(0.5, 0.01, 1.0), 300, rng),
        "exponential": draw(Exponential(1.0, 1.0), 300, rng),
        "stretched exponential, β = 0.6": draw(StretchedExponential(0.6, 0.0, 1.0), 300, rng),
        "lognormal, σ = 1": draw(Lognormal(0.5, 1.0, 1.0), 300, rng),
        "eigenvalues, Gaussian 400×200": np.linalg.eigvalsh(W.T @ W / 400),
    }


def small(number: float) -> str:
    """Write the order of a small number."""
    return f"{number:.0e}" if abs(number) > 1e-11 else "0"


def differences(tail: NDArray[np.float64], powerlaw: Any) -> list[str]:
    """Fit both packages' laws to an ascending tail; the cells of its row."""
    xmin = float(tail[0])
    ours = {name: DISTRIBUTIONS[name].fit(tail, xmin) for name in LAWS}
    theirs = {}
    for name, kind in LAWS.items():
        law = getattr(powerlaw, kind)
        ranges = {parameter: RANGES[parameter] for parameter in law.parameter_names}
        theirs[name] = law(data=tail, xmin=xmin, parameter_ranges=ranges, verbose=0)

    pure, pure_theirs = ours["power_law"], theirs["power_law"]
    cut, cut_theirs = ours["truncated_power_law"], theirs["truncated_power_law"]
    distance = ks_gaps(pure.cdf(tail), "one-sided").max() - pure_theirs.D
    gains = [
        float(ours[name].logpdf(tail).sum() - np.sum(theirs[name].loglikelihoods(tail)))
        for name in LAWS
    ]
    return [
        small(pure.alpha - pure_theirs.alpha),
        small(distance),
        f"{cut.alpha:.4f} / {cut_theirs.alpha:.4f}",
        small(cut.rate / cut_theirs.Lambda - 1),
        *(small(gain) if abs(gain) < 0.01 else f"**{gain:.2f}**" for gain in gains),
    ]


def table() -> str:
    """Fit all samples with both packages; Markdown."""
    import powerlaw

    warnings.simplefilter("ignore")
    heads = ["tail", "n", "α", "D", "truncated α, ours / theirs", "λ (relative)"]
    heads += [f"ln L, {name.replace('_', ' ')}" for name in LAWS]
    rows = [heads, ["---"] * len(heads)]
    for name, sample in samples().items():
        rows.append([name, str(sample.size), *differences(np.sort(sample), powerlaw)])
    return "".join(f"| {' | '.join(cells)} |\n" for cells in rows)


if __name__ == "__main__":
    sys.stdout.write(table())
