"""Whether a weight file is sound."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.bad_entries import find_bad_entries
from htsr_ref.errors import WeightFileError, shown
from htsr_ref.text.lines import count, one_line
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.layer import digest_of
from htsr_ref.weights.selection import NOT_CHOSEN

if TYPE_CHECKING:
    import os
    from collections.abc import Mapping, Sequence

    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource


@dataclass(frozen=True)
class Validation:
    """What came of checking weights.

    Attributes
    ----------
    name, format : of the weights.
    tensors, stated : how many tensors were checked, and of how many the file itself says what
        they are.
    faults : what is wrong, one sentence each; none if the weights are sound.
    warnings : what could not be checked, and what concerns the file as a whole.
    unread : how many tensors could not be checked.
    """

    name: str
    format: str
    tensors: int
    stated: int
    faults: tuple[str, ...]
    warnings: tuple[str, ...]
    unread: int

    def __str__(self) -> str:
        """Say in one line whether they are sound."""
        sound = f"all {'that can be read ' if self.unread else ''}well formed and finite"
        return one_line(
            f"{self.name}: {self.format}, {count(self.tensors, 'tensor')}, {self.stated} "
            f"stated by the file; {f'faults: {len(self.faults)}' if self.faults else sound}"
        )


def validate(
    source: WeightSource | Weights,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    made_from: Sequence[str | os.PathLike[str]] = (),
) -> Validation:
    """Check that weights are well formed, fit their manifest, and hold only finite numbers.

    Parameters
    ----------
    source, layers, include, exclude : as for `analyze`.
    made_from : files that they were converted from, whose digest the manifest states.

    Raises
    ------
    WeightFileError
        The source as a whole cannot be read, or does not say what it was made from.

    Spec: SPC-7, FMT-18.

    >>> import numpy as np
    >>> validate({"w": np.array([[1.0, np.nan]])}).faults
    ("tensor 'w': entry [0, 1] is nan. Repair or re-export the checkpoint",)
    """
    weights = asked_weights(source, layers=layers, include=include, exclude=exclude)
    chosen = [layer for layer in weights.layers if layer.left_out != NOT_CHOSEN]
    readable = tuple(layer for layer in chosen if layer.data.is_readable)
    unread = [layer for layer in chosen if not layer.data.is_readable]
    faults = find_bad_entries(replace(weights, layers=readable))
    if made_from:
        faults += _faults_of_origin(weights, sorted(map(Path, made_from)))
    return Validation(
        name=weights.name,
        format=weights.format,
        tensors=len(chosen),
        stated=sum(layer.decided.startswith("stated") for layer in chosen),
        faults=tuple(faults),
        warnings=(
            *weights.warnings,
            *(
                f"tensor {shown(layer.tensor)}: not checked: numbers of type {layer.dtype} are not "
                "decoded"
                for layer in unread
            ),
        ),
        unread=len(unread),
    )


def _faults_of_origin(weights: Weights, files: list[Path]) -> list[str]:
    stated = (weights.source or {}).get("sha256")
    if stated is None:
        raise WeightFileError(
            weights.name, "its manifest does not say what it was made from", "Leave out the source"
        )
    if digest_of(files) == stated:
        return []
    names = ", ".join(map(str, files))
    return [f"it was not made from {names} as it is now: the digest differs"]
