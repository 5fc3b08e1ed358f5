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
) -> None:
    """Check that a weight file is well formed, fits its manifest, and holds only finite numbers.

    Checksums are compared where the format has some (.npz). Exit code 1 if a tensor is bad.
    """
    output.check_writable(keep_converted, file, layers)
    overrides = options.layers_of(layers)

    from htsr_ref.analysis.bad_entries import find_bad_entries
    from htsr_ref.weights import open_weights, select
    from htsr_ref.weights.layer import digest_of
    from htsr_ref.weights.selection import NOT_CHOSEN

    weights = select(open_weights(file, overrides, keep_converted=keep_converted), include, exclude)
    chosen = [layer for layer in weights.layers if layer.left_out != NOT_CHOSEN]
    readable = tuple(layer for layer in chosen if layer.data.is_readable)
    unread = [layer for layer in chosen if not layer.data.is_readable]
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
    from_file = sum(layer.decided.startswith("stated") for layer in chosen)
    sound = f"all {'that can be read ' if unread else ''}well formed and finite"
    text = (
        f"{file}: {weights.format}, {output.count(len(chosen), 'tensor')}, {from_file} "
        f"stated by the file; {f'faults: {len(bad)}' if bad else sound}"
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
