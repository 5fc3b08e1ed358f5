"""The command `htsr`: its subcommands, and errors turned into exit codes."""

import io
import sys
from typing import Annotated

import typer

from htsr_ref.cli import (
    analyze,
    audit,
    cache,
    conventions,
    convert,
    describe,
    diff,
    fit,
    merge,
    output,
    rank,
    report,
    show,
    spectrum,
    synth,
    trend,
    validate,
    watch,
)
from htsr_ref.cli.arranging import Command, Commands, UsageError
from htsr_ref.cli.completing import words_of_bash
from htsr_ref.errors import HtsrError
from htsr_ref.machine.blas import start_with_one_thread
from htsr_ref.version import __version__

EPILOG = (
    "Exit codes: 0 all is well; 1 a check failed (a gate, or a layer with bad data); "
    "2 bad input. Numbers go to standard output, everything else to standard error."
)

app = typer.Typer(
    name="htsr",
    cls=Commands,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for function, epilog in (
    (analyze.analyze, analyze.EPILOG),
    (merge.merge, merge.EPILOG),
    (describe.describe, describe.EPILOG),
    (show.show, show.EPILOG),
    (convert.convert, convert.EPILOG),
    (spectrum.spectrum, spectrum.EPILOG),
    (fit.fit, fit.EPILOG),
    (rank.rank, rank.EPILOG),
    (report.report, report.EPILOG),
    (trend.trend, trend.EPILOG),
    (watch.watch, watch.EPILOG),
    (audit.audit, audit.EPILOG),
    (diff.diff, diff.EPILOG),
    (synth.synth, synth.EPILOG),
    (validate.validate, validate.EPILOG),
    (cache.cache, cache.EPILOG),
):
    app.command(function.__name__, epilog=epilog, cls=Command)(function)
app.add_typer(conventions.app, name="conventions")


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"htsr {__version__}")
        raise typer.Exit


@app.callback(epilog=EPILOG)
def main(
    context: typer.Context,
    version: Annotated[
        bool,
        typer.Option(
            "--version", "-V", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Heavy-tailed self-regularization metrics of trained networks, from their weights alone.

    Example: htsr analyze model.safetensors
    """
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())
        raise typer.Exit(2)


@app.command("help", epilog="Example: htsr help analyze", cls=Command)
def help_(
    command: Annotated[
        list[str] | None, typer.Argument(metavar="COMMAND", help="The command, such as analyze.")
    ] = None,
) -> None:
    """Show the help of a command; without one, that of the whole."""
    raise typer.Exit(_called([*(command or []), "--help"]))


def _called(arguments: list[str] | None = None) -> int:
    """Run a command line and return its exit code."""
    return app(arguments, prog_name="htsr", standalone_mode=False) or 0


def _usage(error: Exception) -> str:
    """Say in one line what is wrong with a command line, and where its rules are."""
    message = str(getattr(error, "format_message", lambda: error)()).replace("Value error, ", "")
    end = "" if message.endswith((".", "?")) else "."
    context = getattr(error, "ctx", None)
    path = "htsr" if context is None else context.command_path
    return f"{message}{end} Usage: `{path} --help` shows it"


def run() -> None:
    """Run the command line; an error made for people becomes one line and exit code 2.

    Spec: SCL-2, SCL-8.
    """
    start_with_one_thread()
    if isinstance(sys.stdout, io.TextIOWrapper):
        # JSON is UTF-8 by definition; a file's name need not be Unicode at all.
        sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")
    output.be_quiet(False)
    try:
        with output.ended_in_order(), words_of_bash():
            code = _called()
        sys.exit(code)
    except UsageError as error:
        output.fail(f"error: {_usage(error)}")
        sys.exit(2)
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
