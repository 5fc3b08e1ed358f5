"""JSON from strangers: no duplicate keys, no NaN, no broken Unicode, no deep nesting."""

import json
from typing import Any

from common.errors import ConversionError


def loads(text: bytes, what: str) -> Any:
    """Parse JSON.

    Raises
    ------
    ConversionError
        If it is not valid; `what` is its name.
    """
    try:
        value = json.loads(text.decode(), object_pairs_hook=_unique, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ConversionError(f"{what} is not valid JSON ({error})", "Download it again") from error
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) < len(pairs):
        raise ValueError("a key appears twice")
    return result


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
