"""JSON as weight files and reports may hold it: no duplicate keys, no NaN, no broken Unicode."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import cache
from json.encoder import encode_basestring
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


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
    return "".join(pieces(value))


def pieces(value: Any) -> Iterator[str]:
    r"""Write JSON as `dumps` does, in pieces: a report's layers one by one, however many they are.

    Spec: RPT-1.

    >>> list(pieces({"a": [1, [2]], "b": []}))
    ['{\n "a": ', '[\n  1', ',\n  [\n   2\n  ]', '\n ]', ',\n "b": ', '[]', '\n}', '\n']
    """
    yield from _pieces(value, "\n", 1)
    yield "\n"


def _pieces(value: Any, line: str, levels: int) -> Iterator[str]:
    """Pieces of a value's text, of so many levels of its members as well; `line` as for `_text`."""
    brackets, members = _members(value)
    inner, before = f"{line} ", brackets[:1]
    if not members:
        yield _text(value, line)
        return
    for key, member in members:
        if levels:
            yield f"{before}{inner}{key}"
            yield from _pieces(member, inner, levels - 1)
        else:
            yield f"{before}{inner}{key}{_text(member, inner)}"
        before = ","
    yield f"{line}{brackets[1]}"


def _text(value: Any, line: str) -> str:
    """Text of a value; `line` ends a line and indents the next as the value is.

    The encoder of `json` is written in C for text on one line alone.
    """
    write = _SCALARS.get(type(value))
    if write is not None:
        return write(value)
    brackets, members = _members(value)
    if not members:
        return brackets or _ENCODE(value)
    inner = f"{line} "
    text = ",".join([f"{inner}{key}{_text(member, inner)}" for key, member in members])
    return f"{brackets[0]}{text}{line}{brackets[1]}"


def _members(value: Any) -> tuple[str, Sequence[tuple[str, Any]]]:
    """Brackets of an object or array, none of other values; its members after their keys' text."""
    kind = type(value)
    if is_dataclass(kind):
        return "{}", [(key, getattr(value, name)) for name, key in _keys(kind)]
    if isinstance(value, Mapping):
        return "{}", [(_key(name), member) for name, member in value.items()]
    if isinstance(value, list | tuple):
        return "[]", [("", member) for member in value]
    return "", ()


def _key(name: str) -> str:
    return f"{encode_basestring(name)}: "


@cache
def _keys(kind: type) -> tuple[tuple[str, str], ...]:
    """Names of the fields of a dataclass and the text of their keys."""
    return tuple((name, _key(name)) for name in field_names(kind))


@cache
def field_names(kind: type) -> tuple[str, ...]:
    """Names of the fields of a dataclass, in their order."""
    return tuple(field.name for field in fields(kind))


_ENCODE = json.JSONEncoder(allow_nan=False, ensure_ascii=False).encode


def _float_text(value: float) -> str:
    return float.__repr__(value) if math.isfinite(value) else _ENCODE(value)


_SCALARS: Mapping[type, Callable[[Any], str]] = {
    float: _float_text,
    int: int.__repr__,
    str: encode_basestring,
    bool: lambda value: "true" if value else "false",
    type(None): lambda _: "null",
}
"""Text of the values that most of a report consists of, by their type."""
