"""`htsr describe`."""

from htsr_ref.cli import options, output
from htsr_ref.conventions import DEFAULT

EPILOG = "Example: htsr describe model.safetensors --set min_dim=0"


def describe(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
    keep_converted: options.KeepOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: options.ConventionOption = DEFAULT,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    columns: options.DescribedColumnsOption = None,
    sort: options.SortOption = "depth",
    skipped: options.SkippedOption = False,
    json: options.JsonOption = False,
    out: options.TextOrJsonOption = None,
) -> None:
    """List what a file holds, how each layer was recognized, and what an analysis would cost.

    Reads headers only, however large the file.
    """
    form = output.text_or_json(json, out, "a description is a table or JSON")
    for written in (out, keep_converted):
        output.check_writable(written, file, layers, convention)
    chosen = options.convention_of(convention, set_)
    overrides = options.layers_of(layers)

    from htsr_ref.analysis.description import describe as run
    from htsr_ref.cli.tabulating import layout_of, names_of
    from htsr_ref.weights import open_weights

    weights = open_weights(file, overrides, facts_first=True, keep_converted=keep_converted)
    found = run(weights, chosen, include=include, exclude=exclude, solver=solver)
    if form == "json":
        text = found.to_json()
    else:
        text = found.table(layout_of(out), columns=names_of(columns), sort=sort, listed=skipped)
    output.emit(text, out)
