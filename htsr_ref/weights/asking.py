"""Weights as a user asks for them: opened, corrected, combined, and some of their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from htsr_ref.errors import WeightFileError
from htsr_ref.weights.derived.combining import minus as subtract
from htsr_ref.weights.derived.combining import with_adapter
from htsr_ref.weights.layer import Weights
from htsr_ref.weights.one_matrix import is_matrix, weights_of_matrix
from htsr_ref.weights.opening import WeightSource, open_weights
from htsr_ref.weights.remote.addresses import shown_address
from htsr_ref.weights.selection import select

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


def asked_weights(
    source: WeightSource | Weights,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    minus: WeightSource | Weights | None = None,
    base: WeightSource | Weights | None = None,
    facts_first: bool = False,
    keep_converted: Path | None = None,
) -> Weights:
    """Open weights unless they are open, combine two, and choose layers.

    Parameters
    ----------
    source : what `open_weights` opens, or what it returned.
    layers : see `open_weights`; they concern `base` where there is one, else all that is opened.
    include, exclude : see `select`.
    minus : weights that are subtracted.
    base : the model that `source`, an adapter, is added to.
    facts_first, keep_converted : see `open_weights`; for one source.

    Raises
    ------
    WeightFileError
        A source cannot be read, corrections are given for opened weights, or both `minus` and
        `base` are given.

    Spec: DER-10, DER-11, FMT-21.
    """
    if minus is not None and base is not None:
        raise WeightFileError(
            _name(source), "a model cannot be subtracted and an adapter added", "Choose one"
        )
    if base is not None:
        found = with_adapter(_opened(source, None), _opened(base, layers))
    elif minus is not None:
        found = subtract(_opened(source, layers), _opened(minus, layers))
    else:
        found = _opened(source, layers, facts_first, keep_converted)
    return select(found, include, exclude)


def _opened(
    source: WeightSource | Weights,
    layers: Mapping[str, Mapping[str, Any]] | None,
    facts_first: bool = False,
    keep_converted: Path | None = None,
) -> Weights:
    if is_matrix(source) and not layers and keep_converted is None:
        return weights_of_matrix(source)
    if not isinstance(source, Weights):
        return open_weights(source, layers, facts_first=facts_first, keep_converted=keep_converted)
    if layers:
        raise WeightFileError(
            source.name, "corrections come too late: it is open", "Give them to open_weights"
        )
    return source


def _name(source: object) -> str:
    return source.name if isinstance(source, Weights) else shown_address(str(source))[:200]
