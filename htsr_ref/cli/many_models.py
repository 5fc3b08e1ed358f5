"""Several models analyzed one after the other: a report each in a folder, and a table of them."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.cli import output, records
from htsr_ref.cli.dask import dask_executor
from htsr_ref.cli.failures import exit_code
from htsr_ref.cli.models_progress import ModelsProgress
from htsr_ref.cli.one_model import (
    Place,
    Wanted,
    all_failures,
    analyze_model,
    expected_of,
    opened,
)
from htsr_ref.cli.progress import amount_bar
from htsr_ref.cli.report_names import report_names
from htsr_ref.cli.resuming import go_on
from htsr_ref.errors import HtsrError, OutputError
from htsr_ref.text.lines import count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.analysis.parts import Part
    from htsr_ref.cli.sources import Given
    from htsr_ref.models.overview import Result, Row
    from htsr_ref.reports.report import Report


@dataclass(frozen=True)
class Folder:
    """Where the reports of several models go.

    Attributes
    ----------
    path : the folder of the reports.
    plot : the folder of a folder of figures for each; None for none.
    skip_existing : whether reports that are there and would be the same are kept.
    """

    path: Path
    plot: Path | None
    skip_existing: bool


def analyze_models(
    models: Sequence[Given], folder: Folder, wanted: Wanted, *, dask: str | None, part: Part | None
) -> int:
    """Analyze models, whatever becomes of one of them, and print a table of all.

    Parameters
    ----------
    models : all of them; those of a part are named as in the whole.
    folder, wanted : where the reports go, and what is asked for.
    dask : address of a scheduler; None for this machine.
    part : of the models; None for all.

    Returns
    -------
    The worst exit code: 2 if a model was refused, 1 if a check failed, else 0.

    Spec: SCL-14, SCL-18.
    """
    from htsr_ref.models.overview import overview_text

    named = list(zip(report_names([model.file for model in models]), models, strict=True))
    chosen = named if part is None else named[part.index - 1 :: part.count]
    for made in (folder.path, folder.plot):
        if made is not None:
            _make(made)
    rows: list[Row] = []
    codes = [0]
    progress = ModelsProgress([model.file for _, model in chosen])
    try:
        with dask_executor(dask) as executor, amount_bar("reading") as show:
            for at, (name, model) in enumerate(chosen):
                shown = progress.showing(at, name, show)
                row, code = _row(name, model, folder, wanted, executor, shown)
                rows.append(row)
                codes.append(code)
                progress.end(at, was_work=row.result != "kept")
    except (KeyboardInterrupt, SystemExit):
        done = f"{len(rows)} of {count(len(chosen), 'model')} done, with reports in {folder.path}"
        output.fail(f"{done}. {go_on('--skip-existing', '--resume')}")
        raise
    output.emit(overview_text(rows, wanted.convention), None)
    return max(codes)


def _row(
    name: str,
    model: Given,
    folder: Folder,
    wanted: Wanted,
    executor: Executor | None,
    show: Callable[[Progress], None],
) -> tuple[Row, int]:
    """Analyze one model; return what came of it, and its exit code."""
    from htsr_ref.models.overview import Row

    try:
        result, report, failures = _report(name, model.file, folder, wanted, executor, show)
    except Exception as error:  # Even a fault of ours stops no other model.
        why = str(error) if isinstance(error, HtsrError) else _unforeseen(model.file, error)
        output.fail(f"error: {model.line}: {why}" if model.line else f"error: {why}")
        return Row.of_failure(name, why.removeprefix(f"{model.file}: ")), 2
    code = exit_code(model.file, report, [f"{model.file}: {failure}" for failure in failures])
    return Row.of(name, report, result, len(failures)), code


def _report(
    name: str,
    file: str,
    folder: Folder,
    wanted: Wanted,
    executor: Executor | None,
    show: Callable[[Progress], None],
) -> tuple[Result, Report, list[str]]:
    """Keep or make the report of a model; with it goes what makes the exit code 1."""
    from htsr_ref.analysis.agreement import digests_in, portable_agreement
    from htsr_ref.reports.report import Report

    out = folder.path / (name + output.SUFFIXES[wanted.form])
    output.check_writable(out, file, wanted.minus, wanted.base)
    weights = opened(file, wanted)
    expected = expected_of(weights, wanted)
    if folder.skip_existing and records.is_made(out, weights, wanted.compared):
        report = Report.load(out)
        # With more memory, what ran out of it need not be skipped.
        if all(layer.skip_code != "memory" for layer in report.layers):
            return "kept", report, all_failures(report, wanted, expected)
    records.claim(out, file)
    plot = None if folder.plot is None else folder.plot / name
    place = Place(out, plot, is_alone=False)
    report = analyze_model(file, weights, wanted, place, executor, nullcontext(show))
    made_with = portable_agreement(weights, wanted.compared, digests_in(report.source))
    records.note(out, made_with)
    return "written", report, all_failures(report, wanted, expected)


def _unforeseen(file: str, error: Exception) -> str:
    return f"{file}: it cannot be analyzed ({type(error).__name__}: {error})"


def _make(folder: Path) -> None:
    """Make a folder unless it is there."""
    try:
        folder.mkdir(exist_ok=True)
    except FileExistsError:
        raise OutputError(folder, "it is a file. Name a folder") from None
    except FileNotFoundError:
        raise OutputError(folder, f"there is no folder {folder.parent}. Create it first") from None
    except OSError as error:
        raise OutputError(folder, f"cannot be made ({error.strerror})") from error
