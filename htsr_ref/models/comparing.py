"""Several models at once, from weights or reports: ranked, regressed on accuracy, compared."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from htsr_ref.errors import HtsrError
from htsr_ref.models.accuracies import NO_SERIES, Accuracy, match_files, read_accuracies
from htsr_ref.models.asking import Asked, is_report, named_reports
from htsr_ref.models.difference import Difference, compare_reports
from htsr_ref.models.ranking import Ranking, rank_reports
from htsr_ref.models.trend_report import TrendReport, trend_report
from htsr_ref.models.trends import RESAMPLES
from htsr_ref.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from htsr_ref.conventions import Convention
    from htsr_ref.models.asking import ModelSource
    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.solvers import SolverChoice


def rank(
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
) -> Ranking:
    """Order models by alpha-hat: the smallest, predicted to generalize best, comes first.

    Parameters
    ----------
    sources : weights, reports or their JSON files; a list, or by name.
    convention : for weights, the default if None; a report must follow it if it is given, unless
        there is a cache and the file that its weights are in, unchanged, beside it or here.
    layers, include, exclude, solver, jobs, max_memory, cache : as for `analyze`; for weights.
    everything : rank models too that cannot be compared with the others.

    Raises
    ------
    HtsrError
        A source cannot be read, or reports follow different conventions.

    Spec: MET-13, SCL-25, SCL-26.
    """
    asked = Asked.of(convention, layers, include, exclude, solver, jobs, max_memory, cache)
    return rank_reports(named_reports(sources, asked), everything=everything)


def trend(
    sources: Iterable[ModelSource] | Mapping[str, ModelSource],
    accuracy: str | os.PathLike[str] | Mapping[str, float],
    convention: Convention | str | None = None,
    *,
    column: str | None = None,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice = "auto",
    jobs: int | None = None,
    max_memory: int | None = None,
    cache: Cache | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
    everything: bool = False,
) -> TrendReport:
    """Regress accuracy on each metric over a series of models.

    Parameters
    ----------
    sources, convention, layers, include, exclude, solver, jobs, max_memory, cache : as for
        `rank`.
    accuracy : accuracies by the models' names, or a CSV file of them.
    column : of the accuracies in that file.
    resamples, seed : of the bootstrap.
    everything : fit to models too that cannot be compared with the others of their series.

    Raises
    ------
    HtsrError
        A source or the table cannot be read, or a model has no accuracy.

    Spec: TRD-9, TRD-11.
    """
    asked = Asked.of(convention, layers, include, exclude, solver, jobs, max_memory, cache)
    if isinstance(accuracy, Mapping):
        rows = tuple(Accuracy(name, float(value), NO_SERIES) for name, value in accuracy.items())
    else:
        rows = read_accuracies(accuracy, column)
    reports = named_reports(sources, asked)
    matched = match_files([(report.source.name,) for report in reports], rows)
    models = []
    for report, row in zip(reports, matched, strict=True):
        if row is None:
            raise HtsrError(f"{report.source.name}: it has no accuracy. Give one, or leave it out")
        models.append((report, row))
    return trend_report(models, resamples=resamples, seed=seed, everything=everything)


def diff(
    before: ModelSource,
    after: ModelSource,
    convention: Convention | str | None = None,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice = "auto",
    jobs: int | None = None,
    max_memory: int | None = None,
    cache: Cache | None = None,
) -> Difference:
    """Compare two models layer by layer.

    Parameters
    ----------
    before, after : weights, reports or their JSON files.
    convention : for weights; if None, that of a report that is given, else the default.
    layers, include, exclude, solver, jobs, max_memory, cache : as for `analyze`; for weights.

    Raises
    ------
    HtsrError
        A source cannot be read, the conventions differ, or no layer has a partner.

    Spec: AUD-20, AUD-21, AUD-22.
    """
    asked = Asked.of(convention, layers, include, exclude, solver, jobs, max_memory, cache)
    first, second = named_reports([before, after], as_reports_have_it(asked, before, after))
    return compare_reports(first, second)


def as_reports_have_it(asked: Asked, *sources: ModelSource) -> Asked:
    """Follow the first report among the sources where no convention was asked for."""
    if not asked.of_reports:
        for source in sources:
            if isinstance(source, Report):
                return replace(asked, convention=source.convention)
            if isinstance(source, (str, os.PathLike)) and is_report(source):
                return replace(asked, convention=Report.load(source).convention)
    return asked
