"""Models of scikit-learn in skops files: the arrays that their schema names."""

import re
from collections.abc import Iterator
from typing import Any

from common.errors import ConversionError
from common.facts import Facts
from common.names import NameBudget, width

MAX_DEPTH = 64


def arrays(schema: Any) -> Iterator[tuple[str, str]]:
    """Names of a schema's arrays, made of attributes and indices, and the members they are in.

    Raises
    ------
    ConversionError
        If the schema is nested too deeply.
    """
    waiting: list[tuple[tuple[str, ...], Any]] = [((), schema)]
    names = NameBudget()
    while waiting:
        path, node = waiting.pop()
        if len(path) > MAX_DEPTH:
            raise ConversionError(f"it is nested deeper than {MAX_DEPTH}", "Save a smaller part")
        if not isinstance(node, dict):
            continue
        content = node.get("content")
        if node.get("type") == "numpy" and isinstance(node.get("file"), str):
            names.spend(sum(map(width, path)))
            yield ".".join(path), node["file"]
        elif isinstance(content, list):
            waiting += reversed([((*path, str(at)), item) for at, item in enumerate(content)])
        elif isinstance(content, dict):
            # The content of an object is its dictionary, whose content are its attributes.
            is_object = "__class__" in content
            items = [("", content)] if is_object else list(content.items())
            waiting += reversed([((*path, name) if name else path, item) for name, item in items])


def facts(name: str, ndim: int) -> Facts | None:
    """Say what scikit-learn's documentation says of an attribute; None for a private one."""
    *_, attribute = [part for part in name.split(".") if not part.isdigit()] or [name]
    if re.search(r"(^|\.)_", name):
        return None
    if attribute == "coefs_" and ndim == 2:
        return Facts("weight", "scikit-learn coefs_ (in, out)", ("in", "out"))
    if attribute == "coef_" and ndim == 2:
        return Facts("weight", "scikit-learn coef_ (out, in)", ("out", "in"))
    if attribute in ("intercept_", "intercepts_"):
        return Facts("bias", "scikit-learn intercept")
    return Facts("buffer", "not the weights of a layer")
