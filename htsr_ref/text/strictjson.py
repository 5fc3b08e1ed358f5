"""JSON as weight files and reports may hold it: no duplicate keys, no NaN, no broken Unicode."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def loads(text: str | bytes) -> Any:
    """Parse JSON, refusing what readers disagree about.

    Raises
    ------
    ValueError
        If the text is not UTF-8 or not JSON, has a key twice in one object, holds NaN, an
        infinity or half of a surrogate pair, or is nested too deeply to be parsed.

    Spec: FMT-2, FMT-8.

    >>> loads('{"a": [1, 2]}')
    {'a': [1, 2]}
    >>> loads('{"a": 1, "a": 2}')
    Traceback (most recent call last):
    ...
    ValueError: the key 'a' appears twice
    """
    if isinstance(text, bytes):
        text = text.decode("utf-8")
    try:
        value = json.loads(text, object_pairs_hook=_unique, parse_constant=_refuse)
        if "\\u" in text:
            json.dumps(value, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise ValueError(f"the key {key!r} appears twice")
            seen.add(key)
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def dumps(value: Any) -> str:
    r"""Write JSON as reports are written: one line per value, all characters as they are.

    Dataclasses are written as objects of their fields, tuples as arrays.

    Raises
    ------
    ValueError
        If the value holds NaN or an infinity.
    TypeError
        If it holds what JSON has no form for.

    Spec: RPT-1.

    >>> dumps({"a": [1, None]})
    '{\n "a": [\n  1,\n  null\n ]\n}\n'
    """
    text = _Text()
    _write(value, "\n", text.add)
    text.add("\n")
    return text.joined()


class _Text:
    """A text put together from parts, which are joined as they come: many take much memory."""

    def __init__(self) -> None:
        self._joined: list[str] = []
        self._parts: list[str] = []

    def add(self, part: str) -> None:
        self._parts.append(part)
        if len(self._parts) == _PARTS:
            self._joined.append("".join(self._parts))
            self._parts.clear()

    def joined(self) -> str:
        return "".join([*self._joined, *self._parts])


def _write(value: Any, line: str, add: Callable[[str], object]) -> None:
    """Add the parts of a value's text; `line` ends a line and indents the next as the value is.

    The encoder of `json` is written in C for text on one line alone.
    """
    kind = type(value)
    if kind is float and math.isfinite(value):
        add(float.__repr__(value))
    elif kind is str:
        add(encode_basestring(value))
    elif value is None or kind in (int, bool, float):
        add(_ENCODE(value))
    elif is_dataclass(kind):
        _write_object(((name, getattr(value, name)) for name in field_names(kind)), line, add)
    elif isinstance(value, Mapping):
        _write_object(value.items(), line, add)
    elif isinstance(value, list | tuple):
        if not value:
            add("[]")
            return
        inner, before = f"{line} ", "["
        for item in value:
            add(f"{before}{inner}")
            _write(item, inner, add)
            before = ","
        add(f"{line}]")
    else:
        add(_ENCODE(value))


_PARTS = 4096
"""Parts that are kept before they are joined."""


def _write_object(
    items: Iterable[tuple[str, Any]], line: str, add: Callable[[str], object]
) -> None:
    inner, before = f"{line} ", "{"
    for key, value in items:
        add(f"{before}{inner}{encode_basestring(key)}: ")
        _write(value, inner, add)
        before = ","
    add("{}" if before == "{" else f"{line}}}")


@cache
def field_names(kind: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass, in their order."""
    return tuple(field.name for field in fields(kind))


_ENCODE = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode
