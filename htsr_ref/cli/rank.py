"""`htsr rank`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output

if TYPE_CHECKING:
    from htsr_ref.models.ranking import Ranking

EPILOG = "Example: htsr rank checkpoints/*.safetensors"


def rank(
    files: loading.FilesArgument,
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: loading.ConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    everything: loading.EverythingOption = False,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write there instead of to standard output; .json, .csv and .md choose the form.",
        ),
    ] = None,
) -> None:
    """Order models by alpha-hat: the smallest, predicted to generalize best, comes first.

    The prediction concerns models of one architecture trained on the same data. Models that
    cannot be told from noise, or whose weights are of another scale, stand apart.
    """
    form = output.choose_form(json, csv, False, out)
    output.check_writable(out, *files, layers, convention)
    asked = loading.Asked.of(convention, set_, layers, (include, exclude), solver)
    loaded = loading.load_reports(loading.each_once(files), asked)
    if loaded.reports:
        from htsr_ref.models import ranking_forms
        from htsr_ref.models.ranking import rank_reports

        ranking = rank_reports(loaded.named(), everything=everything)
        forms = {
            "json": ranking_forms.ranking_json,
            "csv": ranking_forms.ranking_csv,
            "markdown": ranking_forms.ranking_markdown,
        }
        output.emit(forms.get(form, _table)(ranking), out)
    code = loaded.exit_code()
    if code:
        raise typer.Exit(code)


def _table(ranking: Ranking) -> str:
    from htsr_ref.cli.tables import blocks_text
    from htsr_ref.models.ranking_forms import ranking_blocks

    everyone = (*ranking.apart, *ranking.models)
    names = _below_shared_folder([model.report.source.name for model in everyone])
    return blocks_text(ranking_blocks(ranking, names))


def _below_shared_folder(names: list[str]) -> list[str]:
    """Names without the folder that all have in common: what tells them apart stays in sight."""
    paths = [Path(name) for name in names]
    try:
        shared = os.path.commonpath([path.parent for path in paths])
    except ValueError:  # Absolute and relative paths share nothing.
        return list(map(str, paths))
    return [str(path.relative_to(shared)) for path in paths]
