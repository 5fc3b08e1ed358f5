"""`htsr analyze`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from htsr_ref.cli import options, output, sources
from htsr_ref.cli.caching import cache_in
from htsr_ref.cli.failures import warn_of_default
from htsr_ref.cli.one_model import Place, Wanted, analyze_alone, analyze_part
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from collections.abc import Sequence

EPILOG = (
    "Example: htsr analyze model.safetensors --convention sdm2020 -o report.json "
    "--fail-if 'alpha_hat>3'"
)


def analyze(
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help=f"{options.WEIGHTS_HELP} Several, or a quoted pattern such as "
            "'runs/*/model.safetensors', get a report each in the folder that -o names; a folder "
            "is one model.",
        ),
    ] = None,
    manifest: Annotated[
        str | None,
        typer.Option(
            "--manifest",
            metavar="LIST.txt",
            help="Analyze the models in this list too: one a line, relative to the list; # begins "
            "a comment; - reads standard input.",
        ),
    ] = None,
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
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    part: Annotated[
        str | None,
        typer.Option(
            "--part",
            metavar="I/N",
            help="Do the I-th of N parts of the work: of the layers of one model, into NAME.part, "
            "for `htsr merge`; or of several models, into DIR/.",
        ),
    ] = None,
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
    out: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            metavar="PATH|DIR/",
            help="Write there instead of to standard output; .json, .csv and .md choose the form. "
            "Into a folder goes a report of each model, JSON by default, and a table of all is "
            "printed.",
        ),
    ] = None,
    skip_existing: Annotated[
        bool,
        typer.Option(
            "--skip-existing",
            help="Keep reports in DIR that would be written again byte for byte: of the same "
            "weights, by the same choices and program.",
        ),
    ] = False,
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
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="Seed of replicas and shuffles.")
    ] = 0,
    expect: Annotated[
        bool,
        typer.Option("--expect", help="Compare with what the file says is known (`htsr synth`)."),
    ] = False,
    allow_skipped: options.AllowSkippedOption = False,
    quiet: options.QuietOption = False,
) -> None:
    """Compute alpha, alpha-hat, norms and ranks of every weight matrix and of the model.

    Every tensor of the file appears in the report, analyzed or with the reason why not.
    """
    folder = output.folder_of(out)
    file = None if out is None or folder is not None else Path(out)
    form = output.choose_form(json, csv, markdown, None if part is not None else file)
    if folder is not None and form == "table":
        form = "json"
    options.check_columns(form, per, columns)
    if spark and form != "table":
        raise HtsrError(f"--spark draws in the table, and {form} is written. Leave one out")
    if shuffles is not None and null == "none":
        raise HtsrError("--shuffles is the number of copies for --null shuffle. Add that")
    if minus is not None and base is not None:
        raise HtsrError("--minus subtracts a model, --base adds one to an adapter. Choose one")
    if keep_converted is not None and (minus or base):
        raise HtsrError("--keep-converted keeps one file, and two are read. Use `htsr convert`")
    models = sources.given_models(files or [], manifest)
    if folder is None:
        _check_one_model(models, skip_existing, out)
        if part is not None:
            unfit = {
                "--json": json,
                "--csv": csv,
                "--markdown": markdown,
                "--columns": columns != "own",
                "--sort": sort != "depth",
                "--skipped": skipped,
                "--spark": spark,
                "--plot": plot,
                "--fail-if": fail_if,
                "--expect": expect,
                "--dask": dask,
            }
            _check_part(part, file, [option for option, given in unfit.items() if given])
    else:
        one = len(models) == 1 and part is not None
        _check_folder(one, skip_existing and (form != "json" or plot is not None), keep_converted)
    for path in (file, keep_converted):
        output.check_writable(
            path, *(model.file for model in models), minus, base, layers, convention
        )
    output.check_folder(plot)
    chosen = options.convention_of(convention or DEFAULT, set_)
    overrides = options.layers_of(layers)
    resources = options.resources_of(jobs, blas_threads, max_memory)

    from htsr_ref.analysis.checks import Checks
    from htsr_ref.analysis.parts import Part
    from htsr_ref.reports.gates import parse_gate

    chosen_part = None if part is None else Part.of(part)
    gates = tuple(parse_gate(text) for text in fail_if or [])
    warn_of_default(gates, convention)
    with cache_in(cache, cache_size, blas_threads) as kept:
        wanted = Wanted(
            minus=minus,
            base=base,
            layers=overrides,
            include=include,
            exclude=exclude,
            convention=chosen,
            solver=solver,
            checks=Checks(gof, compare, seed, (shuffles or 19) if null == "shuffle" else 0),
            resources=resources,
            cache=kept,
            digest=digest,
            form=form,
            per=per,
            columns=columns,
            sort=sort,
            skipped=skipped,
            spark=spark,
            gates=gates,
            expect=expect,
            allow_skipped=allow_skipped,
            resume=resume,
        )
        if folder is not None:
            from htsr_ref.cli.many_models import Folder, analyze_models

            where = Folder(folder, plot, skip_existing)
            code = analyze_models(models, where, wanted, dask=dask, part=chosen_part)
        elif chosen_part is not None and file is not None:
            code = analyze_part(models[0].file, wanted, file, chosen_part, keep_converted)
        else:
            code = analyze_alone(models[0].file, wanted, Place(file, plot), dask, keep_converted)
    if code:
        raise typer.Exit(code)


def _check_one_model(
    models: "Sequence[sources.Given]", skip_existing: bool, out: str | None
) -> None:
    """Refuse what only reports in a folder allow."""
    if len(models) > 1:
        named = "-o reports/" if out is None or Path(out).suffix else f"-o {out}/"
        raise HtsrError(
            f"{len(models):,} models are given, and each gets a report of its own. Name a folder "
            f"for them, with a slash at its end: {named}"
        )
    if skip_existing:
        raise HtsrError("--skip-existing keeps reports in a folder. Name one, as with -o reports/")


def _check_part(part: str, file: Path | None, unfit: "Sequence[str]") -> None:
    """Refuse a part without a place of its own, and options that are of a whole report."""
    if unfit:
        raise HtsrError(
            f"{unfit[0]} is not for a part of the layers. Leave it out; `htsr merge` writes, and "
            "checks, the whole report"
        )
    from htsr_ref.analysis.parts import SUFFIX

    if file is None or file.suffix != SUFFIX:
        raise HtsrError(
            f"--part {part} writes a part of the layers. Name its file, such as "
            f"-o model.{part.partition('/')[0]}{SUFFIX}"
        )


def _check_folder(is_one_part: bool, kept_unseen: bool, keep_converted: Path | None) -> None:
    """Refuse what reports in a folder do not allow."""
    if keep_converted is not None:
        raise HtsrError("--keep-converted keeps one file, and --output names a folder for many")
    if is_one_part:
        raise HtsrError(
            "--part with a folder shares several models out, and one is given. Its layers are "
            "shared out with -o NAME.part"
        )
    if kept_unseen:
        raise HtsrError("--skip-existing compares JSON reports and draws nothing. Leave it out")
