"""What the golden vectors of all chapters share: precision, decimal strings and the form of a case.

No file in this folder imports anything but mpmath, the standard library and its neighbors.
"""

from __future__ import annotations

from typing import Any

from mpmath import mp, mpf

Json = Any

mp.dps = 50


def decimal(value: mpf, digits: int = 25) -> str:
    """Write a number as a decimal string."""
    return str(mp.nstr(value, digits))


def require(condition: bool, message: str) -> None:
    """Refuse a case whose expected values would not be safe from rounding."""
    if not condition:
        raise ValueError(message)


def bound(kind: str, *values: mpf | str) -> dict[str, Json]:
    """Make a tolerance; a single value serves for all numbers under its key."""
    texts = [decimal(mpf(value), 6) for value in values]
    return {kind: texts[0] if len(texts) == 1 else texts}


def case(
    name: str, requirements: str, given: Json, expected: Json, tolerance: Json = None
) -> dict[str, Json]:
    """Make a case; `requirements` is a list of IDs separated by blanks."""
    return {
        "id": name,
        "requirements": requirements.split(),
        "input": given,
        "expected": expected,
        "tolerance": tolerance or {},
    }
