"""Faults of the C library plfit, reached through igraph's `power_law_fit`."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import inputs
from .running import Outcome


def fit(sample: Sequence[float] | np.ndarray, **options: Any) -> Any:
    """Fit with igraph; the p-value needs no precision here."""
    import igraph

    return igraph.power_law_fit([float(x) for x in sample], p_precision=0.1, **options)


def fifty_points() -> Outcome:
    """Quantiles of one power law, 49 and 50 of them."""
    fits = [fit(inputs.pareto_quantiles(n, 1.5)) for n in (49, 50)]
    return {"alpha": [found.alpha for found in fits], "D": [found.D for found in fits]}


def whole_numbers() -> Outcome:
    """Large numbers: every binary64 number above 2^53 is whole."""
    found = fit(1e300 * inputs.pareto_quantiles(128, 1.5))
    return {"alpha": found.alpha, "D": found.D, "continuous": found.continuous, "L": found.L}


def nan_in_sample() -> Outcome:
    """A NaN among numbers."""
    found = fit([1.0, 2.0, 3.0, np.nan, 4.0, 5.5])
    return {"alpha": found.alpha, "D": found.D}


def one_side_of_the_steps() -> Outcome:
    """KS distance of 128 quantiles."""
    return {"D": fit(inputs.pareto_quantiles(128, 1.5)).D}
