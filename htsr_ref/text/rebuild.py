"""Frozen dataclasses from the JSON that they were written as."""

import math
from contextlib import suppress
from dataclasses import fields, is_dataclass
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


def rebuild(kind: Any, value: Any, where: str) -> Any:
    """Rebuild a value of an annotated type from JSON.

    Parameters
    ----------
    kind : a dataclass, or the type of one of its fields.
    value : what `json` read.
    where : place of the value, for messages.

    Raises
    ------
    ValueError
        The value does not fit; its place is named.

    Spec: RPT-2.

    >>> rebuild(tuple[float, ...], [1, 2.5], "pair")
    (1.0, 2.5)
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if is_dataclass(kind):
        return _rebuild_object(kind, value, where)
    if origin in (Union, UnionType):
        if value is None and NoneType in arguments:
            return None
        *others, last = (argument for argument in arguments if argument is not NoneType)
        for other in others:
            with suppress(ValueError):
                return rebuild(other, value, where)
        return rebuild(last, value, where)
    if origin is tuple and isinstance(value, list):
        kinds = arguments[:1] * len(value) if arguments[1:] == (...,) else arguments
        if len(kinds) == len(value):
            pairs = zip(kinds, value, strict=True)
            return tuple(rebuild(k, v, f"{where}[{i}]") for i, (k, v) in enumerate(pairs))
    elif origin is dict and isinstance(value, dict):
        return {key: rebuild(arguments[1], v, f"{where}.{key}") for key, v in value.items()}
    elif origin is Literal and value in arguments:
        return value
    elif kind is float and type(value) in (int, float):
        with suppress(OverflowError):
            if math.isfinite(value):
                return float(value)
    elif kind is int and type(value) is int and abs(value) >= 2**63:
        pass
    elif type(value) is kind:
        return value
    raise ValueError(f"{where} is {value!r:.40}")


def _rebuild_object(kind: Any, value: Any, where: str) -> Any:
    names = [field.name for field in fields(kind)]
    if not isinstance(value, dict) or sorted(value) != sorted(names):
        raise ValueError(f"{where} does not have the keys {', '.join(names)}")
    hints = get_type_hints(kind)
    return kind(**{name: rebuild(hints[name], value[name], f"{where}.{name}") for name in names})
