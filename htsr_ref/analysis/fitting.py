"""Carrying out the fit that a convention asks for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
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
from htsr_ref.powerlaw.fingers import clip_fingers
from htsr_ref.powerlaw.fit import XminRule, relative_logs, require_distinct
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.laws import fit_law_above, tails_of_rule
from htsr_ref.powerlaw.mle import alpha_mle
from htsr_ref.powerlaw.plain import fit_above, search_plain
from htsr_ref.powerlaw.pruned import search_pruned
from htsr_ref.powerlaw.tail_fit import ExponentLaw, TailFit
from htsr_ref.powerlaw.thresholds import STARTS, median_starts
from htsr_ref.spectra.accuracy import Accuracy, grouped

Values = NDArray[np.float64]
"""(n,) float64, ascending, not negative."""

Tails = list[tuple[int, float]]
"""Candidates: the index of a tail's first point, and the threshold."""

EQUAL = "the eigenvalues above xmin are equal within their errors"
"""Why there is no fit (PL-7)."""

SMALL_SAMPLE = 20
"""Samples with fewer values are those that `small_samples` concerns (CNV-8)."""

SMALL_SAMPLE_TAIL = 8
"""Points that a tail of a small sample must hold under `small_samples = corrected` (CNV-8)."""


def fit_eigenvalues(
    eigenvalues: Values, accuracy: Accuracy, convention: Convention
) -> TailFit[ExponentLaw]:
    """Fit the tail of a spectrum, or of any sample as if it were one.

    Parameters
    ----------
    eigenvalues : (M,) float64, ascending, not negative.
    accuracy : how well they are known.
    convention : the choices.

    Returns
    -------
    TailFit, of the sample that enters the fit: `selected`, with the largest values clipped where
    the convention clips fingers.

    Raises
    ------
    NoFitError
        There is nothing to fit; says why.

    Spec: PL-1, PL-7, CNV-5, CNV-6, CNV-8, CNV-9, SPC-10, SPC-11.
    """
    dropped, sample = split(eigenvalues, accuracy, convention)
    if sample.size == 0:
        raise NoFitError(_nothing_left(eigenvalues, dropped, convention))
    chosen = isinstance(convention.xmin, str) and convention.xmin != "erg"
    if chosen and sample[0] == sample[-1] and eigenvalues[-sample.size] < eigenvalues[-1]:
        raise NoFitError(EQUAL)
    found: TailFit[ExponentLaw] | None
    if convention.clip_fingers:
        found = clip_fingers(
            sample, max_fingers=convention.clip_fingers + 1, ks=distance(convention)
        )
    elif convention.small_samples == "corrected" and sample.size < SMALL_SAMPLE:
        starts = range(max(1, sample.size - SMALL_SAMPLE_TAIL + 1))
        tails = [(start, float(sample[start])) for start in starts]
        found = _closest(sample, tails, "corrected", convention)
    else:
        found = _by_rule(sample, _rule(eigenvalues, accuracy, sample, convention), convention)
    if found is None:
        raise NoFitError(f"no threshold fits the rule xmin = {convention.xmin}")
    largest = float(sample[found.sample_size - 1])
    if largest - found.xmin <= accuracy.resolution:
        raise NoFitError(EQUAL)
    bounded = convention.xmax == "largest" or convention.clip_fingers > 0
    return replace(found, xmax=largest) if bounded else found


def _nothing_left(eigenvalues: Values, dropped: Values, convention: Convention) -> str:
    if eigenvalues[-1] == 0:
        return "all eigenvalues are zero"
    if dropped.size:
        return f"drop_smallest = {convention.drop_smallest} leaves no eigenvalue to fit"
    return f"no eigenvalue is above eigenvalue_floor = {convention.eigenvalue_floor}"


def selected(eigenvalues: Values, accuracy: Accuracy, convention: Convention) -> Values:
    """Eigenvalues that enter the fit.

    Spec: PL-1, SPC-10, SPC-11, SPC-13.
    """
    return split(eigenvalues, accuracy, convention)[1]


def split(eigenvalues: Values, accuracy: Accuracy, convention: Convention) -> tuple[Values, Values]:
    """Eigenvalues above the floor: those that are dropped as the smallest, and those that enter.

    Spec: PL-1, SPC-10, SPC-11, SPC-13.
    """
    eigenvalues = _told_apart(eigenvalues, accuracy, convention)
    floor = convention.eigenvalue_floor
    chosen = eigenvalues > (0.0 if isinstance(floor, str) else floor)
    if floor == "rounding":
        chosen &= accuracy.resolved
    smallest = np.arange(eigenvalues.size) < convention.drop_smallest
    return eigenvalues[chosen & smallest], eigenvalues[chosen & ~smallest]


def _told_apart(eigenvalues: Values, accuracy: Accuracy, convention: Convention) -> Values:
    """Eigenvalues; equal ones get one value where the convention asks for it.

    Spec: SPC-13.
    """
    grouping = convention.equal_eigenvalues == "group"
    return grouped(eigenvalues, accuracy.widths) if grouping else eigenvalues


def distance(convention: Convention) -> KsKind:
    """Kind of the KS distance: equal eigenvalues are one step of the empirical function, or many.

    Spec: PL-3, SPC-13.
    """
    if convention.ks == "one-sided" and convention.equal_eigenvalues == "group":
        return "one-sided-steps"
    return convention.ks


def _rule(
    eigenvalues: Values, accuracy: Accuracy, sample: Values, convention: Convention
) -> float | XminRule:
    """Rule or threshold as the fits of samples take it.

    Spec: CNV-6.
    """
    if convention.xmin != "erg":
        return cast("float | XminRule", convention.xmin)
    size = erg_tail_size(eigenvalues, accuracy.resolution)
    eigenvalues = _told_apart(eigenvalues, accuracy, convention)
    if size is None:
        raise NoFitError("all eigenvalues are equal within their errors")
    return max(float(eigenvalues[-size]), float(sample[0]))


def _by_rule(
    sample: Values, xmin: float | XminRule, convention: Convention
) -> TailFit[ExponentLaw] | None:
    """Search the tails that a rule admits: pruned where the law allows it, else plainly.

    Spec: CNV-6, CNV-7.
    """
    ks = distance(convention)
    if isinstance(xmin, str):
        require_distinct(sample)
    if xmin == "median":
        starts = median_starts(sample, convention.xmin_position or 2.0)
        tails = [(int(start), float(sample[start])) for start in starts]
        return _closest(sample, tails, convention.estimator, convention)
    if convention.estimator == "mle" and convention.ks_model == "unbounded":
        return fit_power_law(sample, ks=ks, xmin=xmin)
    if convention.estimator == "mle" and xmin in STARTS:
        starts = STARTS[str(xmin)](sample)
        return search_pruned(sample, relative_logs(sample), starts, ks, renormalized=True)
    return _closest(sample, list(tails_of_rule(sample, xmin)), convention.estimator, convention)


def _closest(
    sample: Values, tails: Tails, estimator: str, convention: Convention
) -> TailFit[ExponentLaw] | None:
    """Fit every tail by an estimator and keep the one of least distance.

    Spec: PL-4, CNV-5, CNV-7.
    """
    ks = distance(convention)
    renormalized = convention.ks_model == "renormalized"
    logs = relative_logs(sample)

    def fit(tail: tuple[int, float]) -> TailFit[ExponentLaw]:
        start, xmin = tail
        if estimator in LAWS:
            return fit_law_above(sample, start, xmin, LAWS[estimator], ks)
        above = logs[start:] + float(log_ratio(sample[-1], xmin))
        alpha_of = EXPONENTS[estimator]
        return fit_above(
            above,
            start,
            xmin,
            ks,
            alpha_of=alpha_of,
            points=sample[start:],
            renormalized=renormalized,
        )

    return search_plain([tail for tail in tails if tail[1] < sample[-1]], fit)


LAWS: Mapping[str, type[ExponentLaw]] = MappingProxyType(
    {"bounded-mle": BoundedPowerLaw, "truncated": TruncatedPowerLaw}
)
"""Laws other than the power law by the value of `estimator` (CNV-5)."""

EXPONENTS: Mapping[str, Callable[[Values], float]] = MappingProxyType(
    {
        "mle": alpha_mle,
        "mle-unbiased": alpha_unbiased,
        "corrected": lambda log_ratios: alpha_unbiased(log_ratios, "given"),
    }
)
"""Exponents of the power law by the value of `estimator`, or of `small_samples` (CNV-5, CNV-8)."""
