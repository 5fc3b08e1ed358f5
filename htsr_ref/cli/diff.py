"""`htsr diff`."""

from pathlib import Path
from typing import Annotated

import typer

from htsr_ref.cli import loading, options, output
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

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
    jobs: options.JobsOption = None,
    max_memory: options.MaxMemoryOption = None,
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    fail_if_changed: Annotated[
        bool, typer.Option("--fail-if-changed", help="Exit with 1 if any number differs.")
    ] = False,
    json: options.JsonOption = False,
    plot: Annotated[
        Path | None,
        typer.Option("--plot", metavar="PATH", help="Draw α of every layer, before and after."),
    ] = None,
    out: options.TextOrJsonOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Compare two models layer by layer: checkpoints, fine-tuned weights, two formats of one."""
    form = output.choose_form(json, False, False, out)
    if form == "csv":
        raise HtsrError(f"{out}: a difference is a table, JSON or Markdown")
    output.check_writable(out, before, after, layers, convention)
    output.check_figure(plot, before, after, layers, convention)

    from htsr_ref.models.comparing import as_reports_have_it
    from htsr_ref.models.difference import compare_reports

    asked = loading.asked(convention, set_, layers, (include, exclude), solver)
    machine = loading.Machine(jobs, max_memory, cache, cache_size)
    loaded = loading.load_reports(
        [before, after], as_reports_have_it(asked, before, after), machine
    )
    code = loaded.exit_code()
    if not loaded.unreadable:
        first, second = loaded.named()
        found = compare_reports(first, second)
        if plot is not None:
            from htsr_ref.plots import difference_figure, save_figure

            depth = [layer.name for layer in first.layers]
            save_figure(difference_figure(found, depth), plot)
        output.emit(output.text_of(found, form), out)
        code = code or int(fail_if_changed and not found.identical)
    if code:
        raise typer.Exit(code)
