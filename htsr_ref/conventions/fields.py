"""Kinds of fields that a convention is made of: how each reads a value, and what it refuses."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal

from htsr_ref.errors import ConventionError

Stage = Literal["selection", "cut", "scale", "fit", "metrics", "model"]
"""Stages of an analysis: which tensors and matrices are analyzed, how matrices are cut from them,
the factor c, the fit, the metrics, the means over the model."""

Affects = tuple[str, ...] | None
"""Metrics of a matrix, or stages of the table of metrics; None for any."""


@dataclass(frozen=True)
class Field:
    """One choice: its meaning, where it is defined, and its values.

    Attributes
    ----------
    meaning : what is chosen.
    spec : requirement that defines the values.
    stage : stage of an analysis that reads it.
    legal : the legal values, for people.
    read : a value in its canonical form, from itself or from the command line's text; raises
        ValueError for anything else.
    schema : the JSON of a legal value.
    affects : the numbers of a matrix that it can change.
    values : what each named value means, and where it comes from.
    """

    meaning: str
    spec: str
    stage: Stage
    legal: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]
    affects: Affects = None
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
        except (OverflowError, TypeError, ValueError):
            raise ConventionError(f"{name} = {value!r} is not legal. Legal: {self.legal}") from None

    def explain(self, value: Any) -> str:
        """Say what a value means, in one line; empty where the number says it all."""
        return self.values.get("none" if value is None else str(value), "")


def choice(
    meaning: str, spec: str, stage: Stage, values: Mapping[str, str], affects: Affects = None
) -> Field:
    """Build a field that takes one of some names."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or value not in values:
            raise ValueError
        return value

    schema = {"enum": list(values)}
    return Field(meaning, spec, stage, ", ".join(values), read, schema, affects, _frozen(values))


def choice_or_number(
    meaning: str, spec: str, stage: Stage, values: Mapping[str, str], affects: Affects = None
) -> Field:
    """Build a field that takes one of some names or a positive number."""

    def read(value: Any) -> str | float:
        return value if isinstance(value, str) and value in values else _positive(value)

    legal = f"{', '.join(values)}, a positive number"
    schema = {"oneOf": [{"enum": list(values)}, {"type": "number", "exclusiveMinimum": 0}]}
    return Field(meaning, spec, stage, legal, read, schema, affects, _frozen(values))


def count(meaning: str, spec: str, stage: Stage, affects: Affects = None) -> Field:
    """Build a field that takes a whole number of at least 0."""
    schema = {"$ref": "#/$defs/count"}
    return Field(meaning, spec, stage, "a whole number of at least 0", _whole, schema, affects)


@dataclass(frozen=True)
class Kind:
    """A kind of value: what is legal, for people and as JSON, and how it is read."""

    legal: str
    read: Callable[[Any], Any]
    schema: Mapping[str, Any]


def optional(
    meaning: str, spec: str, stage: Stage, kind: Kind, none: str = "", affects: Affects = None
) -> Field:
    """Build a field that takes none or a value of some kind; `none` says what none means."""
    return Field(
        meaning,
        spec,
        stage,
        f"none, {kind.legal}",
        lambda value: None if value in (None, "none") else kind.read(value),
        {"oneOf": [kind.schema, {"type": "null"}]},
        affects,
        _frozen({"none": none} if none else {}),
    )


def _frozen(values: Mapping[str, str]) -> Mapping[str, str]:
    return MappingProxyType(dict(values))


ROLES = ("weight", "embedding", "recurrent")
"""Roles of weight matrices, in their order."""


def roles(meaning: str, spec: str, stage: Stage) -> Field:
    """Build a field that takes a list of roles; kept in their order."""

    def read(value: Any) -> tuple[str, ...]:
        asked = {role.strip() if isinstance(role, str) else "" for role in _parts(value)}
        if not asked or not asked <= set(ROLES):
            raise ValueError
        return tuple(role for role in ROLES if role in asked)

    legal = f"any of {', '.join(ROLES)}"
    schema = {"type": "array", "minItems": 1, "items": {"enum": list(ROLES)}}
    return Field(meaning, spec, stage, legal, read, schema, values=dict.fromkeys(ROLES, ""))


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


_NUMBER = {"$ref": "#/$defs/number"}
WHOLE = Kind("a whole number", positive_whole, {"type": "integer", "minimum": 1})
NUMBER = Kind("a number", number, _NUMBER)
POSITION = Kind("a number of at least 1", position, {**_NUMBER, "minimum": 1})
PAIR = Kind(
    "lo,hi", ascending_pair, {"type": "array", "minItems": 2, "maxItems": 2, "items": _NUMBER}
)
WINDOW = Kind(
    "rows,columns over rows,windows along each axis",
    window,
    {
        "type": "array",
        "minItems": 3,
        "maxItems": 3,
        "items": {"type": "number", "exclusiveMinimum": 0},
    },
)
