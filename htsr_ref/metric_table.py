"""The table of metrics: what every number of a weight matrix means, and how it is computed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, Literal

import numpy as np

from htsr_ref import metrics
from htsr_ref.conventions import Convention
from htsr_ref.powerlaw.tail_fit import ExponentLaw, TailFit
from htsr_ref.spectra.eigenvalues import Spectrum

Fit = TailFit[ExponentLaw]
Number = float | tuple[float, float] | None
"""Value of a metric: a number, the ends of an interval, or None where it is undefined."""


@dataclass(frozen=True)
class Measured:
    """What the metrics of one matrix are computed from.

    Attributes
    ----------
    eigen : the spectrum.
    convention : the choices behind the numbers.
    fit : the power law; None without one.
    alpha : its exponent, or the number that stands for a failure, if any (CNV-10).
    ks_xmin : threshold of least KS distance; None where Δλ_min is not asked for (MET-17).
    p_value : of the goodness of fit, if that was asked for.
    """

    eigen: Spectrum
    convention: Convention
    fit: Fit | None
    alpha: float | None
    ks_xmin: float | None
    p_value: float | None

    @cached_property
    def rank(self) -> int:
        """Rank, counted as the convention says."""
        return RANKS[self.convention.rank](self.eigen)

    @cached_property
    def erg_tail_size(self) -> int | None:
        """Size of the tail of the ERG condition; not for a zero matrix."""
        return metrics.erg_tail_size(self.eigen.eigenvalues, self.eigen.resolution)

    @property
    def scale(self) -> float:
        """Factor c of the matrix whose norms are reported.

        Spec: MET-14.
        """
        return self.eigen.scale if self.convention.norms == "weights" else 1.0

    @property
    def delta_lambda_min(self) -> float | None:
        """Δλ_min, where it is asked for."""
        if self.ks_xmin is None or self.erg_tail_size is None:
            return None
        return metrics.delta_lambda_min(self.eigen.eigenvalues, self.ks_xmin, self.erg_tail_size)

    def log10_alpha_norm(self, alpha: float) -> float | None:
        """Alpha-norm of the eigenvalues that are fitted; None if there are none."""
        kept = self.eigen.eigenvalues[max(self.convention.drop_smallest, self.eigen.num_zero) :]
        return metrics.log10_alpha_norm(kept, alpha) if kept.size else None

    def weighted_alpha(self, alpha: float) -> float:
        """Weighted alpha, in the logarithm of the convention."""
        return metrics.weighted_alpha(alpha, self.eigen.lambda_max, self.convention.log_base)


@dataclass(frozen=True)
class Metric:
    """A row of the table.

    Attributes
    ----------
    meaning : in one line, for people.
    spec : requirements that define it.
    stage : what it rests on: the shape, the spectrum, or the fit.
    of : computes it.
    unit : unit, or base of the logarithm; empty for a pure number.
    averaged : whether layers have its mean.
    model_mean : name of its mean over the model, if there is one.
    compared : whether audits compare it.
    limits : what the schema of reports says of it beside its type.
    """

    meaning: str
    spec: str
    stage: Literal["shape", "spectrum", "fit"]
    of: Callable[[Measured], Number]
    unit: str = ""
    averaged: bool = False
    model_mean: str | None = None
    compared: bool = True
    limits: Mapping[str, float] = field(default_factory=dict)


def _of_nonzero(compute: Callable[[Measured], Number]) -> Callable[[Measured], Number]:
    """Leave a number of a zero matrix undefined."""
    return lambda m: compute(m) if m.eigen.lambda_max > 0 else None


def _of_fit(read: Callable[[Fit], Number]) -> Callable[[Measured], Number]:
    """Leave a number undefined without a fit."""
    return lambda m: None if m.fit is None else read(m.fit)


def _of_alpha(compute: Callable[[Measured, float], Number]) -> Callable[[Measured], Number]:
    """Leave a number of a zero matrix, or without α, undefined."""
    return _of_nonzero(lambda m: None if m.alpha is None else compute(m, m.alpha))


WEAK = 1e-6
"""Eigenvalues below this are counted in `weak_rank_loss` (MET-18)."""

RANKS: Mapping[str, Callable[[Spectrum], int]] = MappingProxyType(
    {
        "rounding": lambda eigen: eigen.rank,
        "matrix-rank": lambda eigen: metrics.matrix_rank(eigen.eigenvalues, eigen.N),
    }
)
"""Counts of singular values by the value of `rank` (SPC-6, MET-15)."""

ENTROPIES: Mapping[str, Callable[[metrics.Eigenvalues, int], float | None]] = MappingProxyType(
    {"ranked": metrics.entropy, "shifted": metrics.shifted_entropy}
)
"""Matrix entropies by the value of `entropy` (MET-7, MET-15)."""

MINIMA: Mapping[str, Callable[[tuple[float, ...]], float]] = MappingProxyType(
    {"least": min, "greatest": max}
)
"""Smallest eigenvalues by the value of `lambda_min` (MET-1, MET-15)."""

# The formatter would give every argument a line of its own.
# fmt: off
METRICS: Mapping[str, Metric] = MappingProxyType({
    "N": Metric(
        "larger dimension", "MAT-1, MAT-14", "shape", lambda m: m.eigen.N,
        limits={"minimum": 1}),
    "M": Metric(
        "smaller dimension", "MAT-1", "shape", lambda m: m.eigen.M,
        limits={"minimum": 1}),
    "Q": Metric(
        "aspect ratio N/M", "MAT-1", "shape", lambda m: m.eigen.aspect_ratio,
        limits={"exclusiveMinimum": 0}),
    "num_eigenvalues": Metric(
        "number of eigenvalues, those that count as zero included", "SPC-1", "spectrum",
        lambda m: m.eigen.eigenvalues.size),
    "num_zero": Metric(
        "number of eigenvalues that count as zero", "SPC-5", "spectrum",
        lambda m: m.eigen.num_zero),
    "weak_rank_loss": Metric(
        "number of eigenvalues below 10^-6", "MET-18", "spectrum",
        lambda m: int(np.count_nonzero(m.eigen.eigenvalues < WEAK))),
    "lambda_max": Metric(
        "largest eigenvalue", "MET-1", "spectrum", lambda m: m.eigen.lambda_max,
        unit="units of X", averaged=True, limits={"minimum": 0}),
    "lambda_min": Metric(
        "smallest eigenvalue", "MET-1", "spectrum",
        lambda m: MINIMA[m.convention.lambda_min](m.eigen.minima),
        unit="units of X", averaged=True, limits={"minimum": 0}),
    "rank": Metric(
        "rank beyond what storage can have made", "SPC-6", "spectrum", lambda m: m.rank,
        averaged=True),
    "alpha": Metric(
        "power-law exponent of the tail", "PL-2, CNV-5, CNV-10", "fit", lambda m: m.alpha,
        averaged=True, model_mean="mean_alpha"),
    "alpha_stderr": Metric(
        "standard error of alpha", "PL-6", "fit", _of_fit(lambda fit: fit.stderr),
        limits={"minimum": 0}),
    "alpha_ci95": Metric(
        "asymptotic 95 % interval of alpha, [low, high]", "PL-6", "fit",
        _of_fit(lambda fit: fit.ci95)),
    "xmin": Metric(
        "threshold of the tail", "PL-4", "fit", _of_fit(lambda fit: fit.xmin),
        unit="units of X", averaged=True, limits={"exclusiveMinimum": 0}),
    "xmax": Metric(
        "upper end of the fitted range; null where it is not bounded", "CNV-4", "fit",
        _of_fit(lambda fit: fit.xmax),
        unit="units of X", limits={"exclusiveMinimum": 0}),
    "tail_size": Metric(
        "number of eigenvalues in the tail", "PL-2", "fit", _of_fit(lambda fit: fit.tail_size),
        averaged=True, limits={"minimum": 1}),
    "ks_distance": Metric(
        "KS distance between the tail and the fit", "PL-3", "fit",
        _of_fit(lambda fit: fit.ks_distance),
        averaged=True, limits={"minimum": 0, "maximum": 1}),
    "log10_frobenius_norm": Metric(
        "Frobenius norm of W, not squared", "MET-2", "spectrum",
        _of_nonzero(lambda m: metrics.log10_frobenius_norm(m.eigen.eigenvalues, m.scale)),
        unit="log10", averaged=True, model_mean="mean_log10_frobenius_norm"),
    "log10_spectral_norm": Metric(
        "spectral norm of W, not squared", "MET-3", "spectrum",
        _of_nonzero(lambda m: metrics.log10_spectral_norm(m.eigen.eigenvalues, m.scale)),
        unit="log10", averaged=True, model_mean="mean_log10_spectral_norm"),
    "log10_alpha_norm": Metric(
        "sum of the eigenvalues to the power alpha", "MET-4", "fit",
        _of_alpha(lambda m, alpha: m.log10_alpha_norm(alpha)),
        unit="log10", averaged=True, model_mean="mean_log10_alpha_norm"),
    "stable_rank": Metric(
        "squared Frobenius by squared spectral norm", "MET-5", "spectrum",
        _of_nonzero(lambda m: metrics.stable_rank(m.eigen.eigenvalues)),
        averaged=True, model_mean="mean_stable_rank", limits={"minimum": 0.999999999999}),
    "log_stable_rank": Metric(
        "log10 of the squared Frobenius norm by log10 of lambda_max", "MET-6", "spectrum",
        _of_nonzero(lambda m: metrics.log_stable_rank(m.eigen.eigenvalues, m.scale)),
        averaged=True),
    "entropy": Metric(
        "matrix entropy, between 0 and 1; a little more may be where shares are shifted",
        "MET-7, MET-15", "spectrum",
        _of_nonzero(lambda m: ENTROPIES[m.convention.entropy](m.eigen.eigenvalues, m.rank)),
        averaged=True, limits={"minimum": 0}),
    "weighted_alpha": Metric(
        "alpha times the logarithm of lambda_max", "MET-8", "fit",
        _of_alpha(lambda m, alpha: m.weighted_alpha(alpha)),
        unit="log10, ln with log_base = e", averaged=True, model_mean="alpha_hat"),
    "erg_tail_size": Metric(
        "size of the tail of the ERG condition; null if all are equal within their errors",
        "MET-16", "spectrum",
        _of_nonzero(lambda m: m.erg_tail_size),
        limits={"minimum": 1}),
    "delta_lambda_min": Metric(
        "xmin above the threshold of the ERG condition", "MET-17", "fit",
        lambda m: m.delta_lambda_min,
        unit="mean eigenvalues"),
    "p_value": Metric(
        "goodness of fit; null unless it was asked for", "PL-50", "fit", lambda m: m.p_value,
        compared=False, limits={"minimum": 0, "maximum": 1}),
})
"""Metrics by their name in a report, in its order; `MatrixReport` states their types."""
# fmt: on

MEAN_FIELDS = tuple(name for name, metric in METRICS.items() if metric.averaged)
"""Numbers of a matrix that a layer averages (MET-9)."""

MODEL_MEANS: Mapping[str, str] = MappingProxyType(
    {metric.model_mean: name for name, metric in METRICS.items() if metric.model_mean is not None}
)
"""The metric that each mean over the model is the mean of (MET-10)."""


def measure(measured: Measured) -> dict[str, Any]:
    """Compute every metric of one matrix.

    Spec: MET-1, MET-12, MET-15, MET-18, CNV-10.
    """
    return {name: metric.of(measured) for name, metric in METRICS.items()}
