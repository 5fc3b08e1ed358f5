"""`htsr analyze`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from htsr_ref.cli import options, output
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.analysis.checks import Checks
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights

EPILOG = (
    "Example: htsr analyze model.safetensors --convention sdm2020 -o report.json "
    "--fail-if 'alpha_hat>3'"
)


def analyze(
    file: options.WeightsArgument,
    minus: Annotated[
        str | None,
        typer.Option(
            "--minus",
            metavar="BASE",
            help="Analyze the differences W - W_base: what fine-tuning changed, layer by layer, "
            "matched as by `htsr diff`.",
        ),
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            "--base",
            metavar="MODEL",
            help="Analyze MODEL with FILE, a LoRA adapter, added to it. Without --base the "
            "adapter's products scale*B*A are analyzed by themselves.",
        ),
    ] = None,
    layers: options.LayersOption = None,
    keep_converted: options.KeepOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: options.OptionalConventionOption = None,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    jobs: options.JobsOption = None,
    blas_threads: options.BlasThreadsOption = 1,
    max_memory: options.MaxMemoryOption = None,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    markdown: options.MarkdownOption = False,
    per: Annotated[
        Literal["matrix", "layer"] | None,
        typer.Option("--per", help="Rows of the CSV; one per matrix by default."),
    ] = None,
    columns: Annotated[
        Literal["own", "weightwatcher"],
        typer.Option("--columns", help="Names of the CSV's columns: ours or WeightWatcher's."),
    ] = "own",
    out: options.OutputOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="DIR",
            help="Draw the model and every matrix into a folder, as SVG files.",
        ),
    ] = None,
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
        typer.Option(
            "--gof",
            metavar="N",
            min=0,
            help="Test every fit with N replicas; 2500 give p to ±0.01, 0 makes no test.",
        ),
    ] = 0,
    compare: Annotated[
        bool, typer.Option("--compare", help="Compare every power law with other laws.")
    ] = False,
    null: Annotated[
        Literal["none", "shuffle"],
        typer.Option(
            "--null",
            help="shuffle: compare every matrix with copies whose entries are shuffled, which "
            "tells heavy-tailed entries from correlations.",
        ),
    ] = "none",
    shuffles: Annotated[
        int | None,
        typer.Option(
            "--shuffles",
            metavar="N",
            min=19,
            help="Copies for --null shuffle, 19 by default; each costs a spectrum.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Seed of replicas and shuffles.")] = 0,
    expect: Annotated[
        bool,
        typer.Option("--expect", help="Compare with what the file says is known (`htsr synth`)."),
    ] = False,
    allow_skipped: Annotated[
        bool,
        typer.Option(
            "--allow-skipped", help="Exit with 0 even if a layer is bad or not understood."
        ),
    ] = False,
) -> None:
    """Compute alpha, alpha-hat, norms and ranks of every weight matrix and of the model.

    Every tensor of the file appears in the report, analyzed or with the reason why not.
    """
    form = output.choose_form(json, csv, markdown, out)
    if columns == "weightwatcher" and form != "csv":
        raise HtsrError("--columns names the columns of a CSV. Add --csv")
    if per is not None and (form != "csv" or columns == "weightwatcher"):
        raise HtsrError("--per chooses the rows of a CSV with our columns. Add --csv")
    if shuffles is not None and null == "none":
        raise HtsrError("--shuffles is the number of copies for --null shuffle. Add that")
    if minus is not None and base is not None:
        raise HtsrError("--minus subtracts a model, --base adds one to an adapter. Choose one")
    if keep_converted is not None and (minus or base):
        raise HtsrError("--keep-converted keeps one file, and two are read. Use `htsr convert`")
    for written in (out, keep_converted):
        output.check_writable(written, file, minus, base, layers, convention)
    output.check_folder(plot)
    chosen = options.convention_of(convention or DEFAULT, set_)
    overrides = options.layers_of(layers)
    resources = options.resources_of(jobs, blas_threads, max_memory)

    from htsr_ref.analysis.analyzing import analyze as run
    from htsr_ref.analysis.checks import Checks
    from htsr_ref.cli.tables import report_table
    from htsr_ref.reports.columns import weightwatcher_csv
    from htsr_ref.reports.gates import OF_CONVENTION, parse_gate
    from htsr_ref.reports.markdown import to_markdown
    from htsr_ref.spectra.store import MemoryStore
    from htsr_ref.synthetic import expectations
    from htsr_ref.weights import open_weights, select
    from htsr_ref.weights.derived.combining import minus as subtract
    from htsr_ref.weights.derived.combining import with_adapter

    gates = [parse_gate(text) for text in fail_if or []]
    if convention is None and any(gate.name in OF_CONVENTION for gate in gates):
        output.fail(
            f"warning: alpha_hat depends on the convention: the gate is for {DEFAULT}. "
            "Say which one you mean with --convention"
        )
    if minus is not None:
        found = subtract(open_weights(file, overrides), open_weights(minus, overrides))
    elif base is not None:
        found = with_adapter(open_weights(file), open_weights(base, overrides))
    else:
        found = open_weights(file, overrides, keep_converted=keep_converted)
    weights = select(found, include, exclude)
    expected = None
    if expect:
        expectations.require_comparable(chosen)
        expected = expectations.from_json(weights.extra.get("expected"), weights.name)
    checks = Checks(gof, compare, seed, (shuffles or 19) if null == "shuffle" else 0)
    store = None if plot is None else MemoryStore()
    with output.progress_bar() as show:
        report = run(
            weights,
            chosen,
            solver=solver,
            checks=checks,
            resources=resources,
            store=store,
            progress=show,
        )
    if plot is not None and store is not None:
        _draw(plot, report, weights, checks, solver, store)
    if form == "json":
        text = report.to_json()
    elif form == "csv":
        text = (
            weightwatcher_csv(report)
            if columns == "weightwatcher"
            else report.to_csv(per or "matrix")
        )
    elif form == "markdown":
        text = to_markdown(report)
    else:
        text = report_table(report)
    output.emit(text, out)
    output.say_if_nothing_was_analyzed(file, report)

    failures = [
        f"check failed: {failure}" for gate in gates if (failure := gate.failure(report.model))
    ]
    if not allow_skipped:
        failures += [f"layer skipped: {layer.fault}" for layer in report.bad_layers()]
    if expected is not None:
        outcome = expectations.compare(report, expected)
        output.fail(f"numbers as expected: {outcome.met}; not as expected: {len(outcome.misses)}")
        if outcome.not_compared:
            output.fail(
                f"not compared, since they are known of the fit of sdm2020-text: "
                f"{outcome.not_compared}"
            )
        for miss in outcome.by_chance:
            output.fail(f"not as expected, as chance allows: {miss}")
        failures += [f"not as expected: {miss}" for miss in outcome.misses]
    for failure in failures:
        output.fail(failure)
    if failures or not report.analyzed():
        raise typer.Exit(1)


def _draw(
    folder: Path,
    report: "Report",
    weights: "Weights",
    checks: "Checks",
    solver: "SolverChoice",
    store: "SpectrumStore",
) -> None:
    from htsr_ref.analysis.planning import plan
    from htsr_ref.plots import write_figures

    with output.amount_bar("drawing") as show:
        count = write_figures(
            folder,
            report,
            plan(weights, report.convention),
            checks=checks,
            solver=solver,
            store=store,
            progress=show,
        )
    output.fail(f"{output.count(count, 'figure')} written to {folder}")
