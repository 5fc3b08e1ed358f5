"""Kinds of fields that a convention is made of: how each reads a value, and what it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any

from htsr_ref.errors import ConventionError


@dataclass(frozen=True)
class Field:
    """One choice: its meaning, where it is defined, and its values.

    Attributes
    ----------
    meaning : what is chosen.
    spec : requirement that defines the values.
    legal : the legal values, for people.
    read : a value in its canonical form, from itself or from the command line's text; raises
        ValueError for anything else.
    values : what each named value means, and where it comes from.
    """

    meaning: str
    spec: str
    legal: str
    read: Callable[[Any], Any]
    values: Mapping[str, str] = field(default_factory=dict)

    def checked(self, name: str, value: Any) -> Any:
        """Read a value of the field that has this name.

        Raises
        ------
        ConventionError
            The value is not legal.

        Spec: CNV-2.
        """
        try:
            return self.read(value)
        except (TypeError, ValueError):
            raise ConventionError(f"{name} = {value!r} is not legal. Legal: {self.legal}") from None

    def explain(self, value: Any) -> str:
        """Say what a value means, in one line; empty where the number says it all."""
        return self.values.get("none" if value is None else str(value), "")


def choice(meaning: str, spec: str, values: Mapping[str, str]) -> Field:
    """Build a field that takes one of some names."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError
        return value

    return Field(meaning, spec, ", ".join(values), read, MappingProxyType(dict(values)))


def choice_or_number(meaning: str, spec: str, values: Mapping[str, str]) -> Field:
    """Build a field that takes one of some names or a positive number."""

    def read(value: Any) -> str | float:
        return value if isinstance(value, str) and value in values else _positive(value)

    legal = f"{', '.join(values)}, a positive number"
    return Field(meaning, spec, legal, read, MappingProxyType(dict(values)))


def count(meaning: str, spec: str) -> Field:
    """Build a field that takes a whole number of at least 0."""
    return Field(meaning, spec, "a whole number of at least 0", _whole)


def optional(
    meaning: str, spec: str, legal: str, read: Callable[[Any], Any], none: str = ""
) -> Field:
    """Build a field that takes none or what `read` reads; `none` says what none means."""
    return Field(
        meaning,
        spec,
        f"none, {legal}",
        lambda value: None if value in (None, "none") else read(value),
        MappingProxyType({"none": none} if none else {}),
    )


ROLES = ("weight", "embedding", "recurrent")
"""Roles of weight matrices, in their order."""


def roles(meaning: str, spec: str) -> Field:
    """Build a field that takes a list of roles; kept in their order."""

    def read(value: Any) -> tuple[str, ...]:
        asked = {role.strip() if isinstance(role, str) else "" for role in _parts(value)}
        if not asked or not asked <= set(ROLES):
            raise ValueError
        return tuple(role for role in ROLES if role in asked)

    return Field(meaning, spec, f"any of {', '.join(ROLES)}", read, dict.fromkeys(ROLES, ""))


def positive_whole(value: Any) -> int:
    """Read a whole number of at least 1."""
    number = _whole(value)
    if number == 0:
        raise ValueError
    return number


def number(value: Any) -> float:
    """Read a finite number."""
    if isinstance(value, bool) or not isfinite(float(value)):
        raise ValueError
    return float(value)


def position(value: Any) -> float:
    """Read a number of at least 1."""
    found = number(value)
    if found < 1:
        raise ValueError
    return found


def ascending_pair(value: Any) -> tuple[float, float]:
    """Read two ascending numbers.

    >>> ascending_pair("2, 6")
    (2.0, 6.0)
    """
    low, high = map(number, _parts(value))
    if not low < high:
        raise ValueError
    return low, high


def window(value: Any) -> tuple[int, float, int]:
    """Read the rows of a window, its columns over its rows, and the windows along each axis."""
    rows, aspect, windows = _parts(value)
    return positive_whole(rows), _positive(aspect), positive_whole(windows)


def _whole(value: Any) -> int:
    number = int(value) if isinstance(value, str) else value
    if type(number) is not int or number < 0:
        raise ValueError
    return number


def _positive(value: Any) -> float:
    found = number(value)
    if found <= 0:
        raise ValueError
    return found


def _parts(value: Any) -> Any:
    """Split the command line's text; sequences stay."""
    if isinstance(value, str):
        return value.split(",")
    if not isinstance(value, list | tuple):
        raise TypeError
    return value
