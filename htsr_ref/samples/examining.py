"""Fitting one sample and saying how far the fit can be trusted."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.analysis.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.analysis.fitting import fit_eigenvalues
from htsr_ref.conventions import Convention
from htsr_ref.errors import SampleError
from htsr_ref.powerlaw import MIN_RELIABLE_TAIL, KsKind, TailFit, fit_power_law
from htsr_ref.powerlaw.fit import XminRule, checked_sample
from htsr_ref.powerlaw.laws import fit_law
from htsr_ref.powerlaw.uncertainty import bootstrap, goodness_of_fit
from htsr_ref.samples.sample_report import SampleReport
from htsr_ref.samples.samples import are_whole_numbers
from htsr_ref.spectra.accuracy import sample_accuracy

Progress = Callable[[int, int], None]


def examine_sample(
    sample: ArrayLike,
    name: str,
    *,
    ks: KsKind = "two-sided",
    xmin: float | XminRule = "ks",
    gof: int = 0,
    replicas: int = 0,
    compare: bool = False,
    seed: int = 0,
    progress: Progress | None = None,
) -> SampleReport:
    """Fit a power law to a sample and say how far the fit can be trusted.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    name : where it comes from.
    ks, xmin : as for `fit_power_law`.
    gof : replicas of the goodness-of-fit test; 0 for none. Needs xmin = "ks" or a number, above
        which every replica is then a tail (PL-53).
    replicas : replicas of the bootstrap intervals; 0 for none. Needs xmin = "ks" or a number.
    compare : whether to compare with other laws.
    seed : of the random choices.
    progress : called with the replicas done and their total.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law`; SampleError also where gof or replicas do not go with xmin.

    Spec: PL-17, PL-18.
    """
    x = checked_sample(sample)
    fit = fit_power_law(x, ks=ks, xmin=xmin)
    drawn, tested = None, None
    if gof or replicas:
        if isinstance(xmin, str) and xmin != "ks":
            raise SampleError(f"replicas cannot follow xmin = {xmin}: leave ks or give a number")
        if replicas:
            drawn = bootstrap(x, ks=ks, xmin=xmin, replicas=replicas, seed=seed, progress=progress)
        if gof:
            tested = goodness_of_fit(
                x,
                fit,
                xmin="searched" if xmin == "ks" else "known",
                replicas=gof,
                seed=seed,
                progress=progress,
            )
    comparisons, without = compare_laws(x[fit.start :], fit.xmin) if compare else ({}, ())
    extreme = extreme_value(x)
    return _report(
        x,
        name,
        fit,
        (*fit_warnings(fit.tail_size, extreme), *without),
        xmin_rule=_rule(xmin),
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
        xmin_rule=_rule(xmin),
        law=law,
        log_likelihood=float(fit.law.logpdf(x[fit.start :]).sum()),
    )


def examine_by_convention(sample: ArrayLike, name: str, convention: Convention) -> SampleReport:
    """Fit a sample as a convention fits the eigenvalues of a matrix.

    Parameters
    ----------
    sample : (n,) real, positive, in any order.
    name : where it comes from.
    convention : the choices.

    Raises
    ------
    SampleError, NoFitError
        As `fit_power_law`.

    Spec: PL-7, PL-17, CNV-21.

    >>> from htsr_ref.conventions import SDM2020
    >>> report = examine_by_convention([1.0, 2.0, 3.0, 5.0], "x", SDM2020.override({"xmin": 2.0}))
    >>> report.fit.tail_size, report.fit.xmin
    (3, 2.0)
    """
    x = checked_sample(sample)
    fit = fit_eigenvalues(x, sample_accuracy(x), convention)
    warnings = fit_warnings(fit.tail_size, extreme_value(x))
    return _report(x, name, fit, warnings, convention=convention)


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


def _rule(xmin: float | XminRule) -> str:
    return xmin if isinstance(xmin, str) else "fixed"
