"""How far a fitted power law can be trusted: evidence beside the fit, in the report's terms."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw import MIN_RELIABLE_TAIL
from htsr_ref.powerlaw.comparison import Comparison, compare
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS, PowerLaw
from htsr_ref.powerlaw.extreme import TailIndex
from htsr_ref.reports.report import ExtremeValue, LawComparison
from htsr_ref.reports.words import decided_for

ALTERNATIVES = ("truncated_power_law", "lognormal", "stretched_exponential", "exponential")
"""Names of the laws that a power law is compared with, in the order of reports."""


def extreme_value(found: TailIndex | None) -> ExtremeValue | None:
    """Put an extreme-value index into the report's terms.

    Spec: PL-66, PL-71.
    """
    if found is None:
        return None
    return ExtremeValue(
        found.xi, found.stderr, found.k, "moment", found.verdict, found.implied_alpha
    )


def compare_laws(
    tail: NDArray[np.float64], xmin: float
) -> tuple[dict[str, LawComparison | None], tuple[str, ...]]:
    """Compare a power law with each alternative, all fitted to one tail.

    Parameters
    ----------
    tail : (n,) float64, all points ≥ xmin, not all equal to it.
    xmin : the threshold.

    Returns
    -------
    The comparisons by name, None where the other law cannot be fitted; and a warning for each of
    those, which says why.

    Spec: PL-18. Source: Clauset, Shalizi & Newman 2009, section 5.

    >>> comparisons, warnings = compare_laws(1.0 + np.arange(200.0), 1.0)
    >>> comparisons["exponential"].favored, warnings
    ('exponential', ())
    """
    power_law = PowerLaw.fit(tail, xmin)
    comparisons: dict[str, LawComparison | None] = {}
    warnings = []
    for name in ALTERNATIVES:
        try:
            test = compare(power_law, DISTRIBUTIONS[name].fit(tail, xmin), tail)
        except NoFitError as error:
            comparisons[name] = None
            warnings.append(f"no comparison with {name}: {error}")
        else:
            comparisons[name] = _in_report(name, test)
    return comparisons, tuple(warnings)


def _in_report(name: str, test: Comparison) -> LawComparison:
    """Take over a comparison; the likelier law is favored only where the test has decided."""
    likelier = LawComparison(
        test.log_likelihood_ratio, test.normalized_ratio, test.p_value, None, test.test
    )
    return replace(likelier, favored=decided_for(name, likelier))


def fit_warnings(tail_size: int, extreme: ExtremeValue | None) -> tuple[str, ...]:
    """Say why a fit should be read with care.

    Spec: PL-8, PL-19.
    """
    warnings = []
    if tail_size < MIN_RELIABLE_TAIL:
        warnings.append(f"alpha rests on a tail of {tail_size} values")
    if extreme is not None and extreme.verdict == "bounded edge":
        warnings.append(
            f"alpha claims a power law, but the extreme-value index {extreme.xi:.2f} ± "
            f"{extreme.stderr:.2f} says that the values end at an edge"
        )
    return tuple(warnings)
