"""The command `htsr`: its subcommands, and errors turned into exit codes."""

import io
import sys
from typing import Annotated

import typer

from htsr_ref.cli import (
    analyze,
    audit,
    conventions,
    convert,
    describe,
    diff,
    fit,
    output,
    rank,
    spectrum,
    synth,
    trend,
    validate,
)
from htsr_ref.errors import HtsrError
from htsr_ref.machine.blas import start_with_one_thread
from htsr_ref.version import __version__

EPILOG = (
    "Exit codes: 0 all is well; 1 a check failed (a gate, or a layer with bad data); "
    "2 bad input. Numbers go to standard output, everything else to standard error."
)

app = typer.Typer(
    name="htsr",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("analyze", epilog=analyze.EPILOG)(analyze.analyze)
app.command("describe", epilog=describe.EPILOG)(describe.describe)
app.command("convert", epilog=convert.EPILOG)(convert.convert)
app.command("spectrum", epilog=spectrum.EPILOG)(spectrum.spectrum)
app.command("fit", epilog=fit.EPILOG)(fit.fit)
app.command("rank", epilog=rank.EPILOG)(rank.rank)
app.command("trend", epilog=trend.EPILOG)(trend.trend)
app.command("audit", epilog=audit.EPILOG)(audit.audit)
app.command("diff", epilog=diff.EPILOG)(diff.diff)
app.command("synth", epilog=synth.EPILOG)(synth.synth)
app.command("validate", epilog=validate.EPILOG)(validate.validate)
app.add_typer(conventions.app, name="conventions")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"htsr {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Heavy-tailed self-regularization metrics of trained networks, from their weights alone.

    Example: htsr analyze model.safetensors
    """


def run() -> None:
    """Run the command line; an error made for people becomes one line and exit code 2.

    Spec: SCL-2, SCL-8.
    """
    start_with_one_thread()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 by definition; a file's name need not be Unicode at all.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    try:
        with output.ended_in_order():
            app(prog_name="htsr")
    except HtsrError as error:
        output.fail(f"error: {error}")
        sys.exit(2)
    except OSError as error:
        # Help and version are printed by typer. An error in opening names the file.
        if error.filename is not None:
            raise
        output.drop_standard_output()
        output.fail(f"error: standard output: cannot be written ({error.strerror})")
        sys.exit(2)
