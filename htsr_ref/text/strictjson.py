"""JSON as weight files and reports may hold it: no duplicate keys, no NaN, no broken Unicode."""

from __future__ import annotations

import json
from typing import Any


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

    Raises
    ------
    ValueError
        If the value holds NaN or an infinity.

    Spec: RPT-1.

    >>> dumps({"a": [1, None]})
    '{\n "a": [\n  1,\n  null\n ]\n}\n'
    """
    return json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False) + "\n"
