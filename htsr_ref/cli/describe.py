"""`htsr describe`."""

from htsr_ref.cli import options, output

EPILOG = "Example: htsr describe model.safetensors --set min_dim=0"


def describe(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
    convention: options.ConventionOption = "paper",
    set_: options.SetOption = None,
    solver: options.SolverOption = "auto",
) -> None:
    """List what a file holds, how each layer was recognised, and what an analysis would cost.

    Reads headers only, however large the file.
    """
    chosen = options.convention_of(convention, set_)
    overrides = options.layers_of(layers)

    from htsr_ref.cli.tables import plan_table
    from htsr_ref.planning import plan
    from htsr_ref.weights import open_weights

    weights = open_weights(file, overrides)
    output.emit(plan_table(weights, plan(weights, chosen), chosen, solver), None)
