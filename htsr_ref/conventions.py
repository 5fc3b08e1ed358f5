"""Conventions: every choice behind an HT-SR number, as data."""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import isfinite
from types import MappingProxyType
from typing import Any, Literal

from htsr_ref.errors import ConventionError


@dataclass(frozen=True)
class Convention:
    """A value for every choice; `FIELDS` says what each means.

    Attributes
    ----------
    name : name of the shipped convention it is, or is derived from.
    overrides : the fields in which it departs from that one.
    others : see `FIELDS`.

    Raises
    ------
    ConventionError
        A value is unknown or not implemented.

    Spec: CNV-1, CNV-2.
    """

    name: str
    layer_kinds: tuple[str, ...]
    conv: str
    min_dim: int
    min_dim_applies_to: str
    normalization: Literal["1/N", "none"]
    drop_smallest: int
    eigenvalue_floor: str
    estimator: str
    xmin: str
    xmax: str
    ks_model: str
    ks: Literal["two-sided", "one-sided"]
    clip_fingers: int
    average: str
    alpha_range: tuple[float, float] | None
    overrides: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name, field in FIELDS.items():
            field.check(name, getattr(self, name))

    def override(self, changes: Mapping[str, Any]) -> "Convention":
        """Return this convention with some fields changed.

        Parameters
        ----------
        changes : values by field name; a string is parsed as on the command line.

        Raises
        ------
        ConventionError
            No such field, or a value that is unknown or not implemented.

        Spec: CNV-3.

        >>> PAPER.override({"min_dim": "0"}).overrides
        ('min_dim',)
        """
        values = {}
        for name, value in changes.items():
            if name not in FIELDS:
                raise ConventionError(
                    f"no convention has a field {name!r}. Fields: {', '.join(FIELDS)}"
                )
            values[name] = FIELDS[name].parse(name, value) if isinstance(value, str) else value
        changed = dataclasses.replace(self, **values)
        base = CONVENTIONS.get(self.name, self)
        differing = [name for name in FIELDS if getattr(changed, name) != getattr(base, name)]
        return dataclasses.replace(changed, overrides=tuple(differing))


@dataclass(frozen=True)
class Field:
    """One choice: its meaning, where it comes from, and its values.

    Attributes
    ----------
    meaning : what is chosen.
    spec : requirement that defines the values.
    check : raises ConventionError, given the field's name and an unacceptable value.
    parse : value from the command line's text.
    values : the legal values, for people.
    """

    meaning: str
    spec: str
    check: Callable[[str, Any], None]
    parse: Callable[[str, str], Any]
    values: str


def _choice(meaning: str, spec: str, implemented: str, planned: str = "") -> Field:
    """Build a field that takes one of some names."""
    known, missing = implemented.split(), planned.split()

    def check(name: str, value: Any) -> None:
        if value in missing:
            raise ConventionError(
                f"{name} = {value} is specified but not implemented yet. "
                f"Implemented: {', '.join(known)}"
            )
        if value not in known:
            raise ConventionError(f"{name} = {value!r} is unknown. Legal: {', '.join(known)}")

    return Field(meaning, spec, check, lambda _, text: text, ", ".join(known))


def _kinds(meaning: str, spec: str) -> Field:
    """Build the field that takes a list of layer kinds."""
    known = ("linear", "conv", "embedding", "recurrent")

    def check(name: str, value: Any) -> None:
        in_order = tuple(kind for kind in known if isinstance(value, tuple) and kind in value)
        if not in_order or value != in_order:
            raise ConventionError(
                f"{name} = {value!r} is not a list of layer kinds in their order. "
                f"Legal: {', '.join(known)}"
            )

    def parse(_: str, text: str) -> tuple[str, ...]:
        kinds = {kind.strip() for kind in text.split(",")}
        # Unknown ones stay, for the check to refuse.
        return (*(kind for kind in known if kind in kinds), *sorted(kinds - set(known)))

    return Field(
        meaning,
        spec,
        check,
        parse,
        "any of " + ", ".join(known),
    )


def _count(meaning: str, spec: str, only: tuple[int, ...] | None = None) -> Field:
    """Build a field that takes a number of things; `only` lists those implemented."""

    def check(name: str, value: Any) -> None:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ConventionError(f"{name} = {value!r} is not a whole number of at least 0")
        if only is not None and value not in only:
            raise ConventionError(
                f"{name} = {value} is specified but not implemented yet. "
                f"Implemented: {', '.join(map(str, only))}"
            )

    def parse(name: str, text: str) -> int:
        try:
            return int(text)
        except ValueError:
            raise ConventionError(f"{name} = {text!r} is not a whole number") from None

    legal = "whole number" if only is None else ", ".join(map(str, only))
    return Field(meaning, spec, check, parse, legal)


def _range(meaning: str, spec: str) -> Field:
    """Build a field that takes two ascending numbers or none."""

    def check(name: str, value: Any) -> None:
        pair = isinstance(value, tuple) and len(value) == 2
        finite = pair and all(isinstance(end, int | float) and isfinite(end) for end in value)
        if value is not None and not (finite and value[0] < value[1]):
            raise ConventionError(f"{name} = {value!r} is neither none nor an ascending pair lo,hi")

    def parse(name: str, text: str) -> tuple[float, ...] | None:
        if text == "none":
            return None
        try:
            return tuple(float(end) for end in text.split(","))
        except ValueError:
            raise ConventionError(f"{name} = {text!r} is neither none nor lo,hi") from None

    return Field(meaning, spec, check, parse, "none, lo,hi")


FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "layer_kinds": _kinds("kinds of layer that are analysed", "MAT-8"),
        "conv": _choice(
            "matrices of a convolution", "MAT-3", "slices group-slices", "pooled flattened operator"
        ),
        "min_dim": _count("smallest M that is analysed", "MAT-7"),
        "min_dim_applies_to": _choice("which layers min_dim concerns", "MAT-7", "conv all"),
        "normalization": _choice(
            "factor c of X = c·WᵀW", "SPC-1", "1/N none", "weightwatcher-conv glorot"
        ),
        "drop_smallest": _count("smallest eigenvalues left out", "CNV-4", only=(0,)),
        "eigenvalue_floor": _choice(
            "which eigenvalues count as zero", "SPC-5", "relative", "absolute none"
        ),
        "estimator": _choice(
            "estimator of alpha", "PL-2", "mle", "mle-unbiased bounded-mle truncated"
        ),
        "xmin": _choice("choice of the threshold", "PL-4", "ks", "median peak grid fixed"),
        "xmax": _choice("upper end of the fitted range", "CNV-4", "none", "largest"),
        "ks_model": _choice(
            "distribution that KS compares with", "CNV-4", "unbounded", "renormalised"
        ),
        "ks": _choice("kind of KS distance", "PL-3", "two-sided one-sided"),
        "clip_fingers": _count("largest eigenvalues that may be dropped", "CNV-4", only=(0,)),
        "average": _choice("units of the model's means", "MET-10", "matrices layers"),
        "alpha_range": _range("alphas that enter the model's means", "MET-10"),
    }
)
"""Every field of a convention, in the specification's order (CNV-1)."""

PAPER = Convention(
    name="paper",
    layer_kinds=("linear", "conv"),
    conv="slices",
    min_dim=50,
    min_dim_applies_to="conv",
    normalization="1/N",
    drop_smallest=0,
    eigenvalue_floor="relative",
    estimator="mle",
    xmin="ks",
    xmax="none",
    ks_model="unbounded",
    ks="two-sided",
    clip_fingers=0,
    average="matrices",
    alpha_range=None,
)
"""The text of SDM 2020 (arXiv 1901.08278); where it is silent, its authors' code (CNV-4)."""

CONVENTIONS: Mapping[str, Convention] = MappingProxyType({"paper": PAPER})
"""The shipped conventions by name."""

CITATIONS: Mapping[str, str] = MappingProxyType(
    {"paper": "Martin & Mahoney, SDM 2020, arXiv 1901.08278: the text; where silent, the code"}
)
"""What each shipped convention follows."""


def get_convention(name: str, overrides: Mapping[str, Any] | None = None) -> Convention:
    """Look up a shipped convention and override some of its fields.

    Raises
    ------
    ConventionError
        No such convention, or a bad override.

    Spec: CNV-2, CNV-3, CNV-4.
    """
    if name not in CONVENTIONS:
        raise ConventionError(f"no convention {name!r}. Shipped: {', '.join(CONVENTIONS)}")
    return CONVENTIONS[name].override(overrides or {})
