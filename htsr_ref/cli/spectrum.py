"""`htsr spectrum`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.caching import cache_in
from htsr_ref.cli.completing import layer_names
from htsr_ref.conventions import DEFAULT
from htsr_ref.errors import HtsrError

if TYPE_CHECKING:
    from htsr_ref.conventions import Convention
    from htsr_ref.layers.matrices import Pool, WeightMatrix
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore

EPILOG = "Example: htsr spectrum model.safetensors fc1 | htsr fit -"


def spectrum(
    file: options.WeightsArgument,
    layer: Annotated[
        str,
        typer.Argument(metavar="LAYER", autocompletion=layer_names, help="Name of the layer."),
    ],
    matrix: Annotated[
        int, typer.Option("--matrix", metavar="INDEX", min=0, help="Which of its matrices.")
    ] = 0,
    layers: options.LayersOption = None,
    keep_converted: options.KeepOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    convention: options.ConventionOption = DEFAULT,
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
    cache: options.CacheOption = None,
    cache_size: options.CacheSizeOption = None,
    plot: Annotated[
        Path | None,
        typer.Option(
            "--plot",
            metavar="PATH",
            help="Draw the matrix: density, survival function, fit and thresholds.",
        ),
    ] = None,
    out: options.TextOption = None,
    quiet: options.QuietOption = False,
) -> None:
    """Print the positive eigenvalues of one weight matrix, ascending, one per line.

    A first line, a comment, says how many more count as zero.
    """
    if output.choose_form(False, False, False, out) != "table":
        raise HtsrError(f"{out}: a spectrum is text, as `htsr fit` reads it. Name it .txt")
    for written in (out, keep_converted):
        output.check_writable(written, file, layers, convention)
    output.check_figure(plot, file, layers, convention)
    chosen = options.convention_of(convention, set_)
    overrides = options.layers_of(layers)

    from htsr_ref.analysis.one_spectrum import planned_layer
    from htsr_ref.analysis.one_spectrum import spectrum as run
    from htsr_ref.spectra.store import MemoryStore
    from htsr_ref.weights.asking import asked_weights

    weights = asked_weights(
        file, layers=overrides, include=include, exclude=exclude, keep_converted=keep_converted
    )
    with cache_in(cache, cache_size) as kept:
        store = MemoryStore(kept)
        found = run(weights, layer, matrix, chosen, solver=solver, store=store)
    lines = [f"# {layer} matrix {matrix}, N = {found.N}, M = {found.M}, {found.num_zero} zeros"]
    lines += [repr(float(value)) for value in found.positive]
    if plot is not None:
        chosen_matrix = planned_layer(weights, layer, chosen).matrices[matrix]
        _draw(plot, chosen_matrix, chosen, solver, store, title=(layer, weights.name))
    output.emit("\n".join(lines) + "\n", out)


def _draw(
    path: Path,
    matrix: "WeightMatrix | Pool",
    convention: "Convention",
    solver: "SolverChoice",
    store: "SpectrumStore",
    *,
    title: tuple[str, str],
) -> None:
    from htsr_ref.analysis.matrix_analysis import analyze_matrix
    from htsr_ref.analysis.tail_view import view_matrix
    from htsr_ref.plots import save_figure, tail_figure, title_lines
    from htsr_ref.reports.markdown import convention_text

    found = analyze_matrix(matrix, convention, solver=solver, store=store)
    view = view_matrix(matrix, found, convention, solver=solver, store=store)
    if not view.values.size:
        raise HtsrError(f"{path}: there is nothing to draw: all eigenvalues are zero")
    layer, source = title
    lines = (f"{layer} {matrix.label}".rstrip(), source)
    last = f"{matrix.N}×{matrix.M}; convention {convention_text(convention)}"
    save_figure(tail_figure(view, title_lines(*lines, last)), path)
