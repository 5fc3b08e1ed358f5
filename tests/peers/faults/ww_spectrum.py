"""Faults of WeightWatcher in the spectrum and the metrics of a layer."""

import numpy as np

from . import inputs
from .running import Outcome, columns, convolution, details, error, linear, watch


def nonfinite_entry() -> Outcome:
    """One NaN in the second of two layers."""
    spoiled = inputs.heavy_matrix()
    spoiled[3, 4] = np.nan
    return error(lambda: details(linear(inputs.heavy_matrix(), spoiled)))


def rank_of_rounded_matrix() -> Outcome:
    """A matrix of rank two, rounded to 32 bits."""
    (row,) = details(linear(inputs.rank_two()))
    return columns(row, "matrix_rank", "rank_loss", "entropy")


def narrowing_convolution() -> Outcome:
    """An even number of slices with fewer outputs than inputs."""
    (row,) = details(convolution(inputs.narrowing_kernel()))
    return columns(row, "N", "M", "Q")


def least_singular_value() -> Outcome:
    """The smallest singular value of a convolution."""
    (row,) = details(convolution(inputs.narrowing_kernel()))
    return columns(row, "sv_min")


def inverse_of_slices() -> Outcome:
    """The inverse spectrum of a convolution."""
    (row,) = details(convolution(inputs.widening_kernel()), inverse=True)
    return columns(row, "lambda_max")


def stacked() -> Outcome:
    """Two layers stacked into a matrix of 512 rows and 256 columns."""
    model = linear(inputs.heavy_matrix(6, 256, 64), inputs.heavy_matrix(7, 256, 256))
    (row,) = details(model, stacked=True)
    return columns(row, "N", "M", "num_evals")


def get_esd_unscaled() -> Outcome:
    """The largest eigenvalue of a convolution by both ways."""
    watcher = watch(convolution(inputs.narrowing_kernel()))
    (row,) = watcher.analyze().to_dict(orient="records")
    return {"lambda_max": row["lambda_max"], "get_ESD": max(watcher.get_ESD(layer=1))}


def unseeded_randomize() -> Outcome:
    """The same call twice."""
    watcher = watch(linear(inputs.heavy_matrix()))
    first, second = (max(watcher.get_ESD(layer=1, random=True)) for _ in range(2))
    return {"equal": first == second}


def distance_of_sorted_eigenvalues() -> Outcome:
    """Distance of a spectrum to one a thousand times as large."""
    from weightwatcher.RMT_Util import jensen_shannon_distance

    eigenvalues = np.arange(1.0, 101.0)
    return {"distance": jensen_shannon_distance(eigenvalues, 1000 * eigenvalues)}


def product_underflows() -> Outcome:
    """The ERG tail of a spectrum of 3,000 eigenvalues in two clusters."""
    from weightwatcher.RMT_Util import detX_constraint

    size, _ = detX_constraint(inputs.two_clusters())
    return {"detX_num": size}


def erg_values_swapped() -> Outcome:
    """The two columns that hold the smallest eigenvalue of the ERG tail."""
    (row,) = details(linear(inputs.heavy_matrix()), detX=True)
    return columns(row, "detX_num", "detX_val", "detX_val_unrescaled")


def glorot_fix_without_effect() -> Outcome:
    """Norms with the option off and on."""
    rows = [details(linear(inputs.heavy_matrix()), glorot_fix=fix)[0] for fix in (False, True)]
    return {"log_norm": [row["log_norm"] for row in rows]}


def entropy_above_one() -> Outcome:
    """The entropy of 64 equal eigenvalues."""
    (row,) = details(linear(np.eye(64, dtype=np.float32)))
    return columns(row, "entropy")
