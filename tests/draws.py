"""Independent draws from the laws of a tail, none of which uses a law's distribution function."""

from functools import singledispatch

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.distributions import (
    BoundedPowerLaw,
    Distribution,
    Exponential,
    Lognormal,
    PowerLaw,
    StretchedExponential,
    TruncatedPowerLaw,
)
from htsr_ref.powerlaw.distributions.tail import MAX, from_log_ratio, log_ratio, scaled_excess

Array = NDArray[np.float64]


@singledispatch
def draw(law: Distribution, size: int, rng: np.random.Generator) -> Array:
    raise TypeError(f"no draws from {law}")


@draw.register
def _(law: PowerLaw, size, rng):
    return from_log_ratio(rng.standard_exponential(size) / (law.alpha - 1.0), law.xmin)


@draw.register
def _(law: BoundedPowerLaw, size, rng):
    width = law.log_width
    theta = (law.alpha - 1.0) * width
    u = rng.random(size)
    w = u if theta == 0 else -np.log1p(u * np.expm1(-abs(theta))) / abs(theta)
    points = from_log_ratio((w if theta >= 0 else 1.0 - w) * width, law.xmin)
    return np.clip(points, law.xmin, law.xmax)


@draw.register
def _(law: Exponential, size, rng):
    with np.errstate(over="ignore"):
        return np.minimum(law.xmin + rng.standard_exponential(size) / law.rate, MAX)


@draw.register
def _(law: StretchedExponential, size, rng):
    with np.errstate(divide="ignore"):
        log_draw = np.log(rng.standard_exponential(size)) - law.log_hazard
    if law.beta == 0:
        return from_log_ratio(np.exp(log_draw), law.xmin)
    return from_log_ratio(np.logaddexp(0.0, np.log(law.beta) + log_draw) / law.beta, law.xmin)


@draw.register
def _(law: Lognormal, size, rng):
    """By rejection: Robert 1995, Statistics and Computing 5, section 2."""
    z = law.offset / law.sigma
    rate = (np.sqrt(z * z + 4.0) - z) / 2
    peak = 2.0 / (np.sqrt(z * z + 4.0) - z)  # rate + z, which would cancel

    def normal(count):
        points = z + rng.standard_normal(count)
        return points, points >= 0

    def exponential(count):
        points = rng.standard_exponential(count) / rate
        return points, rng.random(count) <= np.exp(-((points - peak) ** 2) / 2)

    accepted = _accepted(size, normal if z >= 0 else exponential)
    return from_log_ratio(law.sigma * accepted, law.xmin)


@draw.register
def _(law: TruncatedPowerLaw, size, rng):
    """By rejection: proposals are x^-α up to max(xmin, (1+α)/λ) and exponential beyond."""
    if law.rate == 0:
        return draw(PowerLaw(law.alpha, law.xmin), size, rng)
    turn = max(law.xmin, min((1.0 + law.alpha) / law.rate, MAX))
    beyond = Exponential(law.rate, turn)
    if turn == law.xmin:
        below, share_beyond = None, 1.0
    else:
        below = BoundedPowerLaw(law.alpha, law.xmin, turn)
        # Both parts relative to x^-α at the turn.
        log_mass_below = -float(below.logpdf(turn))
        log_mass_beyond = -np.log(law.rate) - float(scaled_excess(turn, law.xmin, law.rate))
        share_beyond = float(np.exp(-np.logaddexp(0.0, log_mass_below - log_mass_beyond)))

    def propose(count):
        far = rng.random(count) < share_beyond
        points = draw(beyond, count, rng)
        log_accept = -law.alpha * log_ratio(points, turn)
        if below is not None:
            near = draw(below, count, rng)
            points = np.where(far, points, near)
            log_accept = np.where(far, log_accept, -scaled_excess(near, law.xmin, law.rate))
        return points, rng.random(count) <= np.exp(log_accept)

    return _accepted(size, propose)


def _accepted(size, propose):
    accepted = [np.empty(0)]
    missing = size
    while missing > 0:
        points, keep = propose(missing)
        accepted.append(points[keep])
        missing -= accepted[-1].size
    return np.concatenate(accepted)
