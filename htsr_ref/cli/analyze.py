"""`htsr analyze`."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.dask import dask_executor
from htsr_ref.cli.resuming import journal_beside
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError
from htsr_ref.text.lines import count

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
    dask: options.DaskOption = None,
    json: options.JsonOption = False,
    csv: options.CsvOption = False,
    markdown: options.MarkdownOption = False,
    per: options.PerOption = None,
    columns: options.ColumnsOption = "own",
    sort: options.SortOption = "depth",
    skipped: options.SkippedOption = False,
    spark: Annotated[
        bool,
        typer.Option("--spark", help="Show in the table the spectrum of every layer, in blocks."),
    ] = False,
    out: options.OutputOption = None,
    resume: options.ResumeOption = False,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="DIR",
            help="Draw the model and every matrix into a folder, as SVG files.",
        ),
    ] = None,
    fail_if: options.FailIfOption = None,
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
    digest: Annotated[
        bool,
        typer.Option(
            "--digest/--no-digest",
            help="State the SHA-256 of the files, which are read once more for it.",
        ),
    ] = True,
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
    quiet: options.QuietOption = False,
) -> None:
    """Compute alpha, alpha-hat, norms and ranks of every weight matrix and of the model.

    Every tensor of the file appears in the report, analyzed or with the reason why not.
    """
    form = output.choose_form(json, csv, markdown, out)
    options.check_columns(form, per, columns)
    if spark and form != "table":
        raise HtsrError(f"--spark draws in the table, and {form} is written. Leave one out")
    if shuffles is not None and null == "none":
        raise HtsrError("--shuffles is the number of copies for --null shuffle. Add that")
    if minus is not None and base is not None:
        raise HtsrError("--minus subtracts a model, --base adds one to an adapter. Choose one")
    if keep_converted is not None and (minus or base):
        raise HtsrError("--keep-converted keeps one file, and two are read. Use `htsr convert`")
    for path in (out, keep_converted):
        output.check_writable(path, file, minus, base, layers, convention)
    output.check_folder(plot)
    chosen = options.convention_of(convention or DEFAULT, set_)
    overrides = options.layers_of(layers)
    resources = options.resources_of(jobs, blas_threads, max_memory)

    from htsr_ref.analysis.analyzing import analyze as run
    from htsr_ref.analysis.checks import Checks
    from htsr_ref.cli.tabulating import report_text
    from htsr_ref.reports.gates import OF_CONVENTION, parse_gate
    from htsr_ref.spectra.store import MemoryStore
    from htsr_ref.synthetic import expectations
    from htsr_ref.weights.asking import asked_weights

    gates = [parse_gate(text) for text in fail_if or []]
    if convention is None and any(gate.name in OF_CONVENTION for gate in gates):
        output.fail(
            f"warning: alpha_hat depends on the convention: the gate is for {DEFAULT}. "
            "Say which one you mean with --convention"
        )
    asked_of_weights: dict[str, Any] = {
        "layers": overrides,
        "include": include,
        "exclude": exclude,
        "minus": minus,
        "base": base,
    }
    weights = asked_weights(file, **asked_of_weights, keep_converted=keep_converted)
    # Workers elsewhere open the files themselves.
    source, still_asked = (weights, {}) if dask is None else (file, asked_of_weights)
    expected = None
    if expect:
        expectations.require_comparable(chosen)
        expected = expectations.from_json(weights.extra.get("expected"), weights.name)
    copies = (shuffles or 19) if null == "shuffle" else 0
    store = MemoryStore() if plot is not None or spark else None
    checks = Checks(gof, compare, seed, copies)
    asked = {
        "convention": asdict(chosen),
        "layers map": overrides,
        "solver": solver,
        "tests": asdict(checks),
        "digest": digest,
        "blas_threads": blas_threads,
    }
    with journal_beside(out, weights, asked, resume=resume) as journal:
        with dask_executor(dask) as executor, output.progress_bar() as show:
            report = run(
                source,
                chosen,
                **still_asked,
                solver=solver,
                gof=gof,
                compare=compare,
                shuffles=copies,
                seed=seed,
                jobs=resources.jobs,
                blas_threads=resources.blas_threads,
                max_memory=resources.max_memory,
                store=store,
                journal=journal,
                executor=executor,
                digest=digest,
                progress=show,
            )
        if plot is not None and store is not None:
            _draw(plot, report, weights, checks, solver, store)
        sparks = None
        if spark and store is not None:
            from htsr_ref.analysis.sparks import spectra_in_blocks

            sparks = spectra_in_blocks(report, weights, solver, store)
        text = report_text(
            report, form, per, columns, out, sort=sort, listed=skipped, sparks=sparks
        )
        output.emit(text, out)
    output.say_if_nothing_was_analyzed(file, report)

    failures = [f"check failed: {failure}" for gate in gates if (failure := gate.failure(report))]
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
        drawn = write_figures(
            folder,
            report,
            plan(weights, report.convention),
            checks=checks,
            solver=solver,
            store=store,
            progress=show,
        )
    output.fail(f"{count(drawn, 'figure')} written to {folder}")
