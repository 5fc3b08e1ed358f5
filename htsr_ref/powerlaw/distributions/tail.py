"""What the laws share: logarithms relative to xmin, the check of a tail."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError, SampleError

Array = NDArray[np.float64]

MAX = float(np.finfo(np.float64).max)
"""Draws and rates that would be larger are this number."""


def log_ratio(x: ArrayLike, xmin: ArrayLike) -> Array:
    """Logarithm ln(x/xmin), where x < xmin counts as xmin.

    Full relative precision near xmin, no overflow for any two positive numbers, and not a bit
    changed if both are multiplied by a power of two.

    Spec: PL-20, PL-34.

    >>> log_ratio([0.5, 1.0, np.e], 1.0)
    array([0., 0., 1.])
    >>> round(float(log_ratio(1e300, 1e-300)), 6)
    1381.551056
    """
    start = np.asarray(xmin, dtype=np.float64)
    inside = np.maximum(np.asarray(x, dtype=np.float64), start)
    near = inside / 1.5 < start
    above = np.where(near, inside - start, 0.0)
    return np.where(near, np.log1p(above / start), log_quotient(inside, start))


def log_quotient(a: ArrayLike, b: ArrayLike) -> Array:
    """Logarithm ln(a/b) of two positive numbers whose quotient may overflow or underflow."""
    mantissa, exponent = np.frexp(a)
    mantissa0, exponent0 = np.frexp(b)
    return np.asarray(np.log(mantissa / mantissa0) + (exponent - exponent0) * np.log(2.0))


def scaled_excess(x: ArrayLike, xmin: float, rate: float) -> Array:
    """λ(x - xmin) for x ≥ xmin, and 0 below; infinite where binary64 cannot hold it."""
    with np.errstate(over="ignore"):
        return np.asarray(rate * (np.maximum(x, xmin) - xmin))


def from_log_ratio(log: Array, xmin: float) -> Array:
    """Points xmin·e^log, never beyond the largest finite number."""
    with np.errstate(over="ignore"):
        # In two halves, since e^log alone may overflow where the product does not.
        half = np.exp(log / 2)
        return np.asarray(np.minimum(xmin * half * half, MAX))


def checked_tail(tail: ArrayLike, xmin: float) -> Array:
    """Return a tail as float64, once it is fit to be fitted.

    Parameters
    ----------
    tail : (n,) all points ≥ xmin, in any order.
    xmin : threshold, positive.

    Raises
    ------
    SampleError
        xmin is not positive and finite, or a point is below it or not finite.
    NoFitError
        No point lies above xmin.

    Spec: PL-20.
    """
    if not 0 < xmin < np.inf:
        raise SampleError(f"xmin is {xmin}: it must be a positive number")
    x = np.asarray(tail, dtype=np.float64).ravel()
    bad = np.flatnonzero(~((x >= xmin) & (x < np.inf)))
    if bad.size:
        raise SampleError(
            f"value {bad[0]} of the tail is {x[bad[0]]}: expected xmin = {xmin} or more"
        )
    if x.size == 0 or x.max() == xmin:
        raise NoFitError(f"no value lies above xmin = {xmin}")
    return x


def require_spread(values: Array) -> None:
    """Refuse a tail, or its logarithms, whose values are all equal.

    Raises
    ------
    NoFitError

    Spec: PL-20.
    """
    if values.min() == values.max():
        raise NoFitError(f"all {values.size} values of the tail are equal")
