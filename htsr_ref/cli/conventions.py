"""`htsr conventions`."""

from typing import Annotated

import typer

from htsr_ref.cli.output import emit
from htsr_ref.conventions import CITATIONS, CONVENTIONS, FIELDS, get_convention

app = typer.Typer(
    invoke_without_command=True,
    help="List the shipped conventions, or show every choice of one.",
    epilog="Example: htsr conventions show paper",
)


@app.callback()
def list_conventions(context: typer.Context) -> None:
    """List the shipped conventions and what each follows."""
    if context.invoked_subcommand is None:
        emit("".join(f"{name}  {CITATIONS[name]}\n" for name in CONVENTIONS), None)


@app.command("show", epilog="Example: htsr conventions show paper")
def show(
    name: Annotated[str, typer.Argument(autocompletion=lambda: list(CONVENTIONS))],
) -> None:
    """Show every field of a convention: its value, meaning, requirement and legal values."""
    from htsr_ref.markdown import value_text

    convention = get_convention(name)
    blocks = [
        f"{field_name} = {value_text(getattr(convention, field_name))}\n"
        f"    {field.meaning} ({field.spec}); legal: {field.values}\n"
        for field_name, field in FIELDS.items()
    ]
    emit(f"{name}: {CITATIONS[name]}\n\n{''.join(blocks)}", None)
