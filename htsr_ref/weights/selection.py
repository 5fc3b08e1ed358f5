"""Choosing among the layers of a weight file by name."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from htsr_ref.errors import WeightFileError
from htsr_ref.text.nearest import did_you_mean
from htsr_ref.weights.overrides import LISTED, matching

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.weights.layer import Layer, Weights


NOT_CHOSEN = "not chosen (--include, --exclude)"
"""Reason of a layer that was not asked for."""


def select(
    weights: Weights, include: Sequence[str] | None = None, exclude: Sequence[str] | None = None
) -> Weights:
    """Leave out the layers that were not asked for; they stay in the list, with the reason.

    Parameters
    ----------
    weights : the opened weights.
    include : names of layers or tensors, or patterns (`*`, `?`, `[...]`); all without any.
    exclude : the same of those that are left out.

    Raises
    ------
    WeightFileError
        If a pattern matches nothing.

    Spec: FMT-21.
    """
    kept = chosen_tensors(weights, include, exclude)

    def shown(layer: Layer) -> Layer:
        if layer.tensor in kept or layer.left_out is not None:
            return layer
        return replace(layer, left_out=NOT_CHOSEN, code="left-out")

    return replace(weights, layers=tuple(map(shown, weights.layers)))


def chosen_tensors(
    weights: Weights, include: Sequence[str] | None, exclude: Sequence[str] | None
) -> set[str]:
    """Names of the tensors that are asked for, see `select`.

    Raises
    ------
    WeightFileError
        If a pattern matches nothing.

    Spec: FMT-21.
    """
    names = {layer.tensor: layer.name for layer in weights.layers}

    def matched(patterns: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for pattern in patterns:
            matches = matching(pattern, names)
            if not matches:
                raise WeightFileError(
                    weights.name,
                    f"{pattern!r} matches no layer or tensor",
                    did_you_mean(pattern, names.keys() | set(names.values()), LISTED),
                )
            found.update(matches)
        return found

    return (matched(include) if include else set(names)) - matched(exclude or ())
