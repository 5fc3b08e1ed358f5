"""`htsr conventions`."""

from typing import Annotated

import typer

from htsr_ref.cli.arranging import Command, Commands
from htsr_ref.cli.output import emit
from htsr_ref.conventions import CITATIONS, CONVENTIONS, FIELDS, Convention, get_convention

app = typer.Typer(
    cls=Commands,
    invoke_without_command=True,
    help="List the shipped conventions, show one, or compare two.",
    epilog="Example: htsr conventions diff sdm2020 weightwatcher",
)
Name = Annotated[str, typer.Argument(metavar="NAME|FILE", autocompletion=lambda: list(CONVENTIONS))]


@app.callback()
def list_conventions(context: typer.Context) -> None:
    """List the shipped conventions and what each follows."""
    if context.invoked_subcommand is None:
        list_all()


@app.command("list", epilog="Example: htsr conventions list", cls=Command)
def list_all() -> None:
    """List the shipped conventions and what each follows."""
    width = max(map(len, CONVENTIONS))
    lines = [f"{name.ljust(width)}  {CITATIONS[name]}\n" for name in CONVENTIONS]
    emit("".join(lines), None)


@app.command("show", epilog="Example: htsr conventions show weightwatcher", cls=Command)
def show(name: Name) -> None:
    """Show every field of a convention: its value, its meaning and source, the legal values."""
    convention = get_convention(name)
    blocks = []
    for field_name, field in FIELDS.items():
        value = getattr(convention, field_name)
        explained = field.explain(value)
        blocks.append(
            f"{field_name} = {_text(convention, field_name)}\n"
            f"    {field.meaning}{f': {explained}' if explained else ''}\n"
            f"    {field.spec}; legal: {field.legal}\n"
        )
    source = CITATIONS.get(convention.name, f"read from {name}")
    emit(f"{convention.name}: {source}\n\n{''.join(blocks)}", None)


@app.command("diff", epilog="Example: htsr conventions diff sdm2020 weightwatcher", cls=Command)
def diff(first: Name, second: Name) -> None:
    """Show the choices in which two conventions differ, side by side."""
    from htsr_ref.text.layout import PROSE_WIDTH, Layout
    from htsr_ref.text.table import text_table

    left, right = get_convention(first), get_convention(second)
    differing = [name for name in FIELDS if getattr(left, name) != getattr(right, name)]
    header = ["field", left.name, right.name, "what is chosen"]
    if differing:
        rows = [
            [name, _text(left, name), _text(right, name), FIELDS[name].meaning]
            for name in differing
        ]
        layout = Layout(Layout.here().width or PROSE_WIDTH)
        emit(f"{text_table(header, rows, flexible=(1, 2, 3), layout=layout)}\n", None)
    else:
        emit("no field differs\n", None)


def _text(convention: Convention, field_name: str) -> str:
    from htsr_ref.reports.markdown import value_text

    return value_text(getattr(convention, field_name))
