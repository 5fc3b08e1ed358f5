"""Faults of WeightWatcher 0.2.7, which cannot be installed beside today's; its calls, repeated."""

import numpy as np

from . import inputs
from .running import Outcome


def largest_eigenvalue() -> Outcome:
    """The largest eigenvalue of a Gaussian matrix times √½, as of any linear layer there."""
    from sklearn.decomposition import TruncatedSVD

    W = inputs.gaussian(41, 200, 100) * np.sqrt(1 / 2)
    svd = TruncatedSVD(n_components=1, n_iter=7, random_state=10).fit(W)
    return {"spectral_norm": svd.singular_values_[0] ** 2}
