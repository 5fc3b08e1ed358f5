"""Models as a user asks for them: weights to analyze, or reports that are taken as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import HtsrError, ReportError
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.report import Report
from htsr_ref.weights.remote.addresses import shown_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource

    ModelSource = WeightSource | Weights | Report


@dataclass(frozen=True)
class Asked:
    """What a user asks of every model.

    Attributes
    ----------
    convention, layers, solver : as for `htsr_ref.analyze`.
    include, exclude : patterns of the layers that are analyzed, see `select`.
    of_reports : whether the convention was asked for, so that reports must follow it as well.
    """

    convention: Convention
    layers: Mapping[str, Mapping[str, Any]] | None = None
    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    solver: SolverChoice = "auto"
    of_reports: bool = False

    @classmethod
    def of(
        cls,
        convention: Convention | str | None,
        layers: Mapping[str, Mapping[str, Any]] | None,
        include: Sequence[str] | None,
        exclude: Sequence[str] | None,
        solver: SolverChoice,
    ) -> Asked:
        """Take the default convention where none is asked for."""
        chosen = get_convention(DEFAULT if convention is None else convention)
        return cls(chosen, layers, include, exclude, solver, convention is not None)

    def report_of(
        self, source: ModelSource, progress: Callable[[Progress], None] | None = None
    ) -> Report:
        """Analyze weights; take a report, or the JSON file of one, as it is.

        Raises
        ------
        HtsrError
            The source cannot be read, or the report was made by other choices.
        """
        if isinstance(source, Report):
            self._check(source, source.source.name)
            return source
        if isinstance(source, (str, os.PathLike)) and is_report(source):
            report = Report.load(source)
            self._check(report, str(source))
            return report
        return analyze(
            source,
            self.convention,
            layers=self.layers,
            include=self.include,
            exclude=self.exclude,
            solver=self.solver,
            progress=progress,
        )

    def _check(self, report: Report, name: str) -> None:
        """Refuse a report that was made by other choices than those asked for."""
        made_by, cure = report.convention, "Analyze its weights again, or leave out"
        if self.of_reports and made_by.values() != self.convention.values():
            raise ReportError(
                f"{name}: it follows {convention_text(made_by)}, not "
                f"{convention_text(self.convention)}. {cure} the convention"
            )
        if self.solver not in ("auto", report.solver):
            raise ReportError(
                f"{name}: its solver was {report.solver}, not {self.solver}. {cure} the solver"
            )


def is_report(source: object) -> bool:
    """Whether a source is taken for a report; the index of a folder of shards is not one."""
    name = str(source).lower() if isinstance(source, (str, os.PathLike)) else ""
    return name.endswith(".json") and not name.endswith(".index.json")


def named_reports(
    sources: Iterable[ModelSource] | Mapping[str, ModelSource], asked: Asked
) -> list[Report]:
    """Collect reports of several models, called as they were given.

    Raises
    ------
    HtsrError
        There is none, or one cannot be read.
    """
    if isinstance(sources, (str, os.PathLike)):
        raise HtsrError("give a list of models, or models by name, not one path")
    given = (
        list(sources.items())
        if isinstance(sources, Mapping)
        else [(_name(source), source) for source in sources]
    )
    if not given:
        raise HtsrError("there is no model to compare. Give some")
    return [called(asked.report_of(source), name) for name, source in given]


def called(report: Report, name: str | None) -> Report:
    """Call a report's source as it was given: files in different folders often share a name."""
    if name is None:
        return report
    return replace(report, source=replace(report.source, name=shown_address(name)))


def _name(source: object) -> str | None:
    return str(source) if isinstance(source, (str, os.PathLike)) else None
