"""`htsr audit`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.caching import cache_in
from htsr_ref.errors import HtsrError

EPILOG = (
    "Exit codes: 0 everything is explained; 1 something is not; 2 bad input. "
    "Example: htsr audit spec/examples/conv_b008_e020.safetensors "
    "spec/examples/conv_b008_e020_weightwatcher.csv"
)


def audit(
    weights: options.WeightsArgument,
    theirs: Annotated[
        Path,
        typer.Argument(
            metavar="THEIRS",
            help="Somebody else's numbers: WeightWatcher's details as CSV, a report of "
            "`htsr analyze` (JSON or CSV), or any CSV file with --map.",
        ),
    ],
    convention: Annotated[
        str | None,
        typer.Option(
            "--convention",
            metavar="NAME|FILE|unknown",
            help="The choices that they claim to have made. By default those of the tool that "
            "writes such columns, or of the report; unknown tries all.",
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="COLUMN=NUMBER",
            help="What a column of theirs is in our reports, such as 'my alpha=alpha'; also "
            "layer, label, layer_id, N and M. Columns whose names are known keep their meaning. "
            "Repeatable.",
        ),
    ] = None,
    changes: Annotated[
        int,
        typer.Option(
            "--changes",
            metavar="N",
            min=0,
            max=4,
            help="Greatest number of choices to change together in search of an explanation.",
        ),
    ] = 2,
    layers: options.LayersOption = None,
    keep_converted: options.KeepOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    solver: Annotated[
        Literal["auto", "gram", "svd"] | None,
        typer.Option(
            "--solver",
            help="gram: eigenvalues of WᵀW; svd: squared singular values, as the audited tools "
            "have them; auto: gram for layers whose smallest eigenvalue it finds to six digits. By "
            "default that of a report of ours, else auto.",
        ),
    ] = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="PATH",
            help="Draw α from the default convention's to theirs, choice by choice.",
        ),
    ] = None,
    json: options.JsonOption = False,
    markdown: options.MarkdownOption = False,
    out: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH",
            help="Write there instead of to standard output; .json and .md choose the form.",
        ),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Say which convention reproduces somebody else's table, and why it differs from the default.

    Every number is reproduced, explained by named choices, a known fault, or unexplained.
    """
    form = output.choose_form(json, False, markdown, out)
    if form == "csv":
        raise HtsrError(f"{out}: an audit is a table, JSON or Markdown")
    for written in (out, keep_converted):
        output.check_writable(written, weights, theirs, layers, convention)
    output.check_figure(plot, weights, theirs, layers, convention)

    from htsr_ref.audits.asking import audit as run
    from htsr_ref.weights.asking import asked_weights

    opened = asked_weights(
        weights,
        layers=options.layers_of(layers),
        include=include,
        exclude=exclude,
        keep_converted=keep_converted,
    )
    with cache_in(cache, cache_size) as kept:
        found = run(
            opened,
            theirs,
            convention,
            columns=_mapping(map_),
            changes=changes,
            solver=solver,
            cache=kept,
        )
    if plot is not None:
        from htsr_ref.plots import save_figure, waterfall_figure

        save_figure(waterfall_figure(found), plot)
    output.emit(output.text_of(found, form), out)
    if found.counts["unexplained"]:
        raise typer.Exit(1)


def _mapping(pairs: list[str] | None) -> dict[str, str]:
    mapping = {}
    for text in pairs or []:
        column, equals, name = text.rpartition("=")
        if not equals or not column:
            raise HtsrError(f"--map {text!r}: write COLUMN=NUMBER, such as --map 'my alpha=alpha'")
        mapping[column.strip()] = name.strip()
    return mapping
