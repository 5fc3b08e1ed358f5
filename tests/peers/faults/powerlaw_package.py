"""Faults of the package powerlaw."""

from typing import Any

import numpy as np

from . import inputs
from .running import Outcome, error

WIDE = {"alpha": [0, 1000]}
"""A range of alpha that excludes nothing."""


def search(sample: Any, **options: Any) -> Any:
    """Fit a power law, searching its threshold."""
    import powerlaw

    return powerlaw.Fit(sample, verbose=0, **options)


def compare(sample: np.ndarray, first: str, second: str) -> Outcome:
    """Compare two laws above the smallest point."""
    fit = search(sample, xmin=sample[0], parameter_ranges=WIDE)
    R, p = fit.distribution_compare(first, second)
    return {"R": R, "p": p}


def range_of_alpha() -> Outcome:
    """100 quantiles of a power law with alpha = 6."""
    fit = search(inputs.pareto_quantiles(100, 5.0))
    return {"alpha": fit.alpha, "xmin": fit.xmin, "n_tail": int(fit.n_tail)}


def xmax_not_in_the_likelihood() -> Outcome:
    """A fit up to the largest point."""
    sample = inputs.pareto_quantiles(128, 1.5)
    fit = search(sample, xmax=sample[-1])
    return {"alpha": fit.alpha, "ln L": np.sum(fit.power_law.loglikelihoods(fit.data))}


def one_side_of_the_steps() -> Outcome:
    """KS distance of 128 quantiles."""
    return {"D": search(inputs.pareto_quantiles(128, 1.5)).D}


def largest_two_excluded() -> Outcome:
    """Three different values."""
    fit = search([1.0, 2.0, 3.0])
    return {"alpha": fit.alpha, "xmin": fit.xmin}


def nan_in_sample() -> Outcome:
    """A NaN among numbers."""
    return {"alpha": search([1, 2, 3, np.nan, 4, 5, 6, 7]).alpha}


def infinity_in_sample() -> Outcome:
    """An infinity among numbers."""
    return {"alpha": search([1, 2, 3, np.inf, 4, 5, 6, 7]).alpha}


def alpha_at_given_xmin() -> Outcome:
    """The exponent above a given threshold."""
    sample = inputs.pareto_quantiles(128, 1.5)
    return error(lambda: search(sample, xmin=sample[0]).alpha)


def stretched_exponential() -> Outcome:
    """Power law against stretched exponential on quantiles of a power law."""
    return compare(inputs.pareto_quantiles(400, 1.5), "power_law", "stretched_exponential")


def lognormal() -> Outcome:
    """Power law against lognormal on a power-law sample."""
    return compare(inputs.uniform_power_law(22, 200), "power_law", "lognormal")


def nested_p_underflows() -> Outcome:
    """Power law against truncated power law on 500 exponential quantiles."""
    return compare(inputs.exponential_quantiles(500), "power_law", "truncated_power_law")


def nested_by_name() -> Outcome:
    """Exponential against truncated power law on 40 points."""
    return compare(inputs.truncated_sample(), "exponential", "truncated_power_law")
