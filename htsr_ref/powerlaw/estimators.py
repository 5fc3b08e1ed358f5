"""The exponent without the bias of the maximum-likelihood estimate."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError

Threshold = Literal["from the sample", "given"]


def alpha_unbiased(
    log_ratios: NDArray[np.float64], threshold: Threshold = "from the sample"
) -> float:
    """Exponent without the bias that the maximum-likelihood estimate has in small samples.

    Σ ln(x_j/xmin) is a gamma variable of shape n for a threshold that is given, and of shape n - 1
    for one that is the smallest of the n points. Hence the estimate α - 1 is too large on average
    by n/(n-1) and by n/(n-2); without that factor it is the one of least variance among the
    unbiased ones.

    Parameters
    ----------
    log_ratios : (n,) ln(x_j/xmin) of the whole tail, all ≥ 0 and not all 0; n ≥ 2 for a threshold
        that is given, else n ≥ 3 with the threshold's own 0 among them.
    threshold : where xmin comes from.

    Raises
    ------
    NoFitError
        Too few points.

    Spec: PL-35. Source: Johnson, Kotz & Balakrishnan 1994, Continuous Univariate Distributions 1,
    chapter 20.

    >>> logs = np.log([1.0, np.e, np.e**2, np.e])
    >>> alpha_unbiased(logs), alpha_unbiased(logs, "given")
    (1.5, 1.75)
    """
    lost = 1 if threshold == "given" else 2
    if log_ratios.size <= lost:
        raise NoFitError(f"{log_ratios.size} points: an unbiased exponent needs {lost + 1}")
    return 1.0 + (log_ratios.size - lost) / float(log_ratios.sum())
