"""Ordering models by the Universal metric."""

import math
from collections.abc import Sequence
from typing import Any

from htsr_ref.conventions import FIELDS
from htsr_ref.errors import HtsrError
from htsr_ref.reports.report import Report


def rank_reports(reports: Sequence[Report]) -> tuple[Report, ...]:
    """Order reports by alpha-hat, smallest (predicted best) first; undefined ones last.

    Parameters
    ----------
    reports : at least one, all made under the same convention.

    Raises
    ------
    HtsrError
        The reports follow different conventions: their numbers cannot be compared.

    Spec: MET-13. Source: Martin & Mahoney, SDM 2020, section 3.
    """
    check_one_convention(reports)

    def key(report: Report) -> float:
        alpha_hat = report.model.alpha_hat
        return math.inf if alpha_hat is None else alpha_hat

    return tuple(sorted(reports, key=key))


def check_one_convention(reports: Sequence[Report]) -> None:
    """Refuse reports whose numbers cannot be compared.

    Raises
    ------
    HtsrError
        They follow different conventions.

    Spec: MET-13, TRD-9.
    """
    for report in reports:
        if _choices(report) != _choices(reports[0]):
            raise HtsrError(
                f"{report.source.name} and {reports[0].source.name} follow different "
                "conventions. Analyze both under one"
            )


def _choices(report: Report) -> tuple[Any, ...]:
    return tuple(getattr(report.convention, name) for name in FIELDS)
