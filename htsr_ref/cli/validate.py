"""`htsr validate`."""

import typer

from htsr_ref.cli import options, output

EPILOG = "Example: htsr validate model.safetensors"


def validate(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
) -> None:
    """Check that a weight file is well formed, fits its manifest, and holds only finite numbers."""
    overrides = options.layers_of(layers)

    from htsr_ref.bad_entries import find_bad_entries
    from htsr_ref.weights import open_weights

    weights = open_weights(file, overrides)
    bad = find_bad_entries(weights)
    for message in bad:
        output.fail(message)
    declared = sum(layer.decided.startswith("declared") for layer in weights.layers)
    output.emit(
        f"{file}: {weights.format}, {len(weights.layers)} tensors, {declared} declared by a "
        f"manifest; {f'{len(bad)} with bad data' if bad else 'all well formed and finite'}\n",
        None,
    )
    for text in weights.warnings:
        output.fail(f"warning: {text}")
    if bad:
        raise typer.Exit(1)
