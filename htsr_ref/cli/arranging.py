"""How the help of a command is laid out: options in groups, flags without a type."""

from collections.abc import Mapping
from copy import copy
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

_GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "What is analyzed": (
            *("manifest", "minus", "base", "layers", "include", "exclude", "keep_converted"),
            *("key", "matrix", "source", "column", "map_", "everything"),
        ),
        "Whose choices": ("convention", "set_", "solver", "xmin", "ks", "law", "changes"),
        "When it ends": ("once", "until", "interval"),
        "Tests and intervals": (
            *("gof", "compare", "null", "shuffles", "replicas", "resamples", "seed"),
        ),
        "What makes the exit code 1": ("fail_if", "fail_if_changed", "expect", "allow_skipped"),
        "The machine": (
            *("jobs", "blas_threads", "max_memory", "dask", "part"),
            *("cache", "cache_size"),
        ),
        "Output": (
            "out",
            "skip_existing",
            "resume",
            "digest",
            "json",
            "csv",
            "markdown",
            "per",
            "columns",
            "sort",
            "skipped",
            "spark",
            "plot",
            "reports",
            "quiet",
        ),
    }
)
"""Parameters of commands by the group that their help shows them in."""

GROUP_OF = MappingProxyType({name: group for group, names in _GROUPS.items() for name in names})


UsageError: type[Exception] = typer.BadParameter.__bases__[0]
"""What typer raises where the command line breaks its rules."""


class _Arranged:
    """What every command does differently from typer's."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arrange the parameters that help and parser take."""
        return _arranged(super().get_params(ctx))  # type: ignore[misc]  # of typer's class beside

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Let an error about an option know the command, whose help is then named."""
        try:
            return super().parse_args(ctx, args)  # type: ignore[misc, no-any-return]  # as above
        except UsageError as error:
            if getattr(error, "ctx", None) is None:
                error.ctx = ctx  # type: ignore[attr-defined]  # typer's name of its type is private
            raise

    def format_help(self, ctx: Any, formatter: Any) -> None:
        """Show every word as it stands: no brackets as markup, no breaks inside a paragraph."""
        shown: Any = copy(self)
        shown.help = _literal("\n\n".join(map(_joined, (shown.help or "").split("\n\n"))))
        shown.epilog = _literal(shown.epilog)
        shown.params = [_with_help(param) for param in shown.params]
        super(_Arranged, shown).format_help(ctx, formatter)  # type: ignore[misc]  # as above


class Command(_Arranged, TyperCommand):
    """A command whose help is arranged so."""


class Commands(_Arranged, TyperGroup):
    """A group of commands; options of its own are few and stay together."""


def _joined(paragraph: str) -> str:
    return " ".join(paragraph.split())


def _literal(text: str | None) -> str:
    """Escape what would be taken as markup."""
    from rich.markup import escape

    return escape(text or "")


def _with_help(param: Any) -> Any:
    """Copy a parameter, whose help is not markup."""
    shown = copy(param)
    shown.help = _literal(param.help)
    return shown


def _arranged(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        if param.param_type_name == "argument":
            # The word for an argument says what it is; its type in Python says nothing more.
            param.display_type = lambda ctx: ""
        if param.name in GROUP_OF and getattr(param, "rich_help_panel", None) is None:
            param.rich_help_panel = GROUP_OF[param.name]
    return params
