"""Fitting one sample and saying how far the fit can be trusted."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.analysis.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.analysis.fitting import fit_eigenvalues, selected
from htsr_ref.analysis.replicating import bootstrap_under, goodness_under, require_repeatable
from htsr_ref.conventions import SDM2020, Convention
from htsr_ref.powerlaw import MIN_RELIABLE_TAIL, KsKind, TailFit
from htsr_ref.powerlaw.extreme import tail_index_or_none
from htsr_ref.powerlaw.fit import XminRule, checked_sample
from htsr_ref.powerlaw.laws import fit_law
from htsr_ref.samples.sample_report import SampleReport
from htsr_ref.samples.samples import are_whole_numbers
from htsr_ref.spectra.accuracy import sample_accuracy

Progress = Callable[[int, int], None]


def examine_sample(
    sample: ArrayLike,
    name: str,
    convention: Convention = SDM2020,
    *,
    gof: int = 0,
    replicas: int = 0,
    compare: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> SampleReport:
    """Fit a sample as a convention fits eigenvalues, and say how far the fit can be trusted.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    name : where it comes from.
    convention : the choices; those about matrices and means play no part.
    gof : replicas of the goodness-of-fit test; 0 for none. Above a given xmin every replica is a
        tail (PL-53).
    replicas : replicas of the bootstrap intervals; 0 for none.
    compare : whether to compare with other laws.
    seed : of the random choices.
    progress : called with the replicas done and their total.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law`.
    ConventionError
        Replicas are asked for and cannot repeat the convention's fit.

    Spec: PL-7, PL-17, PL-18, PL-73, CNV-21.

    >>> report = examine_sample([1.0, 2.0, 3.0, 5.0], "x", SDM2020.override({"xmin": 2.0}))
    >>> report.fit.tail_size, report.fit.xmin
    (3, 2.0)
    """
    if gof:
        require_repeatable(convention, "the goodness-of-fit test")
    if replicas:
        require_repeatable(convention, "the bootstrap")
    x = checked_sample(sample)
    accuracy = sample_accuracy(x)
    fit = fit_eigenvalues(x, accuracy, convention)
    drawn, tested = None, None
    if replicas:
        drawn = bootstrap_under(
            x, accuracy, convention, replicas=replicas, seed=seed, progress=progress
        )
    if gof:
        tested = goodness_under(
            x, accuracy, convention, fit, replicas=gof, seed=seed, progress=progress
        )
    tail = selected(x, accuracy, convention)[fit.start : fit.sample_size]
    comparisons, without = compare_laws(tail, fit.xmin) if compare else ({}, ())
    extreme = extreme_value(tail_index_or_none(x))
    return _report(
        x,
        name,
        fit,
        (*fit_warnings(fit.tail_size, extreme), *without),
        convention=convention,
        extreme_value=extreme,
        p_value=None if tested is None else tested.p_value,
        gof_replicas=gof or None,
        alpha_bootstrap95=None if drawn is None else drawn.alpha,
        xmin_bootstrap95=None if drawn is None else drawn.xmin,
        seed=seed if gof or replicas else None,
        comparisons=comparisons,
    )


def examine_law(
    sample: ArrayLike,
    name: str,
    law: str,
    *,
    ks: KsKind = "two-sided",
    xmin: float | XminRule = "ks",
    progress: Progress | None = None,
) -> SampleReport:
    """Fit a law to a sample.

    Parameters and errors as for `fit_law`; `name` says where the sample comes from.

    Spec: PL-8, PL-17, PL-55.
    """
    x = checked_sample(sample)
    fit = fit_law(x, law, ks=ks, xmin=xmin, progress=progress)
    short = fit.tail_size < MIN_RELIABLE_TAIL
    return _report(
        x,
        name,
        fit,
        (f"the fit rests on a tail of {fit.tail_size} values",) if short else (),
        xmin_rule=xmin if isinstance(xmin, str) else "fixed",
        law=law,
        log_likelihood=float(fit.law.logpdf(x[fit.start :]).sum()),
    )


def _report(
    x: NDArray[np.float64],
    name: str,
    fit: TailFit[Any],
    warnings: tuple[str, ...],
    **numbers: Any,
) -> SampleReport:
    """Make a report of a fit; counts, which a continuous law describes only roughly, are warned of.

    Spec: PL-17.
    """
    if are_whole_numbers(x):
        warnings = ("all values are whole numbers; they are fitted as continuous", *warnings)
    return SampleReport(name, x.size, fit, warnings, **numbers)
