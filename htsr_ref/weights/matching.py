"""Which layers of two models correspond."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


class Named(Protocol):
    """A layer, or what is reported of one."""

    @property
    def name(self) -> str:
        """Name of the layer."""

    @property
    def role(self) -> str:
        """What it is for."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Canonical shape."""


A = TypeVar("A", bound=Named)


def match_layers(before: Iterable[A], after: Iterable[A]) -> list[tuple[A, A, str]]:
    """Pair layers of equal shape: those of one name, then as many as are left of each shape.

    Returns
    -------
    Pairs, each with "name" or "shape".

    Spec: AUD-20.
    """
    first, second = list(before), list(after)
    pairs: list[tuple[A, A, str]] = []
    ways: tuple[tuple[str, Callable[[A], object]], ...] = (
        ("name", lambda layer: (layer.name, layer.shape)),
        ("shape", lambda layer: (layer.role, layer.shape)),
    )
    for how, key in ways:
        left, right = _by(key, first), _by(key, second)
        found = [
            pair
            for value, layers in left.items()
            if len(layers) == len(right.get(value, ()))
            for pair in zip(layers, right[value], strict=True)
        ]
        pairs += [(a, b, how) for a, b in found]
        first = _without(first, [a for a, _ in found])
        second = _without(second, [b for _, b in found])
    return pairs


def _by(key: Callable[[A], object], layers: list[A]) -> dict[object, list[A]]:
    found: dict[object, list[A]] = {}
    for layer in layers:
        found.setdefault(key(layer), []).append(layer)
    return found


def _without(layers: list[A], taken: list[A]) -> list[A]:
    gone = set(map(id, taken))
    return [layer for layer in layers if id(layer) not in gone]
