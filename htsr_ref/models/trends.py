"""How accuracy follows a metric over a series of models."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import HtsrError
from htsr_ref.models.rank_correlation import Correlation, kendall_tau_b, spearman_rho, tau_b_range
from htsr_ref.models.standing import Standing

Array = NDArray[np.float64]

METRICS = (
    "alpha_hat",
    "mean_alpha",
    "mean_log10_frobenius_norm",
    "mean_log10_spectral_norm",
    "mean_log10_alpha_norm",
)
"""Numbers of a model from which accuracy is predicted; of each, smaller is held to be better."""

METRIC_TITLES = ("alpha_hat", "alpha", "log‖W‖F", "log‖W‖₂", "log α-norm")
"""What tables call them."""

LEAST_MODELS, LEAST_LEFT_OUT, LEAST_BOOTSTRAP = 3, 4, 5
"""Fewest models for a trend, for leaving one out, and for an interval of R²."""

RESAMPLES = 2000

_NUMBERS = (
    "slope",
    "intercept",
    "r_squared",
    "rmse",
    "kendall",
    "spearman",
    "slope_range",
    "kendall_range",
    "r_squared_ci95",
    "as_expected",
)


@dataclass(frozen=True)
class Trend:
    """Regression and rank correlations of accuracy on one metric.

    Attributes
    ----------
    models : number of models for which the metric is defined.
    slope, intercept : of the least-squares line, accuracy = slope·metric + intercept.
    r_squared : coefficient of determination.
    rmse : root of the mean squared residual, with 1/n.
    kendall, spearman : rank correlations with p-values.
    slope_range, kendall_range : least and greatest value when any one model is left out.
    r_squared_ci95 : percentile bootstrap interval over models.
    expected_sign : sign of the slope that the theory wants.
    as_expected : whether the slope has it.
    null_reasons : why a number is None, under its name.

    Spec: TRD-1.
    """

    models: int
    slope: float | None = None
    intercept: float | None = None
    r_squared: float | None = None
    rmse: float | None = None
    kendall: Correlation | None = None
    spearman: Correlation | None = None
    slope_range: tuple[float, float] | None = None
    kendall_range: tuple[float, float] | None = None
    r_squared_ci95: tuple[float, float] | None = None
    expected_sign: Literal[-1] = -1
    as_expected: bool | None = None
    null_reasons: Mapping[str, str] = field(default_factory=dict)


def fit_trend(
    metric: ArrayLike, accuracy: ArrayLike, *, resamples: int = RESAMPLES, seed: int = 0
) -> Trend:
    """Regress accuracy on a metric over models, and say how much of it depends on single ones.

    Parameters
    ----------
    metric, accuracy : (n,) real, finite; accuracy in any unit in which more is better.
    resamples : of the bootstrap, at least 1.
    seed : of the bootstrap.

    Raises
    ------
    HtsrError
        The two are not finite sequences of equal length.

    Spec: TRD-1, TRD-2, TRD-3, TRD-8. Source: Martin & Mahoney, SDM 2020, section 3.

    >>> trend = fit_trend([1.0, 2.0, 4.0], [0.9, 0.8, 0.6])
    >>> round(trend.slope, 12), round(trend.intercept, 12), trend.as_expected
    (-0.1, 1.0, True)
    >>> trend.null_reasons["r_squared_ci95"]
    'fewer than 5 models'
    """
    x, y = np.asarray(metric, dtype=np.float64), np.asarray(accuracy, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise HtsrError("a trend is that of two finite sequences of equal length")
    undefined = _why_undefined(x, y)
    if undefined is not None:
        return Trend(x.size, null_reasons=dict.fromkeys(_NUMBERS, undefined))

    slope, intercept, r_squared = _line(x, y)
    left_out = _leave_one_out(x, y)
    interval = None if x.size < LEAST_BOOTSTRAP else _bootstrap(x, y, resamples, seed)
    reasons = {}
    if left_out is None:
        reasons = dict.fromkeys(("slope_range", "kendall_range"), _NO_LEAVE_ONE_OUT)
    if interval is None:
        reasons["r_squared_ci95"] = (
            f"fewer than {LEAST_BOOTSTRAP} models"
            if x.size < LEAST_BOOTSTRAP
            else f"no resample has {LEAST_MODELS} different models that vary"
        )
    return Trend(
        models=x.size,
        slope=slope,
        intercept=intercept,
        r_squared=r_squared,
        rmse=math.hypot(*(y - intercept - slope * x)) / math.sqrt(x.size),
        kendall=kendall_tau_b(x, y),
        spearman=spearman_rho(x, y),
        slope_range=left_out and left_out[0],
        kendall_range=left_out and left_out[1],
        r_squared_ci95=interval,
        as_expected=slope < 0,
        null_reasons=reasons,
    )


_NO_LEAVE_ONE_OUT = f"fewer than {LEAST_LEFT_OUT} models, or all equal once one is left out"


def _why_undefined(x: Array, y: Array) -> str | None:
    if x.size < LEAST_MODELS:
        return f"fewer than {LEAST_MODELS} models"
    if np.ptp(x) == 0:
        return "the metric is the same for all models"
    if np.ptp(y) == 0:
        return "the accuracy is the same for all models"
    return None


def _line(x: Array, y: Array) -> tuple[float, float, float]:
    """Slope, intercept and R² of the least-squares line."""
    (u, unit_x), (v, unit_y) = _deviations(x), _deviations(y)
    slope = float(u @ v / (u @ u) * (unit_y / unit_x)[0])
    return slope, float(y.mean() - slope * x.mean()), float(_r_squared(u, v))


def _deviations(x: Array) -> tuple[Array, Array]:
    """Deviations from the mean along the last axis over the largest of them, and that one.

    So their squares neither over- nor underflow, whatever the unit of x.
    """
    deviations = x - x.mean(axis=-1, keepdims=True)
    largest = np.abs(deviations).max(axis=-1, keepdims=True)
    return deviations / largest, largest


def _r_squared(u: Array, v: Array) -> Array:
    """R² along the last axis of two samples of deviations."""
    squares = (u**2).sum(axis=-1) * (v**2).sum(axis=-1)
    # Rounding may carry points on a line beyond 1.
    return np.asarray(np.minimum(1.0, (u * v).sum(axis=-1) ** 2 / squares))


def _leave_one_out(x: Array, y: Array) -> tuple[tuple[float, float], tuple[float, float]] | None:
    """Ranges of the slope and of Kendall's τ-b over the n samples of n-1 models.

    Spec: TRD-6.
    """
    taus = tau_b_range(x, y)
    if taus is None or x.size < LEAST_LEFT_OUT:
        return None
    others = [np.arange(x.size) != i for i in range(x.size)]
    slopes = [_line(x[kept], y[kept])[0] for kept in others]
    return (min(slopes), max(slopes)), taus


def _bootstrap(x: Array, y: Array, resamples: int, seed: int) -> tuple[float, float] | None:
    """Percentile interval of R² over resamples of at least three different models, if any.

    Spec: TRD-7. Source: Efron & Tibshirani, An Introduction to the Bootstrap (1993), chapter 13.
    """
    chosen = np.random.default_rng(seed).integers(x.size, size=(resamples, x.size))
    different = 1 + (np.diff(np.sort(chosen, axis=1), axis=1) > 0).sum(axis=1)
    chosen = chosen[different >= LEAST_MODELS]
    u, v = x[chosen], y[chosen]
    varied = (np.ptp(u, axis=1) > 0) & (np.ptp(v, axis=1) > 0)
    if not varied.any():
        return None
    r_squared = _r_squared(_deviations(u[varied])[0], _deviations(v[varied])[0])
    low, high = np.quantile(r_squared, (0.025, 0.975))
    return float(low), float(high)


@dataclass(frozen=True)
class Model:
    """A model of a series.

    Attributes
    ----------
    name, accuracy : from the table of accuracies.
    metrics : by name; None where one is undefined.
    standing : what they rest on, if that is known.
    apart : why the model takes no part in the trends; None if it does.

    Spec: TRD-9, VRD-13.
    """

    name: str
    accuracy: float
    metrics: Mapping[str, float | None]
    standing: Standing | None = None
    apart: str | None = None


@dataclass(frozen=True)
class Series:
    """Models of one kind, and the trend of their accuracy with each metric.

    Attributes
    ----------
    name : of the series.
    models : those that the trends are fitted to.
    trends : by name of the metric.
    apart : models that take no part, each with its reason.
    """

    name: str
    models: tuple[Model, ...]
    trends: Mapping[str, Trend]
    apart: tuple[Model, ...] = ()


def fit_series(
    name: str, members: Sequence[Model], *, resamples: int = RESAMPLES, seed: int = 0
) -> Series:
    """Fit the trend with each of `METRICS` over the models for which it is defined.

    Models that stand apart are listed and not fitted to.

    Spec: TRD-9, VRD-13.
    """
    models = [model for model in members if model.apart is None]
    trends = {}
    for metric in METRICS:
        points = [
            (value, model.accuracy)
            for model in models
            if (value := model.metrics[metric]) is not None
        ]
        x, y = zip(*points, strict=True) if points else ((), ())
        trends[metric] = fit_trend(x, y, resamples=resamples, seed=seed)
    apart = tuple(model for model in members if model.apart is not None)
    return Series(name, tuple(models), trends, apart)
