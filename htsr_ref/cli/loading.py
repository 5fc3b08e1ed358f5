"""Many models at once: weight files analyzed, reports taken as they are."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.caching import cache_in
from htsr_ref.cli.failures import say_if_nothing_was_analyzed
from htsr_ref.cli.progress import progress_bar
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.models.asking import Asked
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights

    Keep = Callable[[str, Report, Weights, SpectrumStore], None]

FilesArgument = Annotated[
    list[str],
    typer.Argument(
        metavar="FILE",
        help="Weight files, or JSON reports of `htsr analyze`, which are taken as they are.",
    ),
]
ConventionOption = Annotated[
    str | None,
    options.convention_option(
        "Whose choices to follow: see `htsr conventions`, or your own .toml or .json file. "
        f"By default {DEFAULT} for weight files; a report must follow it if it is given."
    ),
]

EverythingOption = Annotated[
    bool,
    typer.Option(
        "--all",
        help="Compare all models, also those that are like noise or of another scale.",
    ),
]


@dataclass(frozen=True)
class Loaded:
    """What came of the files: a report beside the path it was given by, and how many failed."""

    reports: tuple[tuple[str, Report], ...]
    unreadable: int

    def named(self) -> tuple[Report, ...]:
        """Call reports as they were given: files in different folders often share a name."""
        from htsr_ref.models.asking import called

        return tuple(called(report, file) for file, report in self.reports)

    def exit_code(self) -> int:
        """Name the bad layers on standard error; 2 if a file failed, 1 if a layer did."""
        for file, report in self.reports:
            say_if_nothing_was_analyzed(file, report)
        bad = [(file, layer) for file, report in self.reports for layer in report.bad_layers()]
        for file, layer in bad:
            output.fail(f"{file}: layer skipped: {layer.fault}")
        if self.unreadable:
            return 2
        is_empty = any(not report.analyzed() for _, report in self.reports)
        return 1 if bad or is_empty else 0


def asked(
    convention: str | None,
    overrides: list[str] | None,
    layers: Path | None,
    chosen: tuple[list[str] | None, list[str] | None],
    solver: SolverChoice,
) -> Asked:
    """Read the options of the command line that change numbers."""
    found = options.convention_of(convention or DEFAULT, overrides)
    corrections = options.layers_of(layers)

    from htsr_ref.models.asking import Asked

    return Asked(found, corrections, *chosen, solver, convention is not None or bool(overrides))


@dataclass(frozen=True)
class Machine:
    """The options that do not: --jobs, --max-memory, --cache and --cache-size."""

    jobs: int | None
    max_memory: str | None
    cache: Path | None
    cache_size: str | None

    @contextmanager
    def given_to(self, asked: Asked) -> Iterator[Asked]:
        """Add to what is asked what it is done with.

        Spec: SCL-20, SCL-26.
        """
        resources = options.resources_of(self.jobs, 1, self.max_memory)
        with cache_in(self.cache, self.cache_size) as cache:
            yield replace(asked, resources=resources, cache=cache)


def load_reports(
    files: Sequence[str], asked: Asked, machine: Machine, keep: Keep | None = None
) -> Loaded:
    """Analyze weight files and read reports; a bad one is named and does not stop the others.

    `keep` is called after each analysis with the file, the report, the weights and the eigenvalues.
    """
    from htsr_ref.models.asking import is_report

    only_of_weights = {
        "--layers": asked.layers,
        "--include": asked.include,
        "--exclude": asked.exclude,
    }
    for option, value in only_of_weights.items():
        if value is not None and machine.cache is None and all(map(is_report, files)):
            raise HtsrError(
                f"{option} describes weight files, and only reports are given. Leave it out"
            )
    reports = []
    with machine.given_to(asked) as equipped:
        for place, file in enumerate(files, 1):
            try:
                with progress_bar(f"{place}/{len(files)} ") as show:
                    if keep is None or is_report(file):
                        report = equipped.report_of(file, show)
                    else:
                        report = _kept(file, equipped, keep, show)
            except HtsrError as error:
                output.fail(f"error: {error}")
            else:
                reports.append((file, report))
    return Loaded(tuple(reports), len(files) - len(reports))


def _kept(file: str, asked: Asked, keep: Keep, progress: Callable[[Progress], None]) -> Report:
    """Analyze a weight file and hand on what it was made from."""
    from htsr_ref.spectra.cache import opened_cache
    from htsr_ref.spectra.store import MemoryStore
    from htsr_ref.weights.asking import asked_weights

    weights = asked_weights(file, layers=asked.layers, include=asked.include, exclude=asked.exclude)
    with opened_cache(asked.cache) as cache:
        store = MemoryStore(cache)
        report = asked.of_weights(weights, progress, store)
        keep(file, report, weights, store)
    return report
