"""`htsr analyze`."""

from typing import Annotated, Literal

import typer

from htsr_ref.cli import options, output

EPILOG = (
    "Example: htsr analyze model.safetensors --set min_dim=0 -o report.json --fail-if 'alpha_hat>3'"
)


def analyze(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
    convention: options.ConventionOption = "paper",
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    markdown: options.MarkdownOption = False,
    per: Annotated[
        Literal["matrix", "layer"], typer.Option("--per", help="Rows of the CSV.")
    ] = "matrix",
    out: options.OutputOption = None,
    fail_if: Annotated[
        list[str] | None,
        typer.Option(
            "--fail-if",
            metavar="'NAME OP NUMBER'",
            help="Exit with 1 if a number of the model says so, such as 'alpha_hat>3'. Repeatable.",
        ),
    ] = None,
    gof: Annotated[
        int,
        typer.Option("--gof", metavar="N", min=0, help="Test every fit with N replicas (2500)."),
    ] = 0,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare every power law with other laws.")
    ] = False,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of the replicas.")] = 0,
    allow_skipped: Annotated[
        bool,
        typer.Option("--allow-skipped", help="Exit with 0 even if a layer's data are bad."),
    ] = False,
) -> None:
    """Compute alpha, alpha-hat, norms and ranks of every weight matrix and of the model.

    Every tensor of the file appears in the report, analysed or with the reason why not.
    """
    form = output.choose_form(json, csv, markdown, out)
    output.check_writable(out)
    chosen = options.convention_of(convention, set_)
    overrides = options.layers_of(layers)

    from htsr_ref.analysis import Checks
    from htsr_ref.analysis import analyze as run
    from htsr_ref.cli.tables import report_table
    from htsr_ref.gates import parse_gate
    from htsr_ref.markdown import to_markdown

    gates = [parse_gate(text) for text in fail_if or []]
    with output.progress_bar() as show:
        report = run(
            file,
            chosen,
            layers=overrides,
            solver=solver,
            checks=Checks(gof, compare, seed),
            progress=show,
        )
    if form == "json":
        text = report.to_json()
    elif form == "csv":
        text = report.to_csv(per)
    elif form == "markdown":
        text = to_markdown(report)
    else:
        text = report_table(report)
    output.emit(text, out)

    failures = [
        f"check failed: {failure}" for gate in gates if (failure := gate.failure(report.model))
    ]
    if not allow_skipped:
        failures += [f"layer skipped: {layer.skipped}" for layer in report.bad_layers()]
    for failure in failures:
        output.fail(failure)
    if failures:
        raise typer.Exit(1)
