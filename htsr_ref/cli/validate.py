"""`htsr validate`."""

from dataclasses import replace
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
    """Check that a weight file is well formed, fits its manifest, and holds only finite numbers.

    Checksums are compared where the format has some (.npz). Exit code 1 if a tensor is bad.
    """
    overrides = options.layers_of(layers)

    from htsr_ref.analysis.bad_entries import find_bad_entries
    from htsr_ref.weights import open_weights
    from htsr_ref.weights.dtypes import is_decoded
    from htsr_ref.weights.layer import digest_of

    weights = open_weights(file, overrides)
    readable = tuple(layer for layer in weights.layers if is_decoded(layer.dtype))
    unread = [layer for layer in weights.layers if not is_decoded(layer.dtype)]
    bad = find_bad_entries(replace(weights, layers=readable))
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
    sound = f"all {'that can be read ' if unread else ''}well formed and finite"
    text = (
        f"{file}: {weights.format}, {output.count(len(weights.layers), 'tensor')}, {declared} "
        f"declared by a manifest; {f'faults: {len(bad)}' if bad else sound}"
    )
    output.emit(f"{output.one_line(text)}\n", None)
    warnings = [
        *weights.warnings,
        *(
            f"tensor {layer.tensor!r}: not checked: numbers of type {layer.dtype} are not decoded"
            for layer in unread
        ),
    ]
    for warning in warnings:
        output.fail(f"warning: {warning}")
    if bad:
        raise typer.Exit(1)
