"""`htsr watch`."""

from __future__ import annotations

import re
from pathlib import Path  # noqa: TC003 - typer reads the annotations
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.failures import nothing_analyzed, warn_of_default
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.reports.report import Report
    from htsr_ref.runs.checkpoint import Point
    from htsr_ref.runs.rules import Rule

EPILOG = (
    "What this can tell: whether anything is learned at all (the share of random-like matrices "
    "falls from 1), and how norms and exponents move. What it cannot: find the best checkpoint. "
    "alpha_hat rose with the accuracy in most trainings that were followed "
    "(spec/experiments/monitoring.md). Example: htsr watch spec/examples --once"
)

LONGEST_NAME = 80
"""Characters of a checkpoint's name in the name of its report."""


def watch(
    places: Annotated[
        list[str],
        typer.Argument(
            metavar="DIR",
            help="A folder whose files and folders are checkpoints, or a quoted pattern such as "
            "'runs/checkpoint-*/model.safetensors'. It need not be there yet.",
        ),
    ],
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: options.OptionalConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            metavar="SECONDS",
            min=0.05,
            max=86400,
            help="Time between two looks. A checkpoint counts when it is the same in both.",
        ),
    ] = 2.0,
    once: Annotated[bool, typer.Option("--once", help="Analyze what is there, and end.")] = False,
    until: Annotated[
        list[str] | None,
        typer.Option(
            "--until",
            metavar="'NAME OP NUMBER'",
            autocompletion=options.complete_gate,
            help="End with 0 at the first checkpoint of which this is true, such as "
            "'random_like_share<0.1', or 'since-least:mean_alpha>=5': mean_alpha was least 5 "
            "checkpoints ago. Repeatable.",
        ),
    ] = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="'NAME OP NUMBER'",
            autocompletion=options.complete_gate,
            help="End with 1 at the first checkpoint of which this is true; as --until, and "
            "'layer:alpha>6' for numbers of layers. Repeatable.",
        ),
    ] = None,
    json: Annotated[
        bool, typer.Option("--json", help="Write each checkpoint as a line of JSON.")
    ] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Write each checkpoint as a row.")] = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Keep the whole series there as well, written again after each checkpoint; "
            ".json, .csv and .md choose the form.",
        ),
    ] = None,
    reports: Annotated[
        Path | None,
        typer.Option(
            "--reports",
            metavar="DIR",
            help="Write the report of each checkpoint there, as JSON for `htsr show` and "
            "`htsr trend --time`.",
        ),
    ] = None,
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Follow a training run: analyze its checkpoints as they appear.

    Ctrl-C ends it with a summary. Checkpoints are ordered by the step in their names, else by time;
    one that is still being written waits, so that no number comes from half a file.
    """
    form = output.choose_form(json, csv, False, None)
    kept = output.choose_form(False, False, False, out)
    output.check_writable(out, *places, layers, convention)
    _make_folder(reports)
    chosen = options.convention_of(convention or DEFAULT, set_)
    resources = options.resources_of(jobs, 1, max_memory)
    corrections = options.layers_of(layers)

    from htsr_ref.cli.following import following
    from htsr_ref.runs.checkpoint import is_again, point_of
    from htsr_ref.runs.course import course_of
    from htsr_ref.runs.following import watch as run
    from htsr_ref.runs.rules import parse_rule

    ends = [parse_rule(text, layers=False) for text in until or []]
    failing = [parse_rule(text) for text in fail_if or []]
    warn_of_default((rule.gate for rule in (*ends, *failing) if not rule.since), convention)
    points: list[Point] = []
    bad, code = 0, 0
    with following(form) as shown:
        checkpoints = run(
            places,
            chosen,
            layers=corrections,
            include=include,
            exclude=exclude,
            solver=solver,
            jobs=resources.jobs,
            max_memory=resources.max_memory,
            interval=interval,
            once=once,
            left_out=[path for path in (out, reports) if path is not None],
            notice=shown.say,
            progress=shown.progress,
        )
        for number, checkpoint in enumerate(checkpoints, 1):
            report, point = checkpoint.report, point_of(checkpoint)
            points = [*(known for known in points if not is_again(known, point)), point]
            course = course_of(points, chosen)
            shown.add(course, point)
            if out is not None:
                output.emit(output.text_of(course, kept), out)
            if reports is not None:
                output.emit(report.to_json(), reports / _file_name(number, checkpoint.name))
            for layer in report.bad_layers():
                shown.say(f"{checkpoint.name}: layer skipped: {layer.fault}")
            if not report.analyzed():
                shown.say(nothing_analyzed(checkpoint.name))
            bad += bool(report.bad_layers()) or not report.analyzed()
            failed = _met(failing, report, points, undefined=True)
            ended = [] if failed else _met(ends, report, points, undefined=False)
            for found in failed:
                shown.say(f"check failed: {checkpoint.name}: {found}")
            for found in ended:
                shown.say(f"ended: {checkpoint.name}: {found}")
            if failed or ended:
                code = 1 if failed else 0
                break
        else:  # Only --once comes here.
            code = 1 if bad else 0
    if not points:
        raise HtsrError(f"{', '.join(places)}: no checkpoint could be analyzed. Check the path")
    if code:
        raise typer.Exit(code)


def _met(
    rules: Sequence[Rule], report: Report, points: Sequence[Point], *, undefined: bool
) -> list[str]:
    """Say which rules hold at the newest checkpoint, and why."""
    found = (rule.holds(report, points, undefined=undefined) for rule in rules)
    return [text for text in found if text is not None]


def _make_folder(folder: Path | None) -> None:
    """Make a folder for reports, if it can be made."""
    if folder is None:
        return
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise HtsrError(
            f"{folder}: no folder for reports can be made ({error.strerror}). Name another"
        ) from error


def _file_name(number: int, name: str) -> str:
    """Name of a report's file: unique, in the order of the work, and safe on every system."""
    return f"{number:04d}-{re.sub('[^A-Za-z0-9._=-]+', '-', name)[-LONGEST_NAME:]}.json"
