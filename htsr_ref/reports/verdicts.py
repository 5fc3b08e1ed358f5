"""A verdict in words on a matrix: a power law, an edge, noise, or nothing that can be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from htsr_ref.powerlaw.fit import MIN_RELIABLE_TAIL
from htsr_ref.reports.words import LEVEL, decided_for, law_text, p_text

if TYPE_CHECKING:
    from htsr_ref.randommatrix.bulk import BulkFit
    from htsr_ref.reports.report import ExtremeValue, MatrixReport

VerdictName = Literal[
    "power law", "no power law (edge)", "random-like", "undecided", "too few eigenvalues"
]

VERDICTS: tuple[VerdictName, ...] = (
    "power law",
    "no power law (edge)",
    "random-like",
    "undecided",
    "too few eigenvalues",
)
"""In the order in which they are counted."""

LEAST_EIGENVALUES = 20
"""Positive eigenvalues below which there is no verdict (VRD-2)."""

FLAT_RATIO = 1.1
"""λ_max/λ_min up to which all eigenvalues count as equal (VRD-3)."""

BULK_DISTANCE = 0.05
"""KS distance up to which a law describes a bulk, however certain the difference is (VRD-3)."""

OVER_TRAINED, UNDER_TRAINED = 2.0, 6.0
"""Ends of the range of α that the field calls reliable (VRD-7)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a matrix's numbers say of a power law.

    Attributes
    ----------
    name : the verdict.
    reason : the rule that decided, with its numbers.
    remark : what the field calls an α outside its reliable range; None within it.

    Spec: VRD-1.
    """

    name: VerdictName
    reason: str
    remark: str | None


def verdict_of(matrix: MatrixReport) -> Verdict:
    """Give the verdict on a matrix from what its report holds.

    Parameters
    ----------
    matrix : its numbers; the verdict that it carries is not looked at.

    Spec: VRD-1, VRD-2, VRD-3, VRD-4, VRD-5, VRD-6.
    """
    name, reason = _rule(matrix)
    return Verdict(name, reason, alpha_remark(matrix.alpha if matrix.xmin is not None else None))


def alpha_remark(alpha: float | None) -> str | None:
    """Say what WeightWatcher calls an α outside its range; nothing of one within it.

    Spec: VRD-7.

    >>> alpha_remark(6.84)
    'α = 6.84 is above 6: "under-trained" in the words of WeightWatcher'
    """
    word = training_word(alpha)
    if alpha is None or word is None:
        return None
    end = f"below {OVER_TRAINED:g}" if alpha < OVER_TRAINED else f"above {UNDER_TRAINED:g}"
    return f'α = {alpha:.3g} is {end}: "{word}" in the words of WeightWatcher'


def training_word(alpha: float | None) -> str | None:
    """Find WeightWatcher's word for an α outside the range that it calls reliable.

    Spec: VRD-7, RPT-8. Source: WeightWatcher 0.7.7, column `warning`.

    >>> training_word(1.9), training_word(2.0), training_word(6.1)
    ('over-trained', None, 'under-trained')
    """
    if alpha is None or OVER_TRAINED <= alpha <= UNDER_TRAINED:
        return None
    return "over-trained" if alpha < OVER_TRAINED else "under-trained"


def _rule(matrix: MatrixReport) -> tuple[VerdictName, str]:
    positive = matrix.num_eigenvalues - matrix.num_zero
    if positive < LEAST_EIGENVALUES:
        return (
            "too few eigenvalues",
            f"{positive} are positive, {LEAST_EIGENVALUES} are needed",
        )
    noise = _like_noise(matrix)
    if noise is not None:
        return "random-like", noise
    extreme = matrix.extreme_value
    if extreme is None:
        return "undecided", "there is no extreme-value index"
    index = f"ξ = {extreme.xi:.2f} ± {extreme.stderr:.2f}"
    if extreme.verdict == "bounded edge":
        return "no power law (edge)", f"{index}: the values end at an edge"
    if extreme.verdict == "undecided":
        return "undecided", f"{index}: a heavy tail or an edge"
    doubt = _doubt(matrix, extreme)
    if doubt is not None:
        return "undecided", f"{index}, but {doubt}"
    return "power law", f"{index}: a heavy tail"


def _like_noise(matrix: MatrixReport) -> str | None:
    """Say how a spectrum is that of a random matrix; None if it is not.

    Spec: VRD-3.
    """
    if matrix.num_zero == 0 and matrix.lambda_max <= FLAT_RATIO * matrix.lambda_min:
        return "all eigenvalues are equal within 10 %, as if orthogonal"
    bulk = matrix.mp
    if bulk is None or bulk.num_spikes or matrix.phase == "rank-collapse":
        return None
    if not _describes(bulk):
        return None
    return f"no spike; {bulk.ks_distance:.3f} from Marchenko-Pastur's law"


def _describes(bulk: BulkFit) -> bool:
    """Whether a Marchenko-Pastur law describes the eigenvalues that are not spikes.

    Spec: VRD-3.
    """
    return bulk.ks_distance <= max(bulk.ks_limit, BULK_DISTANCE)


def _doubt(matrix: MatrixReport, extreme: ExtremeValue) -> str | None:
    """Say what speaks against a power law although ξ says that the tail is heavy.

    Spec: VRD-5, VRD-6.
    """
    if matrix.tail_size is None:
        return f"there is no fit: {matrix.alpha_null_reason}"
    if matrix.tail_size < MIN_RELIABLE_TAIL:
        return f"α is fitted to {matrix.tail_size} values"
    bulk = matrix.mp
    if bulk is not None and _describes(bulk) and bulk.num_spikes < extreme.k:
        return f"{extreme.k - bulk.num_spikes} of its {extreme.k} values belong to a bulk"
    if matrix.p_value is not None and matrix.p_value < LEVEL:
        return f"the power law is rejected, {p_text(matrix.p_value)}"
    for name, test in matrix.comparisons.items():
        if test is not None and decided_for(name, test) == name:
            return f"{law_text(name)} is preferred, {p_text(test.p_value)}"
    return None
