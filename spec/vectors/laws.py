"""The laws of a tail and their likelihoods at 50 digits, straight from the densities.

A law is an unnormalized density f on x ≥ xmin and the integral of f from x on. Everything else,
the maximum of the likelihood included, follows from these two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from common import require
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Parameters = Mapping[str, mpf]

FREE = {
    "power_law": ("alpha",),
    "bounded_power_law": ("alpha",),
    "truncated_power_law": ("alpha", "rate"),
    "exponential": ("rate",),
    "stretched_exponential": ("beta", "log_hazard"),
    "lognormal": ("offset", "sigma"),
}
"""The parameters that are estimated."""


def log_shape(law: str, p: Parameters, x: mpf) -> mpf:
    """Logarithm of the unnormalized density f."""
    if law in ("power_law", "bounded_power_law"):
        return -p["alpha"] * mp.log(x)
    if law == "truncated_power_law":
        return -p["alpha"] * mp.log(x) - p["rate"] * x
    if law == "exponential":
        return -p["rate"] * x
    if law == "stretched_exponential":
        h, beta = mp.exp(p["log_hazard"]), p["beta"]
        if beta == 0:
            return -(1 + h) * mp.log(x)
        return (beta - 1) * mp.log(x) - h * (x / p["xmin"]) ** beta / beta
    mu = p["offset"] + mp.log(p["xmin"])
    return -mp.log(x) - ((mp.log(x) - mu) / p["sigma"]) ** 2 / 2


def log_integral(law: str, p: Parameters, x: mpf) -> mpf:
    """Logarithm of the integral of f from x to the end of the support."""
    if law == "power_law":
        return (1 - p["alpha"]) * mp.log(x) - mp.log(p["alpha"] - 1)
    if law == "bounded_power_law":
        s = 1 - p["alpha"]
        if s == 0:
            return mp.log(mp.log(p["xmax"] / x))
        return mp.log((p["xmax"] ** s - x**s) / s)
    if law == "truncated_power_law":
        s, rate = 1 - p["alpha"], p["rate"]
        if rate == 0:
            return s * mp.log(x) - mp.log(-s)
        return -s * mp.log(rate) + mp.log(mp.gammainc(s, rate * x))
    if law == "exponential":
        return -p["rate"] * x - mp.log(p["rate"])
    if law == "stretched_exponential":
        h, beta = mp.exp(p["log_hazard"]), p["beta"]
        if beta == 0:
            return -h * mp.log(x) - mp.log(h)
        ratio = (x / p["xmin"]) ** beta
        return beta * mp.log(p["xmin"]) - p["log_hazard"] - h * ratio / beta
    mu, sigma = p["offset"] + mp.log(p["xmin"]), p["sigma"]
    return mp.log(sigma * mp.sqrt(mp.pi / 2) * mp.erfc((mp.log(x) - mu) / (sigma * mp.sqrt(2))))


def log_density(law: str, p: Parameters, x: mpf) -> mpf:
    """Logarithm of the density."""
    return log_shape(law, p, x) - log_integral(law, p, p["xmin"])


def survival(law: str, p: Parameters, x: mpf) -> mpf:
    """Probability of more than x."""
    if law == "bounded_power_law" and x == p["xmax"]:
        return mpf(0)
    return mp.exp(log_integral(law, p, x) - log_integral(law, p, p["xmin"]))


def log_likelihood(law: str, p: Parameters, tail: Sequence[mpf]) -> mpf:
    """Sum of the log-densities of a tail."""
    shape = mp.fsum(log_shape(law, p, x) for x in tail)
    return shape - len(tail) * log_integral(law, p, p["xmin"])


def most_likely(
    law: str, fixed: Parameters, tail: Sequence[mpf], start: Sequence[str]
) -> dict[str, mpf]:
    """Root of the score near `start`; the score is the likelihood differentiated numerically.

    The unknowns are the parameters in units of their start, so that their size does not matter.
    """
    units = dict(zip(FREE[law], map(mpf, start), strict=True))

    def parameters(*values: mpf) -> dict[str, mpf]:
        scaled = zip(units.items(), values, strict=True)
        return {**fixed, **{name: unit * value for (name, unit), value in scaled}}

    def likelihood(*values: mpf) -> mpf:
        return log_likelihood(law, parameters(*values), tail)

    def score(*values: mpf) -> list[mpf]:
        size = range(len(values))
        return [mp.diff(likelihood, values, tuple(int(i == j) for j in size)) for i in size]

    ones = [mpf(1)] * len(units)
    with mp.workdps(40):  # enough for the 25 digits that are written, in half the time
        root = mp.findroot(score, ones, tol=mpf("1e-60"), maxsteps=50)
    values = list(root) if len(ones) > 1 else [root[0] if hasattr(root, "rows") else root]
    for i in range(len(values)):
        for step in ("1e-9", "-1e-9"):
            moved = list(values)
            moved[i] += mpf(step)
            require(likelihood(*moved) < likelihood(*values), f"{law}: not a maximum")
    return parameters(*values)


def standard_errors(law: str, p: Parameters, n: int) -> list[mpf]:
    """Square roots of the diagonal of the inverse Fisher information of n points.

    For an exponential family it is n times the second derivatives of the log-normalizer, taken
    here in units of the parameters.
    """
    names = FREE[law]

    def normalizer(*values: mpf) -> mpf:
        scaled = {name: p[name] * value for name, value in zip(names, values, strict=True)}
        return log_integral(law, {**p, **scaled}, p["xmin"])

    size = range(len(names))
    information = mp.matrix(len(names))
    for i in size:
        for j in size:
            order = tuple((k == i) + (k == j) for k in size)
            information[i, j] = mp.diff(normalizer, [mpf(1)] * len(names), order)
    inverse = information**-1
    return [p[name] * mp.sqrt(inverse[i, i] / n) for i, name in enumerate(names)]
