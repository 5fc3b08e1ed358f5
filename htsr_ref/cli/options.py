"""Options that several commands share."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from htsr_ref.cli import output
from htsr_ref.cli.completing import layer_names
from htsr_ref.conventions import CONVENTIONS, DEFAULT, FIELDS, Convention, get_convention
from htsr_ref.errors import ConventionError, HtsrError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.analysis.resources import Resources


def complete_set(incomplete: str) -> list[str]:
    """Offer fields, and values of a field, for --set."""
    name, equals, _ = incomplete.partition("=")
    if not equals:
        alike = [field for field in FIELDS if field.startswith(incomplete)]
        if len(alike) != 1 or not FIELDS[alike[0]].values:
            return [f"{field}=" for field in alike]
        name = alike[0]
    return [f"{name}={value}" for value in FIELDS[name].values] if name in FIELDS else []


def complete_gate(incomplete: str) -> list[str]:
    """Offer numbers of a model, and of a layer, for --fail-if."""
    from htsr_ref.metric_table import MEAN_FIELDS
    from htsr_ref.reports.gates import GATED, OF_LAYER

    return [f"{name}>" for name in (*GATED, *(OF_LAYER + name for name in MEAN_FIELDS))]


def convention_option(text: str) -> Any:
    """Make the option --convention of a command; `text` is its help."""
    return typer.Option(
        "--convention",
        metavar="NAME|FILE",
        autocompletion=lambda: list(CONVENTIONS),
        help=text,
    )


WEIGHTS_HELP = (
    "A weight file or folder: safetensors, HDF5, .npz, .npy, or what PyTorch, Keras, TensorFlow "
    "(also Lite and .js), ONNX, JAX, GGUF, Paddle, skops or MATLAB wrote; or the address of "
    "safetensors files: hf://org/model, https://, s3://, gs://."
)
WeightsArgument = Annotated[str, typer.Argument(metavar="FILE", help=WEIGHTS_HELP)]
LayersOption = Annotated[
    Path | None,
    typer.Option(
        "--layers",
        metavar="MAP.json",
        help="What you know better than the file: "
        '{"layer, tensor or glob": {"role": "weight", "axes": ["in", "out"]}}.',
    ),
]
KeepOption = Annotated[
    Path | None,
    typer.Option(
        "--keep-converted",
        metavar="PATH",
        help="Keep there, as safetensors or HDF5, what a script of converters/ makes of FILE. "
        "Of several files, `htsr convert` writes each.",
    ),
]
IncludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--include",
        metavar="GLOB",
        autocompletion=layer_names,
        help="Analyze only layers or tensors whose name matches, such as 'layers.0.*'. Repeatable.",
    ),
]
ExcludeOption = Annotated[
    list[str] | None,
    typer.Option(
        "--exclude",
        metavar="GLOB",
        autocompletion=layer_names,
        help="Leave out layers or tensors whose name matches. Repeatable.",
    ),
]
ConventionOption = Annotated[
    str,
    convention_option(
        "Whose choices to follow: see `htsr conventions`, or your own .toml or .json file."
    ),
]
OptionalConventionOption = Annotated[
    str | None,
    convention_option(
        f"Whose choices to follow, {DEFAULT} by default: see `htsr conventions`, or your own "
        ".toml or .json file."
    ),
]
SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        autocompletion=complete_set,
        help="Change one choice of the convention, such as min_dim=0. Repeatable.",
    ),
]
SolverOption = Annotated[
    Literal["auto", "gram", "svd"],
    typer.Option(
        "--solver",
        help="gram: eigenvalues of WᵀW; svd: squared singular values; "
        "auto: svd for float64 weights, gram for narrower ones.",
    ),
]
JobsOption = Annotated[
    int | None,
    typer.Option(
        "--jobs",
        metavar="N",
        min=1,
        help="Layers that are analyzed side by side; by default as many as there are cores that "
        "may be used. The numbers do not depend on it.",
    ),
]
BlasThreadsOption = Annotated[
    int,
    typer.Option(
        "--blas-threads",
        metavar="N",
        min=1,
        help="Threads for each matrix, for a few huge ones. More than 1 may change last digits.",
    ),
]
DaskOption = Annotated[
    str | None,
    typer.Option(
        "--dask",
        metavar="ADDRESS|local",
        help="Have layers analyzed by a Dask cluster whose workers reach the same files: the "
        "address of its scheduler, or local for one of this machine's cores. Needs htsr-ref[dask].",
    ),
]
MaxMemoryOption = Annotated[
    str | None,
    typer.Option(
        "--max-memory",
        metavar="SIZE",
        help="Memory that layers may take together, such as 800M or 12G; by default 80 % of what "
        "is free. A layer that needs more is skipped.",
    ),
]
CacheOption = Annotated[
    Path | None,
    typer.Option(
        "--cache",
        metavar="DIR",
        envvar="HTSR_CACHE",
        help="Keep eigenvalues in this folder and take them from there the next time, also for "
        "another convention, another command or a figure. It is made if it is not there.",
    ),
]
CacheSizeOption = Annotated[
    str | None,
    typer.Option(
        "--cache-size",
        metavar="SIZE",
        envvar="HTSR_CACHE_SIZE",
        help="What the folder of --cache may take, such as 500M, 10G by default; what "
        "was used the longest ago goes first.",
    ),
]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Write there instead of to standard output; .json, .csv and .md choose the form.",
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with what an interrupted run with the same options has finished; it is in "
        "PATH.journal, beside the output.",
    ),
]
TextOrJsonOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="PATH",
        help="Write there instead of to standard output; .json chooses the form.",
    ),
]
TextOption = Annotated[
    Path | None,
    typer.Option(
        "--output", "-o", metavar="PATH", help="Write the text there, not to standard output."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON.")]
CsvOption = Annotated[bool, typer.Option("--csv", help="Write CSV.")]
MarkdownOption = Annotated[bool, typer.Option("--markdown", help="Write Markdown.")]


PerOption = Annotated[
    Literal["matrix", "layer"] | None,
    typer.Option("--per", help="Rows of the CSV; one per matrix by default."),
]
ColumnsOption = Annotated[
    str,
    typer.Option(
        "--columns",
        metavar="NAME,...",
        help="Columns of the table, such as layer,alpha,verdict; of a CSV, own or weightwatcher "
        "names them.",
    ),
]
DescribedColumnsOption = Annotated[
    str | None,
    typer.Option(
        "--columns", metavar="NAME,...", help="Columns of the table, such as layer,role,shape."
    ),
]
SortOption = Annotated[
    str,
    typer.Option(
        "--sort",
        metavar="NAME",
        help="Column by which the table is sorted, such as alpha, or -alpha for the largest first.",
    ),
]
SkippedOption = Annotated[
    bool,
    typer.Option(
        "--skipped", help="Name on a terminal, too, every layer left out, and write every warning."
    ),
]
FailIfOption = Annotated[
    list[str] | None,
    typer.Option(
        "--fail-if",
        metavar="'NAME OP NUMBER'",
        autocompletion=complete_gate,
        help="Exit with 1 if a number of the model says so, such as 'alpha_hat>3', or one of a "
        "layer, such as 'layer:alpha>6'. Repeatable.",
    ),
]
AllowSkippedOption = Annotated[
    bool,
    typer.Option("--allow-skipped", help="Exit with 0 even if a layer is bad or not understood."),
]
QuietOption = Annotated[
    bool,
    typer.Option(
        "--quiet",
        "-q",
        callback=output.be_quiet,
        help="Say nothing on standard error but errors; the exit code tells the rest.",
    ),
]


def check_columns(form: output.Form, per: str | None, columns: str) -> None:
    """Refuse options of a CSV where none is written, and columns of a table where that is not."""
    if columns == "weightwatcher" and form != "csv":
        raise HtsrError("--columns names the columns of a CSV. Add --csv")
    if columns not in ("own", "weightwatcher") and form != "table":
        raise HtsrError(
            f"--columns {columns}: names choose the columns of the table; {form} has all of them"
        )
    if per is not None and (form != "csv" or columns == "weightwatcher"):
        raise HtsrError("--per chooses the rows of a CSV with our columns. Add --csv")


def convention_of(name: str, overrides: list[str] | None) -> Convention:
    """Build the convention that --convention and --set ask for."""
    changes = {}
    for text in overrides or []:
        field, equals, value = text.partition("=")
        if not equals:
            raise ConventionError(f"--set {text!r}: write FIELD=VALUE, such as --set min_dim=0")
        changes[field.strip()] = value.strip()
    found = get_convention(name)
    return found.override(changes) if changes else found


def resources_of(jobs: int | None, blas_threads: int, max_memory: str | None) -> Resources:
    """Read what --jobs, --blas-threads and --max-memory leave to an analysis."""
    from htsr_ref.analysis.resources import Resources

    return Resources(
        jobs, blas_threads, None if max_memory is None else bytes_of(max_memory, "--max-memory")
    )


def bytes_of(text: str, option: str) -> int:
    """Read the size in bytes, or in decimal units, that an option is given.

    >>> bytes_of("800M", "--max-memory"), bytes_of("1.5 GB", "--max-memory")
    (800000000, 1500000000)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([KMGT]?)B?", text.strip(), re.IGNORECASE)
    size = 0.0 if found is None else float(found[1]) * _UNITS[found[2].upper()]
    if not 1 <= size < math.inf:
        raise HtsrError(f"{option} {text!r:.40}: give a size, such as 800M or 12G")
    return int(size)


_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


def layers_of(path: Path | None) -> Mapping[str, Mapping[str, Any]] | None:
    """Read the file that --layers names."""
    if path is None:
        return None
    from htsr_ref.text import strictjson
    from htsr_ref.text.reading import read_bytes

    try:
        found = strictjson.loads(read_bytes(path))
    except OSError as error:
        raise HtsrError(f"{path}: cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise HtsrError(f"{path}: is not JSON ({error})") from error
    if not isinstance(found, dict) or not all(isinstance(v, dict) for v in found.values()):
        raise HtsrError(
            f'{path}: a map of layers is an object of objects, {{"fc*": {{"role": "weight"}}}}'
        )
    return found
