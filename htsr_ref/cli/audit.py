"""`htsr audit`."""

import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from htsr_ref.cli import options, output
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.audit.audit_report import AuditReport

EPILOG = (
    "Exit codes: 0 everything is explained; 1 something is not; 2 bad input. "
    "Example: htsr audit spec/examples/conv_b008_e020.safetensors "
    "spec/examples/conv_b008_e020_weightwatcher.csv"
)

UNKNOWN = "unknown"


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
            min=0,
            max=4,
            help="Greatest number of choices to change together in search of an explanation.",
        ),
    ] = 2,
    layers: options.LayersOption = None,
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
) -> None:
    """Say which convention reproduces somebody else's table, and why it differs from the default.

    Every number is reproduced, explained by named choices, a known fault, or unexplained.
    """
    form = output.choose_form(json, False, markdown, out)
    if form == "csv":
        raise HtsrError(f"{out}: an audit is a table, JSON or Markdown")
    output.check_writable(out, weights, theirs, layers, convention)
    output.check_figure(plot, weights, theirs, layers, convention)

    from htsr_ref.audit import SharedSpectra, read_table
    from htsr_ref.audit import audit as run
    from htsr_ref.conventions import get_convention
    from htsr_ref.conventions.files import find_convention
    from htsr_ref.weights import open_weights, select

    table = read_table(theirs, _mapping(map_))
    claimed = table.convention
    if convention == UNKNOWN:
        claimed = None
    elif convention is not None:
        claimed = find_convention(convention)
    elif claimed is None and table.dialect.convention is not None:
        claimed = get_convention(table.dialect.convention)
    opened = select(open_weights(weights, options.layers_of(layers)), include, exclude)
    spectra = SharedSpectra(opened, solver or table.solver or "auto")
    found = run(spectra, table, claimed, most=changes)
    if plot is not None:
        from htsr_ref.plots import save_figure, waterfall_figure

        save_figure(waterfall_figure(found), plot)
    output.emit(_written(found, form), out)
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


def _written(report: "AuditReport", form: output.Form) -> str:
    if form == "json":
        return report.to_json()
    if form == "markdown":
        from htsr_ref.audit.text import to_markdown

        return to_markdown(report)
    return _table(report)


MOST_NUMBERS = 40
"""How many numbers that are not reproduced the terminal shows; JSON has all."""


def _table(report: "AuditReport") -> str:
    from htsr_ref.audit import text
    from htsr_ref.cli.tables import text_table

    pieces = [_prose(text.summary(report))]
    pieces.append(text_table(text.LAYER_HEADER, text.layer_rows(report), (3, 4, 6)))
    for header, numbers, right in (
        (text.NUMBER_HEADER, text.number_rows(report), (3, 4, 5)),
        (text.FAULT_HEADER, text.fault_rows(report), (3, 4)),
    ):
        if numbers:
            last = len(header) - 1
            rows = numbers[:MOST_NUMBERS]
            pieces.append(text_table(header, rows, right, flexible=(0, 1, last)))
        if len(numbers) > MOST_NUMBERS:
            pieces.append(f"and {len(numbers) - MOST_NUMBERS} numbers more: --json lists them all")
    pieces.append(text_table(text.PATH_HEADER, text.path_rows(report), (1, 2, 3)))
    pieces.append(_prose(text.remarks(report)))
    return "\n\n".join(filter(None, pieces)) + "\n"


def _prose(lines: list[str]) -> str:
    from htsr_ref.cli.tables import WIDTH

    wrapper = textwrap.TextWrapper(
        WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
    return "\n".join(wrapper.fill(output.one_line(line)) for line in lines)
