"""The extreme-value index of a sample with its error, and what it says of a power law."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import HtsrError, NoFitError, SampleError
from htsr_ref.powerlaw.extreme.bootstrap import LEAST_TAIL, double_bootstrap_k
from htsr_ref.powerlaw.extreme.estimators import hill, kernel, moment, pickands
from htsr_ref.powerlaw.extreme.variances import (
    hill_variance,
    kernel_variance,
    moment_variance,
    pickands_variance,
)
from htsr_ref.powerlaw.fit import checked_sample
from htsr_ref.powerlaw.mle import Z95

EstimatorName = Literal["moment", "hill", "pickands", "kernel"]
KChoice = Literal["given", "fraction", "double-bootstrap"]
Verdict = Literal["heavy tail", "bounded edge", "undecided"]

DEFAULT_FRACTION = 0.1
"""The share of the sample that reports take for its tail (PL-66)."""


@dataclass(frozen=True)
class _Method:
    estimate: Callable[[NDArray[np.float64], int], float]
    variance: Callable[[float], float]
    least_k: int
    multiple: int = 1  # the estimator rests on whole multiples of so many values


_METHODS: dict[str, _Method] = {
    "moment": _Method(moment, moment_variance, 2),
    "hill": _Method(hill, hill_variance, 1),
    "pickands": _Method(pickands, pickands_variance, 4, multiple=4),
    "kernel": _Method(kernel, kernel_variance, 2),
}


@dataclass(frozen=True)
class TailIndex:
    """An estimate of the extreme-value index.

    Attributes
    ----------
    xi : the index: positive for a power law, negative for a tail that ends at a largest value.
    stderr : its asymptotic standard error for independent values.
    k : number of largest values it rests on.
    sample_size : number of values in the sample.
    estimator : how xi was estimated.
    k_choice : how k was chosen.

    Spec: PL-60, PL-65.
    """

    xi: float
    stderr: float
    k: int
    sample_size: int
    estimator: EstimatorName
    k_choice: KChoice

    @property
    def ci95(self) -> tuple[float, float]:
        """Asymptotic 95 % interval of ξ.

        Spec: PL-65.
        """
        half = Z95 * self.stderr
        return self.xi - half, self.xi + half

    @property
    def reason(self) -> str | None:
        """Why the verdict is "undecided"; None where it is not.

        Spec: PL-68.
        """
        if self.estimator == "hill":
            return "Hill's estimator takes the tail to be heavy and cannot test it"
        if self.k < LEAST_TAIL:
            return f"the tail holds {self.k} points, fewer than {LEAST_TAIL}"
        low, high = self.ci95
        if low <= 0.0 <= high:
            return f"0 lies in the 95 % interval of ξ, {low:.2f} to {high:.2f}"
        return None

    @property
    def verdict(self) -> Verdict:
        """What the sign of ξ says, if it is certain at 95 %.

        Spec: PL-68.
        """
        if self.reason is not None:
            return "undecided"
        return "heavy tail" if self.xi > 0.0 else "bounded edge"

    @property
    def implied_alpha(self) -> float | None:
        """The exponent 1 + 1/ξ of the power law with this index; None for ξ ≤ 0.

        Spec: PL-69.
        """
        return _alpha(self.xi)

    @property
    def implied_alpha_ci95(self) -> tuple[float, float | None] | None:
        """The 95 % interval of the implied exponent; its end is None where it has none.

        Spec: PL-69.
        """
        low, high = self.ci95
        return (1.0 + 1.0 / high, _alpha(low)) if self.xi > 0.0 else None


def _alpha(xi: float) -> float | None:
    return 1.0 + 1.0 / xi if xi > 0.0 else None


def tail_index(
    sample: ArrayLike,
    *,
    estimator: EstimatorName = "moment",
    k: int | float | Literal["double-bootstrap"] = DEFAULT_FRACTION,
    rng: np.random.Generator | None = None,
) -> TailIndex:
    """Estimate the extreme-value index of a positive sample.

    Its sign tells a power-law tail from one that ends at a largest value.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    estimator : "moment" (the default of reports), "kernel" and "pickands" take any tail; "hill"
        presumes a heavy one.
    k : number of largest values to use (an int); or the share of the sample they are (a float up
        to 0.5; at least 10 values, but never more than half); or "double-bootstrap", for the
        moment and Hill estimators.
    rng : draws the resamples of the double bootstrap; by default one seeded with 0.

    Returns
    -------
    TailIndex

    Raises
    ------
    SampleError
        The sample holds a value that is not a positive finite number, or none; or k does not fit
        the sample.
    NoFitError
        The sample is too small, or its largest values are tied.
    HtsrError
        There is no such estimator, or no double bootstrap for it.

    Spec: PL-60, PL-66, PL-67, PL-70, PL-71, PL-72.

    >>> quantiles = (1 - (np.arange(1, 1001) - 0.5) / 1000) ** (-1 / 1.5)
    >>> index = tail_index(quantiles)
    >>> f"{index.xi:.2f} ± {index.stderr:.2f} from {index.k}: {index.verdict}"
    '0.65 ± 0.12 from 100: heavy tail'
    """
    if estimator not in _METHODS:
        raise HtsrError(f"there is no estimator {estimator!r}: choose one of {', '.join(_METHODS)}")
    method = _METHODS[estimator]
    x = checked_sample(sample)
    chosen, choice = _choose_k(x, estimator, k, rng)
    chosen -= chosen % method.multiple
    xi = method.estimate(x, chosen)
    stderr = math.sqrt(method.variance(xi) / chosen)
    return TailIndex(xi, stderr, chosen, x.size, estimator, choice)


def _choose_k(
    x: NDArray[np.float64],
    estimator: EstimatorName,
    k: int | float | str,
    rng: np.random.Generator | None,
) -> tuple[int, KChoice]:
    """Carry out the choice of k and say which it was; Spec: PL-66, PL-70."""
    least = _METHODS[estimator].least_k
    if isinstance(k, int | np.integer):
        if not least <= k < x.size:
            raise SampleError(
                f"k is {k}: the {estimator} estimator takes from {least} to {x.size - 1} of "
                f"{x.size} values"
            )
        return int(k), "given"
    if isinstance(k, str):
        if k != "double-bootstrap":
            raise HtsrError(f"there is no choice of k {k!r}: name a number or 'double-bootstrap'")
        if estimator not in ("moment", "hill"):
            raise HtsrError(f"there is no double bootstrap for the {estimator} estimator")
        rng = np.random.default_rng(0) if rng is None else rng
        return double_bootstrap_k(x, estimator, rng), "double-bootstrap"
    if not 0.0 < k <= 0.5:
        raise SampleError(f"k is {k}: a share of the sample lies above 0 and up to 0.5")
    chosen = min(max(int(k * x.size), LEAST_TAIL), x.size // 2)
    if chosen < least:
        raise NoFitError(f"{x.size} values are too few for the {estimator} estimator")
    return chosen, "fraction"
