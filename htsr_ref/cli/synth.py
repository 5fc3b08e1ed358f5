"""`htsr synth`."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer

from htsr_ref.cli import output
from htsr_ref.errors import HtsrError

EPILOG = (
    "Example: htsr synth --ensemble pareto --mu 1.5 --shape 512x256 --layers 4 --seed 0 "
    "synthetic.safetensors"
)

Number = TypeVar("Number", int, float)

_NAMES = (
    "gaussian",
    "pareto",
    "levy-stable",
    "student-t",
    "spiked",
    "prescribed",
    "power-law",
    "gaussian-with-heavy-part",
    "low-rank-plus-noise",
    "correlated-rows",
)


def _parameter(name: str, text: str) -> Any:
    return typer.Option(
        f"--{name}", metavar="NUMBER", help=text, rich_help_panel="Parameters of the ensemble"
    )


def _list(name: str, text: str) -> Any:
    return typer.Option(
        f"--{name}", metavar="A,B,…", help=text, rich_help_panel="Parameters of the ensemble"
    )


def synth(
    path: Annotated[
        Path,
        typer.Argument(
            metavar="OUT", help="File to write: .safetensors, or .h5 or .hdf5 for HDF5."
        ),
    ],
    ensemble: Annotated[
        str,
        typer.Option(
            "--ensemble",
            metavar="NAME",
            autocompletion=lambda: list(_NAMES),
            help=f"What to draw: {', '.join(_NAMES)}.",
        ),
    ],
    shape: Annotated[
        str, typer.Option("--shape", metavar="OUTxIN", help="Shape of every layer, as stored.")
    ],
    layers: Annotated[
        int,
        typer.Option(
            "--layers",
            metavar="N",
            min=1,
            help="Number of layers; alpha of Pareto entries can be contradicted from four on.",
        ),
    ] = 1,
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help="Seed of the draws.")] = 0,
    mu: Annotated[
        float | None, _parameter("mu", "Tail index: pareto, levy-stable, gaussian-with-heavy-part.")
    ] = None,
    dof: Annotated[float | None, _parameter("dof", "Degrees of freedom: student-t.")] = None,
    alpha: Annotated[float | None, _parameter("alpha", "Exponent: power-law.")] = None,
    xmin: Annotated[float | None, _parameter("xmin", "Least eigenvalue (1): power-law.")] = None,
    rho: Annotated[float | None, _parameter("rho", "Correlation: correlated-rows.")] = None,
    rank: Annotated[
        int | None, _parameter("rank", "Number of signals: low-rank-plus-noise.")
    ] = None,
    strength: Annotated[
        float | None, _parameter("strength", "Size of the signals (2): low-rank-plus-noise.")
    ] = None,
    weight: Annotated[
        float | None,
        _parameter("weight", "Scale of the heavy part (0.1): gaussian-with-heavy-part."),
    ] = None,
    scale: Annotated[
        float | None, _parameter("scale", "Scale (1): pareto, levy-stable, student-t.")
    ] = None,
    sigma: Annotated[
        float | None,
        _parameter(
            "sigma",
            "Deviation of normal entries (1): all ensembles that have some.",
        ),
    ] = None,
    spikes: Annotated[str | None, _list("spikes", "Excess of the covariance: spiked.")] = None,
    singular_values: Annotated[
        str | None, _list("singular-values", "As many as the shorter side: prescribed.")
    ] = None,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace OUT even if `htsr synth` did not write it."),
    ] = False,
) -> None:
    """Write a weight file of random matrices whose numbers are known beforehand.

    What is known is written into the file; `htsr analyze OUT --expect` compares.
    """
    given = {
        "mu": mu,
        "dof": dof,
        "alpha": alpha,
        "xmin": xmin,
        "rho": rho,
        "rank": rank,
        "strength": strength,
        "weight": weight,
        "scale": scale,
        "sigma": sigma,
        "spikes": _split(spikes, ",", float, "--spikes"),
        "singular_values": _split(singular_values, ",", float, "--singular-values"),
    }
    sides = _split(shape.lower(), "x", int, "--shape") or []
    if len(sides) != 2:
        raise HtsrError(f"--shape {shape}: write two whole numbers, such as 512x256")
    output.check_writable(path)
    output.check_weights_name(path.resolve())

    from htsr_ref.synthetic.writing import synth as run

    parameters = {name: value for name, value in given.items() if value is not None}
    run(
        path,
        ensemble,
        (sides[0], sides[1]),
        layers=layers,
        seed=seed,
        force=force,
        **parameters,
    )


def _split(
    text: str | None, mark: str, kind: Callable[[str], Number], option: str
) -> list[Number] | None:
    if text is None:
        return None
    try:
        return [kind(part) for part in text.split(mark)]
    except ValueError:
        raise HtsrError(f"{option} {text}: write numbers with {mark} between them") from None
