"""Models as a user asks for them: weights to analyze, or reports that are taken as they are."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.analysis.resources import Resources
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import HtsrError, ReportError, shown
from htsr_ref.models.weights_of_report import file_of, weights_of
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.report import Report
from htsr_ref.text.lines import in_utf8
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.remote.addresses import shown_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
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
    resources : what an analysis may use of the machine.
    cache : where eigenvalues are kept, if anywhere.
    """

    convention: Convention
    layers: Mapping[str, Mapping[str, Any]] | None = None
    include: Sequence[str] | None = None
    exclude: Sequence[str] | None = None
    solver: SolverChoice = "auto"
    of_reports: bool = False
    resources: Resources = Resources()  # noqa: RUF009 - it is frozen
    cache: Cache | None = None

    @classmethod
    def of(
        cls,
        convention: Convention | str | None,
        layers: Mapping[str, Mapping[str, Any]] | None,
        include: Sequence[str] | None,
        exclude: Sequence[str] | None,
        solver: SolverChoice,
        jobs: int | None,
        max_memory: int | None,
        cache: Cache | None,
    ) -> Asked:
        """Take the default convention where none is asked for."""
        chosen = get_convention(DEFAULT if convention is None else convention)
        is_asked = convention is not None
        resources = Resources(jobs, max_memory=max_memory)
        return cls(chosen, layers, include, exclude, solver, is_asked, resources, cache)

    def report_of(
        self, source: ModelSource, progress: Callable[[Progress], None] | None = None
    ) -> Report:
        """Analyze weights; take a report, or the JSON file of one, as it is.

        Where a report's file was made by other choices than those asked for and there is a cache,
        the weights that it is of are analyzed, if they can be found.

        Raises
        ------
        HtsrError
            The source cannot be read, or the report was made by other choices.

        Spec: SCL-25.
        """
        if isinstance(source, Report):
            return self._taken(source, source.source.name)
        if isinstance(source, (str, os.PathLike)) and is_report(source):
            report = Report.load(source)
            found = self._difference(report)
            if found is None or self.cache is None:
                return self._taken(report, str(source))
            weights = self._weights_of(report, Path(source), found[1])
        else:
            weights = asked_weights(
                source, layers=self.layers, include=self.include, exclude=self.exclude
            )
        return self.of_weights(weights, progress)

    def of_weights(
        self,
        weights: Weights,
        progress: Callable[[Progress], None] | None = None,
        store: SpectrumStore | None = None,
    ) -> Report:
        """Analyze weights whose layers are chosen already; `store` is as for `analyze`."""
        return analyze(
            weights,
            self.convention,
            solver=self.solver,
            jobs=self.resources.jobs,
            max_memory=self.resources.max_memory,
            cache=self.cache,
            store=store,
            progress=progress,
        )

    def _taken(self, report: Report, name: str) -> Report:
        """Take a report as it is, unless it was made by other choices than those asked for."""
        if (found := self._difference(report)) is not None:
            choice, difference = found
            file = file_of(report, Path(name))
            weights = shown(report.source.name if file is None else str(file))
            raise ReportError(
                f"{name}: {difference}. Give its weights, {weights}, in its place, or leave out "
                f"the {choice}"
            )
        return report

    def _weights_of(self, report: Report, path: Path, difference: str) -> Weights:
        """Open the weights that a report is of, to analyze them with a cache."""
        try:
            return weights_of(report, path, self.layers, self.include, self.exclude)
        except HtsrError as error:
            raise ReportError(
                f"{path}: {difference}, and {error}. Give its weights in its place"
            ) from error

    def _difference(self, report: Report) -> tuple[str, str] | None:
        """Say by which other choice a report was made than those asked for, if by any."""
        made_by = report.convention
        if self.of_reports and made_by.values() != self.convention.values():
            followed, asked = map(convention_text, (made_by, self.convention))
            return "convention", f"it follows {followed}, not {asked}"
        if self.solver not in ("auto", report.solver):
            return "solver", f"its solver was {report.solver}, not {self.solver}"
        return None


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
    return replace(report, source=replace(report.source, name=in_utf8(shown_address(name))))


def _name(source: object) -> str | None:
    return str(source) if isinstance(source, (str, os.PathLike)) else None
