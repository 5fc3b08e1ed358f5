"""`htsr describe`."""

from typing import TYPE_CHECKING

from htsr_ref.cli import options, output
from htsr_ref.conventions import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from htsr_ref.analysis.planning import PlannedLayer
    from htsr_ref.conventions import Convention
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights

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

    from htsr_ref.analysis.planning import plan
    from htsr_ref.cli.tables import plan_table
    from htsr_ref.weights import open_weights, select

    weights = select(
        open_weights(file, overrides, facts_first=True, keep_converted=keep_converted),
        include,
        exclude,
    )
    write = _json if form == "json" else plan_table
    output.emit(write(weights, plan(weights, chosen), chosen, solver), out)


def _json(
    weights: "Weights",
    planned: "Sequence[PlannedLayer]",
    convention: "Convention",
    solver: "SolverChoice",
) -> str:
    from dataclasses import asdict

    from htsr_ref.text import strictjson

    description = {
        "name": weights.name,
        "format": weights.format,
        "convention": asdict(convention),
        "solver": solver,
        "layers": [_layer(item, solver) for item in planned],
        "warnings": weights.warnings,
    }
    return strictjson.dumps(description)


def _layer(item: "PlannedLayer", solver: "SolverChoice") -> "dict[str, Any]":
    from dataclasses import asdict

    from htsr_ref.spectra.cost import estimate_cost

    layer = item.layer
    return {
        "name": layer.name,
        "tensor": layer.tensor,
        "role": layer.role,
        "axes": layer.axes,
        "shape": layer.shape,
        "dtype": layer.dtype,
        "decided": layer.decided,
        "skipped": item.skipped,
        "skip_code": item.skip_code,
        "matrices": [
            {
                "label": matrix.label,
                "N": matrix.N,
                "M": matrix.M,
                **asdict(estimate_cost(matrix, solver)),
            }
            for matrix in item.matrices
        ],
        "warnings": (*layer.warnings, *item.warnings),
    }
