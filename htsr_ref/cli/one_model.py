"""One model analyzed as `htsr analyze` is asked to: its report written, its checks made."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from htsr_ref.cli import output
from htsr_ref.cli.dask import dask_executor, lost_workers_named
from htsr_ref.cli.failures import exit_code, failures_of
from htsr_ref.cli.progress import amount_bar, progress_bar
from htsr_ref.cli.resuming import journal_beside
from htsr_ref.text.lines import count

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from concurrent.futures import Executor
    from contextlib import AbstractContextManager
    from pathlib import Path

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.analysis.checks import Checks
    from htsr_ref.analysis.journal import Journal
    from htsr_ref.analysis.parts import Part
    from htsr_ref.analysis.resources import Resources
    from htsr_ref.conventions import Convention
    from htsr_ref.reports.gates import Gate
    from htsr_ref.reports.report import Per, Report
    from htsr_ref.spectra.cache import SpectrumCache
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.synthetic.expectations import Expectation
    from htsr_ref.weights import Weights

    Show = Callable[[Progress], None]
    Expected = Mapping[str, tuple[Expectation, ...]]


@dataclass(frozen=True)
class Wanted:
    """What is asked of every model.

    Attributes
    ----------
    minus, base, layers, include, exclude : see `asked_weights`.
    convention, solver, checks, resources, cache, digest : see `analyze`.
    form, per, columns, sort, skipped, spark : how a report is written.
    gates, expect, allow_skipped : what makes the exit code 1, and what does not.
    resume : whether to go on with a journal.
    """

    minus: str | None
    base: str | None
    layers: Mapping[str, Mapping[str, Any]] | None
    include: list[str] | None
    exclude: list[str] | None
    convention: Convention
    solver: SolverChoice
    checks: Checks
    resources: Resources
    cache: SpectrumCache | None
    digest: bool
    form: output.Form
    per: Per | None
    columns: str
    sort: str
    skipped: bool
    spark: bool
    gates: tuple[Gate, ...]
    expect: bool
    allow_skipped: bool
    resume: bool

    @property
    def of_weights(self) -> dict[str, Any]:
        """Arguments of `asked_weights`."""
        names = ("layers", "include", "exclude", "minus", "base")
        return {name: getattr(self, name) for name in names}

    @property
    def compared(self) -> dict[str, Any]:
        """Options that the numbers depend on, as a journal states them."""
        return {
            "convention": asdict(self.convention),
            "layers map": self.layers,
            "solver": self.solver,
            "tests": asdict(self.checks),
            "digest": self.digest,
            "blas_threads": self.resources.blas_threads,
        }


@dataclass(frozen=True)
class Place:
    """Where what comes of a model goes.

    Attributes
    ----------
    out : the report; None for standard output.
    plot : the folder of figures; None for none.
    is_alone : whether the model is the only one.
    """

    out: Path | None
    plot: Path | None
    is_alone: bool = True


def opened(file: str, wanted: Wanted, keep_converted: Path | None = None) -> Weights:
    """Open the weights of a model as they are asked for."""
    from htsr_ref.weights.asking import asked_weights

    return asked_weights(file, **wanted.of_weights, keep_converted=keep_converted)


def expected_of(weights: Weights, wanted: Wanted) -> Expected | None:
    """Read what a file says is known of it, if that is to be compared."""
    if not wanted.expect:
        return None
    from htsr_ref.synthetic import expectations

    expectations.require_comparable(wanted.convention)
    return expectations.from_json(weights.extra.get("expected"), weights.name)


def analyze_model(
    file: str,
    weights: Weights,
    wanted: Wanted,
    place: Place,
    executor: Executor | None,
    progress: AbstractContextManager[Show],
) -> Report:
    """Analyze a model and write its report and figures.

    Parameters
    ----------
    file : as it was given.
    weights : what was opened of it.
    wanted, place : what is asked for, and where it goes.
    executor : analyzes the layers elsewhere; None for here.
    progress : yields what is called with the progress, and ends before anything is printed.

    Raises
    ------
    HtsrError
        The model cannot be analyzed, or what comes of it cannot be written.
    """
    from htsr_ref.cli.tabulating import report_text
    from htsr_ref.spectra.store import MemoryStore

    store = MemoryStore(wanted.cache) if place.plot is not None or wanted.spark else None
    with journal_beside(
        place.out, weights, wanted.compared, resume=wanted.resume, names_command=place.is_alone
    ) as journal:
        with progress as show:
            report = _run(file, weights, wanted, executor, show, store, journal)
        if place.plot is not None and store is not None:
            _draw(place.plot, report, weights, wanted, store)
        sparks = None
        if wanted.spark and store is not None:
            from htsr_ref.analysis.sparks import spectra_in_blocks

            sparks = spectra_in_blocks(report, weights, wanted.solver, store)
        text = report_text(
            report,
            wanted.form,
            wanted.per,
            wanted.columns,
            place.out,
            sort=wanted.sort,
            listed=wanted.skipped,
            sparks=sparks,
        )
        output.emit(text, place.out)
    return report


def analyze_alone(
    file: str, wanted: Wanted, place: Place, dask: str | None, keep_converted: Path | None
) -> int:
    """Analyze the only model of a command, say what is wrong, and return the exit code."""
    weights = opened(file, wanted, keep_converted)
    expected = expected_of(weights, wanted)
    with dask_executor(dask) as executor:
        report = analyze_model(file, weights, wanted, place, executor, progress_bar())
    return exit_code(file, report, all_failures(report, wanted, expected))


def analyze_part(
    file: str, wanted: Wanted, out: Path, part: Part, keep_converted: Path | None
) -> int:
    """Analyze one part of the layers of a model, write it, and return the exit code.

    Spec: SCL-18.
    """
    from htsr_ref.analysis.agreement import digests_in, portable_agreement
    from htsr_ref.analysis.parts import part_text, share_of

    weights = opened(file, wanted, keep_converted)
    mine, places = share_of(weights, part, wanted.convention, wanted.solver)
    options = {**wanted.compared, "part": str(part)}
    with journal_beside(out, weights, options, resume=wanted.resume) as journal:
        with progress_bar() as show:
            report = _run(file, mine, wanted, None, show, None, journal)
        made_with = portable_agreement(weights, wanted.compared, digests_in(report.source))
        output.emit(part_text(report, part, places, made_with), out)
    output.fail(f"part {part}: {count(len(report.analyzed()), 'layer')} analyzed")
    failures = all_failures(report, wanted, None)
    for failure in failures:
        output.fail(failure)
    return int(bool(failures))


def all_failures(report: Report, wanted: Wanted, expected: Expected | None) -> list[str]:
    """Say what makes the exit code 1; what else was compared is said on standard error."""
    found = failures_of(report, wanted.gates, allow_skipped=wanted.allow_skipped)
    return found if expected is None else found + _misses(report, expected)


def _misses(report: Report, expected: Expected) -> list[str]:
    from htsr_ref.synthetic import expectations

    outcome = expectations.compare(report, expected)
    output.fail(f"numbers as expected: {outcome.met}; not as expected: {len(outcome.misses)}")
    if outcome.not_compared:
        output.fail(
            f"not compared, since they are known of the fit of sdm2020-text: {outcome.not_compared}"
        )
    for miss in outcome.by_chance:
        output.fail(f"not as expected, as chance allows: {miss}")
    return [f"not as expected: {miss}" for miss in outcome.misses]


def _run(
    file: str,
    weights: Weights,
    wanted: Wanted,
    executor: Executor | None,
    show: Show,
    store: SpectrumStore | None,
    journal: Journal | None,
) -> Report:
    from htsr_ref.analysis.analyzing import analyze

    # Workers elsewhere open the files themselves.
    source, asked = (weights, {}) if executor is None else (file, wanted.of_weights)
    with lost_workers_named() if executor is not None else nullcontext():
        return analyze(
            source,
            wanted.convention,
            **asked,
            solver=wanted.solver,
            **asdict(wanted.checks),
            **asdict(wanted.resources),
            cache=wanted.cache,
            store=store,
            journal=journal,
            executor=executor,
            digest=wanted.digest,
            progress=show,
        )


def _draw(
    folder: Path, report: Report, weights: Weights, wanted: Wanted, store: SpectrumStore
) -> None:
    from htsr_ref.analysis.planning import plan
    from htsr_ref.plots import write_figures

    with amount_bar("drawing") as show:
        drawn = write_figures(
            folder,
            report,
            plan(weights, report.convention),
            checks=wanted.checks,
            solver=wanted.solver,
            store=store,
            progress=show,
        )
    output.fail(f"{count(drawn, 'figure')} written to {folder}")
