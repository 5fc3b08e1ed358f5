"""`htsr convert`."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from htsr_ref.cli import options, output
from htsr_ref.cli.progress import amount_bar
from htsr_ref.text.lines import count, one_line

EPILOG = "Example: htsr convert model.pt -o model.safetensors"


def convert(
    file: options.WeightsArgument,
    out: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="OUT",
            help="File to write: HDF5 if it ends in .h5 or .hdf5, else safetensors.",
        ),
    ],
    layers: options.LayersOption = None,
    include: options.IncludeOption = None,
    exclude: options.ExcludeOption = None,
    dtype: Annotated[
        Literal["keep", "float32"],
        typer.Option(
            "--dtype", help="float32: round all floating-point numbers to it; keep: round none."
        ),
    ] = "keep",
    quiet: options.QuietOption = False,
) -> None:
    """Write weights as one file that says itself what every tensor is.

    Axes are canonical, quantized weights are decoded, and an analysis gives the same numbers.
    """
    output.check_writable(out, file, layers)
    output.check_weights_name(out)
    overrides = options.layers_of(layers)

    from htsr_ref.weights import convert as run
    from htsr_ref.weights import open_weights

    with amount_bar("reading") as show:
        done = run(
            open_weights(file, overrides),
            out,
            include=include,
            exclude=exclude,
            dtype=dtype,
            progress=show,
        )
    written = f"{one_line(str(out))}: {count(done.written, 'tensor')}"
    if output.is_standard_output(out):
        output.fail(written)
    else:
        output.emit(f"{written}\n", None)
    for reason, number in done.left_out.items():
        output.fail(f"{file}: left out: {count(number, 'tensor')}: {reason}")
    for tensor, reason in done.refused.items():
        output.fail(f"{file}: not decoded: {tensor}: {reason}")
    for tensor, number in done.not_finite.items():
        output.fail(f"{file}: bad data: {tensor}: {count(number, 'number')} not finite")
    if done.refused or done.not_finite:
        raise typer.Exit(1)
