"""`htsr validate`."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from htsr_ref.cli import options, output

EPILOG = "Example: htsr validate model.safetensors"


def validate(
    file: options.WeightsArgument,
    layers: options.LayersOption = None,
    keep_converted: options.KeepOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    source: Annotated[
        list[Path] | None,
        typer.Option(
            "--source",
            metavar="FILE",
            help="A file that it was converted from: compare its digest with the manifest's. "
            "Repeat it for each of several files.",
        ),
    ] = None,
    quiet: options.QuietOption = False,
) -> None:
    """Check that a weight file is well formed, fits its manifest, and holds only finite numbers.

    Checksums are compared where the format has some (.npz). Exit code 1 if a tensor is bad.
    """
    output.check_writable(keep_converted, file, layers)
    overrides = options.layers_of(layers)

    from htsr_ref.analysis.validation import validate as run
    from htsr_ref.weights import open_weights
    from htsr_ref.weights.remote.addresses import shown_address

    weights = open_weights(file, overrides, keep_converted=keep_converted)
    found = run(weights, include=include, exclude=exclude, made_from=source or ())
    for fault in found.faults:
        output.fail(fault)
    output.emit(f"{replace(found, name=shown_address(file))}\n", None)
    for warning in found.warnings:
        output.fail(f"warning: {warning}")
    if found.faults:
        raise typer.Exit(1)
