"""The extreme-value index of a sample with its error, and what it says of a power law."""

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.extreme.moment import moment, moment_variance
from htsr_ref.powerlaw.fit import checked_sample
from htsr_ref.powerlaw.mle import ci95

IndexVerdict = Literal["heavy tail", "bounded edge", "undecided"]

SHARE = 0.1
"""The share of the sample that is taken for its tail (PL-66)."""

LEAST_TAIL = 10
"""No tail of fewer points is chosen if there are others, and no verdict is based on one (PL-68)."""

LEAST_SAMPLE = 4
"""The smallest sample half of which is a tail (PL-71)."""


@dataclass(frozen=True)
class TailIndex:
    """An estimate of the extreme-value index.

    Attributes
    ----------
    xi : the index: positive for a power law, negative for a tail that ends at a largest value.
    stderr : its asymptotic standard error for independent values.
    k : number of largest values it rests on.

    Spec: PL-60, PL-65.
    """

    xi: float
    stderr: float
    k: int

    @property
    def ci95(self) -> tuple[float, float]:
        """Asymptotic 95 % interval of ξ.

        Spec: PL-65.
        """
        return ci95(self.xi, self.stderr)

    @property
    def reason(self) -> str | None:
        """Why the verdict is "undecided"; None where it is not.

        Spec: PL-68.
        """
        if self.k < LEAST_TAIL:
            return f"the tail holds {self.k} points, fewer than {LEAST_TAIL}"
        low, high = self.ci95
        if low <= 0.0 <= high:
            return f"0 lies in the 95 % interval of ξ, {low:.2f} to {high:.2f}"
        return None

    @property
    def verdict(self) -> IndexVerdict:
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
        return 1.0 + 1.0 / self.xi if self.xi > 0.0 else None


def tail_index(sample: ArrayLike) -> TailIndex:
    """Estimate the extreme-value index of a positive sample from the largest tenth of it.

    Its sign tells a power-law tail from one that ends at a largest value. The tail has at least 10
    values, but never more than half of them.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.

    Raises
    ------
    SampleError
        The sample holds a value that is not a positive finite number, or none.
    NoFitError
        The sample is too small, or its largest values are tied.

    Spec: PL-66, PL-71, PL-72.

    >>> quantiles = (1 - (np.arange(1, 1001) - 0.5) / 1000) ** (-1 / 1.5)
    >>> index = tail_index(quantiles)
    >>> f"{index.xi:.2f} ± {index.stderr:.2f} from {index.k}: {index.verdict}"
    '0.65 ± 0.12 from 100: heavy tail'
    """
    return _tail_index(checked_sample(sample))


def tail_index_or_none(ascending: NDArray[np.float64]) -> TailIndex | None:
    """Estimate as `tail_index` does; None where the sample allows no estimate, or holds nothing.

    Parameters
    ----------
    ascending : (n,) float64, positive.

    Spec: PL-66, PL-71.
    """
    try:
        return _tail_index(ascending)
    except NoFitError:
        return None


def _tail_index(ascending: NDArray[np.float64]) -> TailIndex:
    size = ascending.size
    if size < LEAST_SAMPLE:
        raise NoFitError(f"{size} values are too few for the moment estimator")
    return moment_index(ascending, min(max(int(SHARE * size), LEAST_TAIL), size // 2))


def moment_index(ascending: NDArray[np.float64], k: int) -> TailIndex:
    """Estimate the index from the k largest values by the moment estimator.

    Parameters
    ----------
    ascending : (n,) float64, positive.
    k : 2 ≤ k < n.

    Raises
    ------
    NoFitError
        The k largest values are equal.

    Spec: PL-60, PL-65.

    >>> moment_index(np.exp([0.0, 1.0, 2.0]), 2).k
    2
    """
    xi = moment(ascending, k)
    return TailIndex(xi, math.sqrt(moment_variance(xi) / k), k)
