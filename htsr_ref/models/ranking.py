"""Ordering models by the Universal metric, and saying what the order is worth."""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

from htsr_ref.conventions import Convention
from htsr_ref.errors import HtsrError
from htsr_ref.models.apart import why_apart
from htsr_ref.models.standing import Standing, standing_of
from htsr_ref.reports.report import Report
from htsr_ref.text.lines import count, one_line

NORMAL_95 = 1.96
"""Errors within which a model is not separated from the best (VRD-15)."""


@dataclass(frozen=True)
class RankedModel:
    """A model in a ranking.

    Attributes
    ----------
    report : its numbers.
    standing : what they rest on.
    rank : its place from 1; None for a model that stands apart.
    near_best : whether it is not separated from the best by 1.96 errors.
    apart : why it is not ranked; None if it is.

    Spec: MET-13, VRD-13, VRD-15.
    """

    report: Report
    standing: Standing
    rank: int | None
    near_best: bool
    apart: str | None


@dataclass(frozen=True)
class Ranking:
    """Models in their order, and those that stand apart.

    Attributes
    ----------
    convention : of all reports.
    apart : models that are not ranked, in the order given.
    models : the others, smallest alpha-hat first.
    notes : what a reader should know of the models together.

    Spec: MET-13, VRD-13, VRD-16.
    """

    convention: Convention
    apart: tuple[RankedModel, ...]
    models: tuple[RankedModel, ...]
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        names = [model.report.source.name for model in self.models]
        best = f", best {one_line(names[0])}" if names else ""
        apart = f", {len(self.apart)} apart" if self.apart else ""
        return f"<Ranking of {count(len(names), 'model')}{best}{apart}>"

    def __str__(self) -> str:
        """Lay out the models as tables, best first."""
        from htsr_ref.models.ranking_forms import ranking_text

        return ranking_text(self)

    def to_json(self) -> str:
        """Write the ranking as JSON text."""
        from htsr_ref.models.ranking_forms import ranking_json

        return ranking_json(self)

    def to_csv(self) -> str:
        """Write one row per model."""
        from htsr_ref.models.ranking_forms import ranking_csv

        return ranking_csv(self)

    def to_markdown(self) -> str:
        """Write the tables as Markdown."""
        from htsr_ref.models.ranking_forms import ranking_markdown

        return ranking_markdown(self)


def rank_reports(reports: Sequence[Report], *, everything: bool = False) -> Ranking:
    """Order reports by alpha-hat, smallest (predicted best) first; undefined ones last.

    Parameters
    ----------
    reports : at least one, all made under the same convention.
    everything : rank models too that cannot be compared with the others.

    Raises
    ------
    HtsrError
        The reports follow different conventions: their numbers cannot be compared.

    Spec: MET-13, VRD-13, VRD-15, VRD-16. Source: Martin & Mahoney, SDM 2020, section 3.
    """
    check_one_convention(reports)
    models = [(report, standing_of(report)) for report in reports]
    reasons = [None] * len(models) if everything else why_apart(models)
    judged = list(zip(models, reasons, strict=True))
    kept = sorted((model for model, reason in judged if reason is None), key=_alpha_hat)
    return Ranking(
        convention=reports[0].convention,
        apart=tuple(RankedModel(*model, None, False, reason) for model, reason in judged if reason),
        models=tuple(
            RankedModel(*model, place, place > 1 and _near(model, kept[0]), None)
            for place, model in enumerate(kept, 1)
        ),
        notes=_notes([report for report, _ in kept]),
    )


def _alpha_hat(model: tuple[Report, Standing]) -> float:
    alpha_hat = model[0].model.alpha_hat
    return math.inf if alpha_hat is None else alpha_hat


def _near(model: tuple[Report, Standing], best: tuple[Report, Standing]) -> bool:
    """Whether 1.96 errors of the difference reach from a model to the best.

    Spec: VRD-15.
    """
    difference = separation(model, best)
    return difference is not None and difference <= NORMAL_95


def separation(one: tuple[Report, Standing], other: tuple[Report, Standing]) -> float | None:
    """Distance of two alpha-hats in errors of their difference; None where one is unknown.

    Spec: VRD-15.
    """
    first, second = one[0].model.alpha_hat, other[0].model.alpha_hat
    first_error, second_error = one[1].alpha_hat_stderr, other[1].alpha_hat_stderr
    if first is None or second is None or first_error is None or second_error is None:
        return None
    difference = abs(first - second)
    error = math.hypot(first_error, second_error)
    if error == 0.0:
        return 0.0 if difference == 0.0 else math.inf
    return difference / error


def _notes(reports: Sequence[Report]) -> tuple[str, ...]:
    notes = []
    if len(reports) < 2:
        notes.append("an order needs at least two models that can be compared")
    if not _is_series(reports):
        notes.append(
            "these models differ in the kind of their layers, not only in size: they are no series"
        )
    return tuple(notes)


def _is_series(reports: Sequence[Report]) -> bool:
    """Whether the models could be one architecture in several sizes.

    Each pair has the kinds of layers of the smaller one in common; a kind is a layer's name without
    its numbers, its role and the number of its axes.

    Spec: VRD-16.
    """
    kinds = {frozenset(_kinds(report)) for report in reports if report.analyzed()}
    return all(one <= other or other <= one for one in kinds for other in kinds)


def _kinds(report: Report) -> set[tuple[str, str, int]]:
    return {
        (re.sub(r"\d+", "#", layer.name), layer.role, len(layer.axes))
        for layer in report.analyzed()
    }


def check_one_convention(reports: Sequence[Report]) -> None:
    """Refuse reports whose numbers cannot be compared.

    Raises
    ------
    HtsrError
        They follow different conventions.

    Spec: MET-13, TRD-9.
    """
    for report in reports:
        if report.convention.values() != reports[0].convention.values():
            raise HtsrError(
                f"{report.source.name} and {reports[0].source.name} follow different "
                "conventions. Analyze both under one"
            )
