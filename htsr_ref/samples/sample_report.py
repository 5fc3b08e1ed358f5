"""What can be said of one sample, as data."""

from dataclasses import dataclass, field
from typing import Any

from htsr_ref.conventions import Convention
from htsr_ref.powerlaw import TailFit
from htsr_ref.powerlaw.distributions import TruncatedPowerLaw
from htsr_ref.reports.report import SPEC_VERSION, ExtremeValue, LawComparison, Tool
from htsr_ref.text import strictjson
from htsr_ref.text.lines import count, one_line
from htsr_ref.version import __version__


@dataclass(frozen=True)
class SampleReport:
    """Everything that `htsr fit` finds in one sample; spec chapter PL defines each number.

    Attributes
    ----------
    name : where the sample comes from.
    sample_size : number of its values.
    fit : the fitted tail.
    warnings : why the fit should be read with care.
    xmin_rule : the rule that chose xmin, "fixed" if it was given; None under a convention.
    convention : the choices that were followed; those about matrices and means play no part. None
        where a law was asked for.
    law : name of the law that was asked for; None for the convention's.
    log_likelihood : natural logarithm, of the tail under that law.
    extreme_value : the extreme-value index; None for a sample too small for one.
    p_value, gof_replicas : goodness of fit; None if it was not asked for.
    alpha_bootstrap95, xmin_bootstrap95 : bootstrap intervals; None if not asked for.
    seed : of the random choices; None where there were none.
    comparisons : alternatives by name, None where one cannot be fitted (a warning says why); empty
        if not asked for.
    """

    name: str
    sample_size: int
    fit: TailFit[Any]
    warnings: tuple[str, ...]
    xmin_rule: str | None = None
    convention: Convention | None = None
    law: str | None = None
    log_likelihood: float | None = None
    extreme_value: ExtremeValue | None = None
    p_value: float | None = None
    gof_replicas: int | None = None
    alpha_bootstrap95: tuple[float, float] | None = None
    xmin_bootstrap95: tuple[float, float] | None = None
    seed: int | None = None
    comparisons: dict[str, LawComparison | None] = field(default_factory=dict)

    @property
    def parameters(self) -> dict[str, float]:
        """Parameters of the law but xmin, under the names of spec chapter PL."""
        return {key: float(value) for key, value in vars(self.fit.law).items() if key != "xmin"}

    @property
    def stderr(self) -> dict[str, float | None]:
        """Standard errors of the parameters that have one (PL-27)."""
        law = self.fit.law
        if not isinstance(law, TruncatedPowerLaw):
            return {}
        return dict(zip(("alpha", "rate"), law.stderr(self.fit.tail_size), strict=True))

    def __repr__(self) -> str:
        law = self.law or f"alpha {self.fit.alpha:.4f}"
        return f"<SampleReport of {one_line(self.name)}: {count(self.sample_size, 'value')}, {law}>"

    def __str__(self) -> str:
        """Say what was found, a line for each number."""
        from htsr_ref.samples.sample_text import sample_text

        return sample_text(self)

    def to_json(self) -> str:
        """Write the report as JSON text; under a law it holds the fit alone."""
        fit = self.fit
        found: dict[str, Any] = {
            "spec_version": SPEC_VERSION,
            "tool": Tool("htsr-ref", __version__),
            "name": self.name,
        }
        if self.convention is not None:
            found |= {"convention": self.convention, "sample_size": self.sample_size}
        else:
            found |= {"sample_size": self.sample_size, "ks": fit.ks, "xmin_rule": self.xmin_rule}
        if self.law is not None:
            found |= {"law": self.law, "parameters": self.parameters, "stderr": self.stderr}
        else:
            found |= {"alpha": fit.alpha, "alpha_stderr": fit.stderr, "alpha_ci95": fit.ci95}
        found["xmin"] = fit.xmin
        if self.convention is not None:
            found["xmax"] = fit.xmax
        found |= {"tail_size": fit.tail_size, "ks_distance": fit.ks_distance}
        if self.law is not None:
            found["log_likelihood"] = self.log_likelihood
        else:
            found |= {key: getattr(self, key) for key in EVIDENCE}
        return strictjson.dumps(found | {"warnings": self.warnings})


EVIDENCE = (
    "extreme_value",
    "p_value",
    "gof_replicas",
    "alpha_bootstrap95",
    "xmin_bootstrap95",
    "seed",
    "comparisons",
)
"""What a report says of the power law beside its fit, where no law was asked for."""
