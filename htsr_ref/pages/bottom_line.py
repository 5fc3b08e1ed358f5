"""What a reader should know first of each model, and of several together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.errors import HtsrError
from htsr_ref.models.ranking import rank_reports
from htsr_ref.models.standing import standing_of
from htsr_ref.reports.markdown import convention_text, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.models.standing import Standing
    from htsr_ref.reports.report import Report


@dataclass(frozen=True)
class BottomLine:
    """What is known of one model in a few words.

    Attributes
    ----------
    name : of the model.
    alpha_hat, error : rounded; a dash where one is unknown.
    verdicts : number of matrices by verdict.
    matrices : their number.
    comparable : what alpha-hat may be compared with; empty without one.
    sentences : what alpha-hat rests on.

    Spec: PAG-3.
    """

    name: str
    alpha_hat: str
    error: str
    verdicts: dict[str, int]
    matrices: int
    comparable: str
    sentences: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """A model among others.

    Attributes
    ----------
    name, rank : of the model; the rank is a dash where it has none.
    alpha_hat, error, mean_alpha, log_norm : rounded.
    remark : whether the model is separated from the best, or why it is not ranked.

    Spec: PAG-6.
    """

    name: str
    rank: str
    alpha_hat: str
    error: str
    mean_alpha: str
    log_norm: str
    remark: str


@dataclass(frozen=True)
class Comparison:
    """Several models: their order, if they have one, and what it is worth.

    Spec: PAG-6.
    """

    places: tuple[Place, ...]
    notes: tuple[str, ...]


def bottom_line(report: Report) -> BottomLine:
    """Sum up one report.

    Spec: PAG-3.
    """
    standing = standing_of(report)
    return BottomLine(
        name=report.source.title,
        alpha_hat=number(report.model.alpha_hat),
        error=number(standing.alpha_hat_stderr),
        verdicts=standing.verdicts,
        matrices=report.model.matrices,
        comparable=_comparable(report) if report.model.matrices else "",
        sentences=tuple(_sentences(report, standing)),
    )


def _comparable(report: Report) -> str:
    return (
        "Compare α̂ only with that of models of the same architecture, trained on the same data, "
        f"under the convention {convention_text(report.convention)}: the smallest is predicted to "
        "generalize best. By itself it says nothing of a model."
    )


def _sentences(report: Report, standing: Standing) -> list[str]:
    model = report.model
    if not model.matrices:
        return ["No weight matrix was analyzed: `htsr describe` says what the file holds."]
    unit = report.convention.average
    total = model.matrices if unit == "matrices" else model.layers
    log = "ln" if report.convention.log_base == "e" else "log10"
    said = [
        f"α̂ is the mean of α·{log} λmax over {model.counts['alpha_hat']} of {total} {unit}. "
        "Its error takes xmin and λmax as known.",
    ]
    if standing.random_like:
        said.append("This model as a whole cannot be told from noise: its α̂ ranks it nowhere.")
    else:
        said.append(
            f"A power law was found in {standing.verdicts['power law']} of {standing.judged} "
            "matrices that have eigenvalues enough; α is fitted whether or not there is one."
        )
    if standing.alpha_outside:
        said.append(
            f"α is below 2 or above 6, the range that the field calls reliable, in "
            f"{standing.alpha_outside} of {model.matrices} matrices."
        )
    if standing.lambda_max_below_1:
        said.append(
            f"λmax is below 1 in {standing.lambda_max_below_1} of {model.matrices} matrices: there "
            f"a larger α lowers α·{log} λmax."
        )
    said += [f"{kind}." for kind in standing.coverage if kind.analyzed < kind.total]
    return said


def comparison(reports: Sequence[Report]) -> Comparison:
    """Put several reports in order; in the order given if they follow different conventions.

    Spec: PAG-6, MET-13.
    """
    try:
        ranking = rank_reports(reports)
    except HtsrError as error:
        places = [_place(report, standing_of(report), None, "") for report in reports]
        return Comparison(tuple(places), (f"α̂ cannot be compared: {error}.",))
    places = [
        _place(
            ranked.report,
            ranked.standing,
            ranked.rank,
            "not separated from the best by 1.96 errors" if ranked.near_best else "",
        )
        for ranked in ranking.models
    ]
    places += [
        _place(ranked.report, ranked.standing, None, f"stands apart: {ranked.apart}")
        for ranked in ranking.apart
    ]
    notes = [
        "The smallest α̂ comes first: predicted to generalize best among models of one "
        "architecture trained on the same data."
    ]
    return Comparison(
        tuple(places), (*notes, *(f"{note[0].upper()}{note[1:]}." for note in ranking.notes))
    )


def _place(report: Report, standing: Standing, rank: int | None, remark: str) -> Place:
    model = report.model
    return Place(
        name=report.source.title,
        rank="–" if rank is None else str(rank),
        alpha_hat=number(model.alpha_hat),
        error=number(standing.alpha_hat_stderr),
        mean_alpha=number(model.mean_alpha),
        log_norm=number(model.mean_log10_frobenius_norm),
        remark=remark,
    )
