"""What can be said of one sample under a law other than the power law."""

from collections.abc import Callable
from dataclasses import asdict, dataclass

from numpy.typing import ArrayLike

from htsr_ref.powerlaw import MIN_RELIABLE_TAIL, KsKind
from htsr_ref.powerlaw.distributions import TruncatedPowerLaw
from htsr_ref.powerlaw.fit import XminRule, checked_sample
from htsr_ref.powerlaw.laws import fit_law
from htsr_ref.reports.report import SPEC_VERSION, Tool
from htsr_ref.samples.sample_report import whole_number_warning
from htsr_ref.text import strictjson
from htsr_ref.version import __version__


@dataclass(frozen=True)
class LawReport:
    """What `htsr fit --law` finds in one sample.

    Attributes
    ----------
    name : where the sample comes from.
    xmin_rule : the rule that chose xmin, "fixed" if it was given.
    law, parameters : the law, and its parameters under the names of spec chapter PL.
    stderr : of parameters that have one (PL-27).
    log_likelihood : natural logarithm, of the tail.
    """

    spec_version: str
    tool: Tool
    name: str
    sample_size: int
    ks: KsKind
    xmin_rule: str
    law: str
    parameters: dict[str, float]
    stderr: dict[str, float | None]
    xmin: float
    tail_size: int
    ks_distance: float
    log_likelihood: float
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """Write the report as JSON text."""
        return strictjson.dumps(asdict(self))


def examine_law(
    sample: ArrayLike,
    name: str,
    law: str,
    *,
    ks: KsKind = "two-sided",
    xmin: float | XminRule = "ks",
    progress: Callable[[int, int], None] | None = None,
) -> LawReport:
    """Fit a law to a sample.

    Parameters and errors as for `fit_law`; `name` says where the sample comes from.

    Spec: PL-8, PL-17, PL-55.
    """
    x = checked_sample(sample)
    fit = fit_law(x, law, ks=ks, xmin=xmin, progress=progress)
    parameters = {key: float(value) for key, value in vars(fit.law).items() if key != "xmin"}
    stderr: dict[str, float | None] = {}
    if isinstance(fit.law, TruncatedPowerLaw):
        stderr = dict(zip(("alpha", "rate"), fit.law.stderr(fit.tail_size), strict=True))
    short = fit.tail_size < MIN_RELIABLE_TAIL
    return LawReport(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        name=name,
        sample_size=x.size,
        ks=ks,
        xmin_rule=xmin if isinstance(xmin, str) else "fixed",
        law=law,
        parameters=parameters,
        stderr=stderr,
        xmin=fit.law.xmin,
        tail_size=fit.tail_size,
        ks_distance=fit.ks_distance,
        log_likelihood=fit.log_likelihood,
        warnings=(
            *whole_number_warning(x),
            *((f"the fit rests on a tail of {fit.tail_size} values",) if short else ()),
        ),
    )
