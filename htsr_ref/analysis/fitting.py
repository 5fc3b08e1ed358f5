"""Carrying out the fit that a convention asks for."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import cast

import numpy as np
from numpy.typing import NDArray

from htsr_ref.conventions import Convention
from htsr_ref.errors import NoFitError
from htsr_ref.metrics import erg_tail_size
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.distributions import BoundedPowerLaw, TruncatedPowerLaw
from htsr_ref.powerlaw.distributions.tail import log_ratio
from htsr_ref.powerlaw.estimators import alpha_unbiased
from htsr_ref.powerlaw.exact import search_exact
from htsr_ref.powerlaw.fingers import clip_fingers
from htsr_ref.powerlaw.fit import XminRule, log_ratios
from htsr_ref.powerlaw.ks import KsKind, ks_distance
from htsr_ref.powerlaw.laws import tails_of_rule
from htsr_ref.powerlaw.mle import Z95, alpha_mle, alpha_stderr
from htsr_ref.powerlaw.thresholds import STARTS, median_starts
from htsr_ref.spectra.spectrum import Spectrum

Values = NDArray[np.float64]
"""(n,) float64, ascending, positive."""

SMALL_SAMPLE = 20
"""Samples with fewer values are those that `small_samples` concerns (CNV-8)."""

LEAST_TAIL = 8
"""Points that a tail of a small sample must hold under `small_samples = corrected` (CNV-8)."""


@dataclass(frozen=True)
class TailFit:
    """A fitted tail.

    Attributes
    ----------
    alpha : exponent; with some estimators it can be 1 or less.
    stderr : asymptotic standard error of alpha, by the estimator's own law.
    xmin : threshold, in the units of the eigenvalues.
    tail : (n,) the eigenvalues that were fitted, ascending, all ≥ xmin.
    sample_size : number of eigenvalues that entered the search.
    ks_distance : distance between the tail and the fit.
    ks : which KS distance that is.
    xmax : upper end of the fitted range; None without one.

    Spec: PL-6, CNV-5.
    """

    alpha: float
    stderr: float
    xmin: float
    tail: Values
    sample_size: int
    ks_distance: float
    ks: KsKind
    xmax: float | None = None

    @property
    def tail_size(self) -> int:
        """Number of eigenvalues that were fitted."""
        return self.tail.size

    @property
    def ci95(self) -> tuple[float, float]:
        """Asymptotic 95 % interval of alpha."""
        half = Z95 * self.stderr
        return self.alpha - half, self.alpha + half


def fit_eigenvalues(eigen: Spectrum, convention: Convention) -> TailFit:
    """Fit the tail of a spectrum.

    Raises
    ------
    NoFitError
        There is nothing to fit; says why.

    Spec: PL-1, PL-7, CNV-5, CNV-6, CNV-8, CNV-9, SPC-10, SPC-11.
    """
    sample = selected(eigen, convention)
    if sample.size == 0:
        raise NoFitError(
            "all eigenvalues are zero"
            if eigen.lambda_max == 0
            else f"no eigenvalue is above eigenvalue_floor = {convention.eigenvalue_floor}"
        )
    if convention.clip_fingers:
        clipped = clip_fingers(sample, max_fingers=convention.clip_fingers + 1, ks=convention.ks)
        sample = sample[: sample.size - clipped.clipped]
    found = _fit(sample, eigen, convention)
    if found.tail[-1] - found.xmin <= eigen.resolution:
        raise NoFitError("the eigenvalues above xmin are equal within their errors")
    bounded = convention.xmax == "largest" or convention.clip_fingers > 0
    return replace(found, xmax=float(found.tail[-1])) if bounded else found


def selected(eigen: Spectrum, convention: Convention) -> Values:
    """Eigenvalues that enter the fit.

    Spec: PL-1, SPC-10, SPC-11.
    """
    values = eigen.eigenvalues[convention.drop_smallest :]
    floor = convention.eigenvalue_floor
    return values[values > (0.0 if isinstance(floor, str) else floor)]


def _fit(sample: Values, eigen: Spectrum, convention: Convention) -> TailFit:
    ks = convention.ks
    if convention.small_samples == "corrected" and sample.size < SMALL_SAMPLE:
        starts = range(max(1, sample.size - LEAST_TAIL + 1))
        tails = [(start, float(sample[start])) for start in starts]
        return _search(sample, tails, _corrected, convention)
    rule = _rule(eigen, convention)
    plain = convention.estimator == "mle" and convention.ks_model == "unbounded"
    if plain and rule != "median":
        fit = fit_power_law(sample, ks=ks, xmin=rule)
        tail = sample[sample.size - fit.tail_size :]
        return TailFit(fit.alpha, fit.stderr, fit.xmin, tail, sample.size, fit.ks_distance, ks)
    if convention.estimator == "mle" and rule in STARTS and rule != "median":
        return _renormalized(sample, cast("str", rule), ks)
    if rule == "median":
        start = median_starts(sample, convention.xmin_position or 2.0)
        tails = [(int(i), float(sample[i])) for i in start]
    else:
        tails = list(tails_of_rule(sample, rule))
    return _search(sample, tails, ESTIMATORS[convention.estimator], convention)


def _renormalized(sample: Values, rule: str, ks: KsKind) -> TailFit:
    """Search with every law renormalized to end at the largest value.

    Spec: CNV-7.
    """
    found = search_exact(sample, log_ratios(sample), ks, STARTS[rule](sample), renormalized=True)
    if found is None:
        raise NoFitError(f"no threshold fits the rule xmin = {rule}")
    tail = sample[found.start :]
    stderr = alpha_stderr(found.alpha, tail.size)
    return TailFit(found.alpha, stderr, float(tail[0]), tail, sample.size, found.ks_distance, ks)


def _rule(eigen: Spectrum, convention: Convention) -> float | XminRule:
    """Rule or threshold as the fits of samples take it.

    Spec: CNV-6.
    """
    if convention.xmin != "erg":
        return cast("float | XminRule", convention.xmin)
    size = erg_tail_size(eigen.eigenvalues, eigen.resolution)
    if size is None:
        raise NoFitError("all eigenvalues are equal within their errors")
    smallest = selected(eigen, convention)[0]
    return max(float(eigen.eigenvalues[-size]), float(smallest))


@dataclass(frozen=True)
class Trial:
    """An exponent, its standard error, and the fitted law's values at the points of the tail."""

    alpha: float
    stderr: float
    cdf: Values


Estimate = Callable[[Values, float, Values], Trial]
"""Fits a tail above a threshold, given ln(x/xmin) of its points; NoFitError where it cannot."""


def _search(
    sample: Values, tails: list[tuple[int, float]], estimate: Estimate, convention: Convention
) -> TailFit:
    """Tail of least KS distance; the one of the smallest threshold among equals.

    Spec: PL-4, CNV-7.
    """
    best: TailFit | None = None
    for start, threshold, trial in _trials(sample, tails, estimate):
        tail = sample[start:]
        renormalized = convention.ks_model == "renormalized"
        cdf = trial.cdf / trial.cdf[-1] if renormalized else trial.cdf
        distance = ks_distance(cdf, convention.ks)
        if best is None or distance < best.ks_distance:
            best = TailFit(
                trial.alpha,
                trial.stderr,
                threshold,
                tail,
                sample.size,
                distance,
                convention.ks,
            )
    if best is None:
        raise NoFitError(f"no threshold fits the rule xmin = {convention.xmin}")
    return best


def _trials(
    sample: Values, tails: list[tuple[int, float]], estimate: Estimate
) -> Iterator[tuple[int, float, Trial]]:
    """Fit every tail that can be fitted."""
    logs = log_ratios(sample)
    for start, threshold in tails:
        if sample[-1] > threshold:
            above = logs[start:] + float(log_ratio(sample[-1], threshold))
            try:
                yield start, threshold, estimate(sample[start:], threshold, above)
            except NoFitError:
                continue


def _power_law(alpha_of: Callable[[Values], float]) -> Estimate:
    """Make an estimate of the power law from an estimator of its exponent."""

    def estimate(tail: Values, xmin: float, logs: Values) -> Trial:
        alpha = alpha_of(logs)
        return Trial(alpha, alpha_stderr(alpha, tail.size), -np.expm1((1.0 - alpha) * logs))

    return estimate


def _bounded(tail: Values, xmin: float, _: Values) -> Trial:
    law = BoundedPowerLaw.fit(tail, xmin)
    return Trial(law.alpha, law.stderr(tail.size), law.cdf(tail))


def _truncated(tail: Values, xmin: float, _: Values) -> Trial:
    law = TruncatedPowerLaw.fit(tail, xmin)
    return Trial(law.alpha, law.stderr(tail.size)[0], law.cdf(tail))


_corrected = _power_law(lambda logs: alpha_unbiased(logs, "given"))

ESTIMATORS: Mapping[str, Estimate] = MappingProxyType(
    {
        "mle": _power_law(alpha_mle),
        "mle-unbiased": _power_law(alpha_unbiased),
        "bounded-mle": _bounded,
        "truncated": _truncated,
    }
)
"""Fits of a tail by the value of `estimator`.

Spec: CNV-5.
"""
