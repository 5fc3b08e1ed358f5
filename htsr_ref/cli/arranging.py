"""How the help of a command is laid out: options in groups, flags without a type."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

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


class Command(TyperCommand):
    """A command whose help is arranged so."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arrange the parameters that help and parser take."""
        return _arranged(super().get_params(ctx))


class Commands(TyperGroup):
    """A group of commands; options of its own are few and stay together."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Arrange the parameters that help and parser take."""
        return _arranged(super().get_params(ctx))


def _arranged(params: list[Any]) -> list[Any]:
    for param in params:
        if getattr(param, "is_flag", False):
            param.metavar = ""
        if param.name in GROUP_OF and getattr(param, "rich_help_panel", None) is None:
            param.rich_help_panel = GROUP_OF[param.name]
    return params
