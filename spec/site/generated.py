"""Pages' parts that are made from the package: interface, commands, conventions, metrics."""

import inspect
import re
from collections.abc import Iterable, Iterator
from typing import Any

import typer

import htsr_ref
from htsr_ref.cli.main import app
from htsr_ref.conventions import CITATIONS, CONVENTIONS, FIELDS
from htsr_ref.metric_table import METRICS
from htsr_ref.reports.markdown import value_text


def texts() -> dict[str, str]:
    """Return the Markdown that pages name as `{{ commands }}` and so on."""
    return {
        "commands": "\n\n".join(_commands()),
        "convention_names": _table(
            ("name", "follows"), ((f"`{name}`", CITATIONS[name]) for name in CONVENTIONS)
        ),
        "convention_fields": _table(
            ("field", "what is chosen", "spec", *(f"`{name}`" for name in CONVENTIONS)),
            (
                (
                    f"`{name}`",
                    field.meaning,
                    field.spec,
                    *(value_text(getattr(c, name)) for c in CONVENTIONS.values()),
                )
                for name, field in FIELDS.items()
            ),
        ),
        "errors": _directives(_public(lambda found: _is_class(found, Exception)), "autoexception"),
        "figures": _directives(_figures(), "autofunction", module="htsr_ref.plots"),
        "functions": _directives(_public(inspect.isfunction), "autofunction"),
        "metrics": _table(
            ("name", "meaning", "unit", "rests on", "averaged as", "spec"),
            (
                (
                    f"`{name}`",
                    metric.meaning,
                    metric.unit,
                    metric.stage,
                    f"`{metric.model_mean}`" if metric.model_mean else "",
                    metric.spec,
                )
                for name, metric in METRICS.items()
            ),
        ),
        "results": _directives(
            _public(lambda found: _is_class(found) and not _is_class(found, Exception)),
            "autoclass",
            ":members:",
        ),
    }


def _is_class(found: Any, base: type = object) -> bool:
    return inspect.isclass(found) and issubclass(found, base)


def _public(wanted: Any) -> list[str]:
    return [name for name in htsr_ref.__all__ if wanted(getattr(htsr_ref, name))]


def _figures() -> list[str]:
    from htsr_ref import plots

    return [name for name in plots.__all__ if inspect.isfunction(getattr(plots, name))]


def _directives(
    names: Iterable[str], directive: str, *options: str, module: str = "htsr_ref"
) -> str:
    """Document names of a module, in reStructuredText."""
    lines = ["```{eval-rst}", f".. currentmodule:: {module}"]
    for name in names:
        lines += ["", f".. {directive}:: {name}", *(f"   {option}" for option in options)]
    return "\n".join([*lines, "```"])


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [list(header), *map(list, rows)]
    lines = ["| " + " | ".join(map(_plain, row)) + " |" for row in cells]
    return "\n".join([lines[0], "|" + " --- |" * len(cells[0]), *lines[1:]])


def _plain(text: str) -> str:
    """Escape what Markdown would read in text, but for code."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([*_<\[\]|\\])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)


def _commands() -> Iterator[str]:
    """Say in Markdown what the help of the whole and of each command says."""
    top = typer.main.get_command(app)
    context = top.context_class(top, info_name="htsr")
    yield from _help(top, context)


def _help(command: Any, context: Any) -> Iterator[str]:
    yield f"## {context.command_path}"
    yield f"```text\n{command.get_usage(context).removeprefix('Usage: ')}\n```"
    yield _plain(inspect.cleandoc(command.help or ""))
    yield _plain(command.epilog or "")
    groups: dict[str, list[str]] = {}
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record and "--help" not in parameter.opts:
            group = parameter.rich_help_panel or ""
            groups.setdefault(group, []).append(f"`{record[0]}`\n: {_plain(record[1])}")
    for group, entries in groups.items():
        yield f"**{group}**" if group else ""
        yield "\n\n".join(entries)
    for name in getattr(command, "commands", ()):
        inner = command.get_command(context, name)
        yield from _help(inner, inner.context_class(inner, info_name=name, parent=context))
