"""`htsr diff`."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.conventions import DEFAULT

if TYPE_CHECKING:
    from htsr_ref.models.difference import Change, Difference

EPILOG = (
    "Example: htsr diff spec/examples/mlp_b016_e002.safetensors "
    "spec/examples/mlp_b016_e050.safetensors"
)

_FILE = "A weight file, or a JSON report of `htsr analyze`, taken as it is."


def diff(
    before: Annotated[str, typer.Argument(metavar="BEFORE", help=_FILE)],
    after: Annotated[str, typer.Argument(metavar="AFTER", help=_FILE)],
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: Annotated[
        str | None,
        typer.Option(
            "--convention",
            metavar="NAME|FILE",
            help="Whose choices to follow; by default those of a report that is given, else "
            f"{DEFAULT}.",
        ),
    ] = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    fail_if_changed: Annotated[
        bool, typer.Option("--fail-if-changed", help="Exit with 1 if any number differs.")
    ] = False,
    json: options.JsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="PATH", help="Draw α of every layer, before and after."),
    ] = None,
    out: options.TextOrJsonOption = None,
) -> None:
    """Compare two models layer by layer: checkpoints, fine-tuned weights, two formats of one."""
    form = output.text_or_json(json, out, "a difference is a table or JSON")
    output.check_writable(out, before, after, layers, convention)
    output.check_figure(plot, before, after, layers, convention)

    from htsr_ref.models.difference import compare_reports

    asked = loading.Asked.of(convention, set_, layers, (include, exclude), solver)
    loaded = loading.load_reports([before, after], _as_reports_have_it(asked, before, after))
    code = loaded.exit_code()
    if not loaded.unreadable:
        first, second = loaded.named()
        found = compare_reports(first, second)
        if plot is not None:
            from htsr_ref.plots import difference_figure, save_figure

            depth = [layer.name for layer in first.layers]
            save_figure(difference_figure(found, depth), plot)
        output.emit(found.to_json() if form == "json" else _table(found), out)
        code = code or int(fail_if_changed and not found.identical)
    if code:
        raise typer.Exit(code)


def _as_reports_have_it(asked: loading.Asked, *files: str) -> loading.Asked:
    """Follow the first report among the files where no convention was asked for."""
    if not asked.of_reports:
        from htsr_ref.reports.report import Report

        for file in filter(loading.is_report, files):
            return replace(asked, convention=Report.load(file).convention)
    return asked


_HEADER = ("layer", "α", "change", "λmax", "change", "log‖W‖F", "change", "α·log λmax", "change")
_SHOWN = ("alpha", "lambda_max", "log10_frobenius_norm", "weighted_alpha")


def _table(found: "Difference") -> str:
    from htsr_ref.cli.tables import text_table
    from htsr_ref.reports.markdown import convention_text

    pieces = [
        output.one_line(
            f"{found.before.name} → {found.after.name}; convention "
            f"{convention_text(found.convention)}"
        )
    ]
    if found.identical:
        pieces.append(f"identical: no number of {output.count(len(found.layers), 'layer')} differs")
    elif found.layers:
        rows = [
            [
                layer.name,
                *(cell for name in _SHOWN for cell in _cells(layer.numbers[name])),
            ]
            for layer in found.layers
        ]
        pieces.append(text_table(_HEADER, rows, range(1, 9)))
        model = [[name, *_cells(change)] for name, change in found.model.items()]
        pieces.append(text_table(["model", "mean", "change"], model, (1, 2)))
    notes = [f"only in {found.before.name}: {name}" for name in found.only_before]
    notes += [f"only in {found.after.name}: {name}" for name in found.only_after]
    notes += [
        f"matched by shape: {layer.name} → {layer.other_name}"
        for layer in found.layers
        if layer.matched_by == "shape"
    ]
    pieces.append("\n".join(map(output.one_line, notes)))
    return "\n\n".join(filter(None, pieces)) + "\n"


def _cells(change: "Change") -> tuple[str, str]:
    """Value after, and by how much it changed."""
    from htsr_ref.reports.markdown import number

    return number(change.after), number(change.difference, "+.3f")
