"""Faults of WeightWatcher in the power-law fit."""

import numpy as np

from . import inputs
from .running import FIT, Outcome, columns, details, linear, watch


def one_layer(W: np.ndarray, *names: str, **options: object) -> Outcome:
    """Columns of a model of one linear layer."""
    (row,) = details(linear(W), **options)
    return columns(row, *names)


def small_sample_fit(sample: np.ndarray) -> object:
    """WeightWatcher's fit of a sample."""
    from weightwatcher.WW_powerlaw import WWFit

    return WWFit(sample)


def zero_layer() -> Outcome:
    """A matrix of zeros."""
    return one_layer(
        np.zeros((48, 32), np.float32), *FIT, "log_norm", "log_alpha_norm", "stable_rank", "entropy"
    )


def failure_in_the_mean() -> Outcome:
    """Summary of a heavy-tailed layer and one whose fit fails."""
    watcher = watch(linear(inputs.heavy_matrix(), np.float32(2.0**-17) * inputs.heavy_matrix()))
    first, second = watcher.analyze()["alpha"]
    return {"alphas": [first, second], "alpha": watcher.get_summary()["alpha"]}


def identity() -> Outcome:
    """An orthogonal matrix."""
    return one_layer(np.eye(64, dtype=np.float32), *FIT)


def few_above_the_floor() -> Outcome:
    """A matrix of rank two: two eigenvalues are above the floor."""
    return one_layer(inputs.rank_two(), *FIT)


def absolute_floor() -> Outcome:
    """The same matrix in three units."""
    factors = (1.0, 2.0**-13, 2.0**-14)
    rows = [
        one_layer(np.float32(s) * inputs.heavy_matrix(), "alpha", "num_pl_spikes", "status")
        for s in factors
    ]
    return {name: [row[name] for row in rows] for name in rows[0]}


def one_side_of_the_steps() -> Outcome:
    """A Gaussian matrix."""
    return one_layer(inputs.gaussian(58, 256, 128), "alpha", "num_pl_spikes", "D")


def ties() -> Outcome:
    """Every eigenvalue twice."""
    return one_layer(
        inputs.diagonal(np.repeat(inputs.pareto_quantiles(32, 1.5), 2)),
        *("alpha", "sigma", "xmin", "num_pl_spikes"),
    )


def twenty_points() -> Outcome:
    """Quantiles of one power law, 19 and 20 of them."""
    fits = {n: small_sample_fit(inputs.pareto_quantiles(n, 1.5)) for n in (19, 20)}
    return {
        "alpha": [fit.alpha for fit in fits.values()],
        "tail": [len(fit.data) for fit in fits.values()],
    }


def objective_overwritten() -> Outcome:
    """Fifteen points: the choice of the objective and the one returned."""
    fit = small_sample_fit(inputs.uniform_power_law(2, 15))
    chosen = int(np.argmin(fit.Js))
    return {
        "alpha of the least objective": fit.alphas[chosen],
        "alpha": fit.alpha,
        "sigma": fit.sigma,
        "tail": len(fit.data),
    }


def fingers_miscounted() -> Outcome:
    """A Gaussian matrix whose largest eigenvalue bends the fit."""
    return one_layer(
        inputs.gaussian(55, 256, 128),
        *("alpha", "raw_alpha", "num_fingers"),
        fix_fingers="clip_xmax",
    )


def max_fingers_ignored() -> Outcome:
    """At most two eigenvalues may be left out, but leaving out three is what helps."""
    return one_layer(
        inputs.gaussian(3, 256, 128),
        *("alpha", "raw_alpha", "num_fingers"),
        fix_fingers="clip_xmax",
        max_fingers=3,
    )


def integer_xmax_too_large() -> Outcome:
    """Leave out 33 of 64 eigenvalues."""
    return one_layer(inputs.heavy_matrix(), "alpha", "xmax", "status", xmax=33)


def powerlaw_2() -> Outcome:
    """All options that hand the fit to the package powerlaw, or should."""
    options = {
        "PL": {"pl_package": "powerlaw"},
        "TPL": {"pl_package": "powerlaw", "fit": "TPL"},
        "E_TPL": {"pl_package": "powerlaw", "fit": "E_TPL"},
        "xmax=force": {"pl_package": "powerlaw", "xmax": "force"},
        "xmin_peak": {"pl_package": "powerlaw", "fix_fingers": "xmin_peak"},
        "xmin_peak, default package": {"fix_fingers": "xmin_peak"},
    }
    return {
        name: one_layer(inputs.heavy_matrix(), "alpha", **option)["alpha"]
        for name, option in options.items()
    }
