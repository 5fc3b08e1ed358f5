"""What can be said of one sample: its fit, how sure it is, and whether it is a power law at all."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.analysis.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.errors import SampleError
from htsr_ref.powerlaw import KsKind, fit_power_law
from htsr_ref.powerlaw.fit import XminRule, checked_sample
from htsr_ref.powerlaw.uncertainty import bootstrap, goodness_of_fit
from htsr_ref.reports.report import SPEC_VERSION, ExtremeValue, LawComparison, Tool
from htsr_ref.samples.samples import are_whole_numbers
from htsr_ref.text import strictjson
from htsr_ref.version import __version__


@dataclass(frozen=True)
class SampleReport:
    """Everything that `htsr fit` finds in one sample; spec chapter PL defines each number.

    Attributes
    ----------
    name : where the sample comes from.
    xmin_rule : the rule that chose xmin, "fixed" if it was given.
    extreme_value : the extreme-value index; None for a sample too small for one.
    p_value, gof_replicas : goodness of fit; None if it was not asked for.
    alpha_bootstrap95, xmin_bootstrap95 : bootstrap intervals; None if not asked for.
    seed : of the random choices; None where there were none.
    comparisons : alternatives by name, None where one cannot be fitted (a warning says why); empty
        if not asked for.
    """

    spec_version: str
    tool: Tool
    name: str
    sample_size: int
    ks: KsKind
    xmin_rule: str
    alpha: float
    alpha_stderr: float
    alpha_ci95: tuple[float, float]
    xmin: float
    tail_size: int
    ks_distance: float
    extreme_value: ExtremeValue | None
    p_value: float | None
    gof_replicas: int | None
    alpha_bootstrap95: tuple[float, float] | None
    xmin_bootstrap95: tuple[float, float] | None
    seed: int | None
    comparisons: dict[str, LawComparison | None]
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """Write the report as JSON text."""
        return strictjson.dumps(asdict(self))


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
    progress: Callable[[int, int], None] | None = None,
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
    tail = x[x.size - fit.tail_size :]
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
    comparisons, without = compare_laws(tail, fit.xmin) if compare else ({}, ())
    extreme = extreme_value(x)
    return SampleReport(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        name=name,
        sample_size=x.size,
        ks=ks,
        xmin_rule=xmin if isinstance(xmin, str) else "fixed",
        alpha=fit.alpha,
        alpha_stderr=fit.stderr,
        alpha_ci95=fit.ci95,
        xmin=fit.xmin,
        tail_size=fit.tail_size,
        ks_distance=fit.ks_distance,
        extreme_value=extreme,
        p_value=None if tested is None else tested.p_value,
        gof_replicas=gof or None,
        alpha_bootstrap95=None if drawn is None else drawn.alpha,
        xmin_bootstrap95=None if drawn is None else drawn.xmin,
        seed=seed if gof or replicas else None,
        comparisons=comparisons,
        warnings=(*whole_number_warning(x), *fit_warnings(fit.tail_size, extreme), *without),
    )


def whole_number_warning(x: NDArray[np.float64]) -> tuple[str, ...]:
    """Warn of counts, which a continuous law describes only roughly.

    Spec: PL-17.
    """
    if not are_whole_numbers(x):
        return ()
    return ("all values are whole numbers; they are fitted as continuous",)
