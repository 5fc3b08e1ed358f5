"""A finished run: its checkpoints, or their reports, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.models.asking import Asked, named_reports
from htsr_ref.models.ranking import check_one_convention
from htsr_ref.runs.checkpoint import checkpoint_of, point_of
from htsr_ref.runs.course import course_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from htsr_ref.conventions import Convention
    from htsr_ref.models.asking import ModelSource
    from htsr_ref.reports.report import Report
    from htsr_ref.runs.course import Course
    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.solvers import SolverChoice


def over_time(
    sources: Iterable[ModelSource] | Mapping[str, ModelSource],
    convention: Convention | str | None = None,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice = "auto",
    jobs: int | None = None,
    max_memory: int | None = None,
    cache: Cache | None = None,
    everything: bool = False,
) -> Course:
    """Say how each metric goes with the steps of one training run.

    Parameters
    ----------
    sources, convention, layers, include, exclude, solver, jobs, max_memory, cache : as for `rank`;
        the names of the checkpoints state their steps.
    everything : count checkpoints too that cannot be told from noise.

    Raises
    ------
    HtsrError
        There is none, one cannot be read, or reports follow different conventions.

    Spec: TRD-13, TRD-14.
    """
    asked = Asked.of(convention, layers, include, exclude, solver, jobs, max_memory, cache)
    return course_of_reports(named_reports(sources, asked), everything=everything)


def course_of_reports(reports: Sequence[Report], *, everything: bool = False) -> Course:
    """Put reports of the checkpoints of one run in their order.

    Parameters
    ----------
    reports : at least one, called as their checkpoints are.
    everything : count checkpoints too that cannot be told from noise.

    Raises
    ------
    HtsrError
        They follow different conventions.

    Spec: TRD-13.
    """
    check_one_convention(reports)
    points = [point_of(checkpoint_of(report)) for report in reports]
    return course_of(points, reports[0].convention, everything=everything)
