"""Many models at once: weight files analysed, reports taken as they are."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import output
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from htsr_ref.conventions import Convention
    from htsr_ref.report import Report
    from htsr_ref.spectrum import SolverChoice

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE...",
        help="Weight files, or JSON reports of `htsr analyze`, which are taken as they are.",
    ),
]


@dataclass(frozen=True)
class Loaded:
    """What came of the files: a report beside the path it was given by, and how many failed."""

    reports: tuple[tuple[str, Report], ...]
    unreadable: int

    def named(self) -> tuple[Report, ...]:
        """Call reports as they were given: files in different folders often share a name."""
        return tuple(
            replace(report, source=replace(report.source, name=file))
            for file, report in self.reports
        )

    def exit_code(self) -> int:
        """Name the layers with bad data on standard error; 2 if a file failed, 1 if a layer did."""
        bad = [(file, layer) for file, report in self.reports for layer in report.bad_layers()]
        for file, layer in bad:
            output.fail(f"{file}: layer skipped: {layer.skipped}")
        if self.unreadable:
            return 2
        return 1 if bad else 0


def load_reports(
    files: Sequence[str],
    convention: Convention,
    layers: Mapping[str, Mapping[str, Any]] | None,
    solver: SolverChoice,
) -> Loaded:
    """Analyse weight files and read reports; a bad one is named and does not stop the others."""
    from htsr_ref.analysis import analyze
    from htsr_ref.report import Report

    reports = []
    for place, file in enumerate(files, 1):
        try:
            if Path(file).suffix == ".json":
                report = Report.load(file)
            else:
                with output.progress_bar(f"{place}/{len(files)} ") as show:
                    report = analyze(file, convention, layers=layers, solver=solver, progress=show)
        except HtsrError as error:
            output.fail(f"error: {error}")
        else:
            reports.append((file, report))
    return Loaded(tuple(reports), len(files) - len(reports))
