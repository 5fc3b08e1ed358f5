"""`htsr rank`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.reports.report import Report

EPILOG = "Example: htsr rank checkpoints/*.safetensors"


def rank(
    files: loading.FilesArgument,
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: loading.ConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write there instead of to standard output; .json and .csv choose the form.",
        ),
    ] = None,
) -> None:
    """Order models by alpha-hat: the smallest, predicted to generalize best, comes first.

    The prediction concerns models of one architecture trained on the same data.
    """
    form = output.choose_form(json, csv, False, out)
    if form == "markdown":
        raise HtsrError(f"{out}: a ranking is a table, JSON or CSV")
    output.check_writable(out, *files, layers, convention)
    asked = loading.Asked.of(convention, set_, layers, (include, exclude), solver)
    loaded = loading.load_reports(files, asked)
    if loaded.reports:
        from htsr_ref.models.ranking import rank_reports

        ranked = rank_reports(loaded.named())
        output.emit({"json": _json, "csv": _csv}.get(form, _table)(ranked), out)
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)


def _values(report: Report) -> list[float | None]:
    from htsr_ref.models.trends import METRICS

    return [getattr(report.model, name) for name in METRICS]


def _json(ranked: tuple[Report, ...]) -> str:
    from dataclasses import asdict

    from htsr_ref.models.trends import METRICS
    from htsr_ref.text import strictjson

    models = [
        {
            "rank": place,
            "model": report.source.name,
            **dict(zip(METRICS, _values(report), strict=True)),
            "matrices": report.model.matrices,
        }
        for place, report in enumerate(ranked, 1)
    ]
    return strictjson.dumps({"convention": asdict(ranked[0].convention), "models": models})


def _csv(ranked: tuple[Report, ...]) -> str:
    from htsr_ref.models.trends import METRICS
    from htsr_ref.reports.markdown import convention_text
    from htsr_ref.text.csvtext import csv_text

    columns = ["rank", "model", *METRICS, "matrices", "convention"]
    rows = [
        [
            place,
            report.source.name,
            *_values(report),
            report.model.matrices,
            convention_text(report.convention),
        ]
        for place, report in enumerate(ranked, 1)
    ]
    return csv_text(columns, [dict(zip(columns, row, strict=True)) for row in rows])


def _table(ranked: tuple[Report, ...]) -> str:
    from htsr_ref.cli.tables import text_table
    from htsr_ref.reports.markdown import convention_text, number

    header = ["model", "alpha_hat", "alpha", "log‖W‖F", "log‖W‖₂", "log α-norm", "matrices"]
    rows = [
        [name, *map(number, _values(report)), str(report.model.matrices)]
        for name, report in zip(_below_shared_folder(ranked), ranked, strict=True)
    ]
    shapes = {_shapes(report) for report in ranked}
    differ = "These models differ in their matrices, so this is not such a series.\n"
    return (
        f"{text_table(header, rows, range(1, 7))}\n\n"
        "Best first: the smallest alpha_hat (mean α·log10 λmax) predicts the best generalization\n"
        "within a series of one architecture trained on the same data.\n"
        f"{differ if len(shapes) > 1 else ''}"
        f"Convention {convention_text(ranked[0].convention)}.\n"
    )


def _below_shared_folder(reports: tuple[Report, ...]) -> list[str]:
    """Names without the folder that all have in common: what tells them apart stays in sight."""
    paths = [Path(report.source.name) for report in reports]
    try:
        shared = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # Absolute and relative paths share nothing.
        return list(map(str, paths))
    return [str(path.relative_to(shared)) for path in paths]


def _shapes(report: Report) -> tuple[tuple[int, int], ...]:
    """Sizes of a model's matrices; they are the same in models of one architecture."""
    return tuple(sorted((m.N, m.M) for layer in report.layers for m in layer.matrices))
