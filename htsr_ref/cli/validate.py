"""`htsr validate`."""

from pathlib import Path
from typing import Annotated

import typer

from htsr_ref.cli import options, output
from htsr_ref.errors import HtsrError

EPILOG = "Example: htsr validate model.safetensors"


def validate(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source",
            metavar="FILE",
            help="A file that it was converted from: compare its digest with the manifest's. "
            "Repeat it for each of several files.",
        ),
    ] = None,
) -> None:
    """Check that a weight file is well formed, fits its manifest, and holds only finite numbers."""
    overrides = options.layers_of(layers)

    from htsr_ref.bad_entries import find_bad_entries
    from htsr_ref.weights import open_weights
    from htsr_ref.weights.layer import digest_of

    weights = open_weights(file, overrides)
    bad = find_bad_entries(weights)
    if source:
        stated = (weights.source or {}).get("sha256")
        if stated is None:
            raise HtsrError(f"{file}: its manifest does not say what it was made from")
        if digest_of(sorted(source)) != stated:
            names = ", ".join(map(str, source))
            bad.append(f"it was not made from {names} as it is now: the digest differs")
    for message in bad:
        output.fail(message)
    declared = sum(layer.decided.startswith("declared") for layer in weights.layers)
    output.emit(
        f"{file}: {weights.format}, {len(weights.layers)} tensors, {declared} declared by a "
        f"manifest; {f'faults: {len(bad)}' if bad else 'all well formed and finite'}\n",
        None,
    )
    for text in weights.warnings:
        output.fail(f"warning: {text}")
    if bad:
        raise typer.Exit(1)
