"""The step that a checkpoint's name states, and the order of checkpoints."""

from __future__ import annotations

import re
from pathlib import PurePath
from typing import TYPE_CHECKING, Literal, Protocol, TypeVar

from htsr_ref.text.order import natural_key

if TYPE_CHECKING:
    from collections.abc import Iterable

Order = Literal["step", "time", "name"]

MOST_DIGITS = 300
"""Digits of a step: the most that a float can hold."""

_ALONE_WORD = "(?<![a-z0-9])"
_WORDED = [
    re.compile(rf"{word}[-_= .]?([0-9]+)", re.IGNORECASE)
    for word in (
        "steps?",
        f"{_ALONE_WORD}iter(?:ation)?s?",
        f"(?:epochs?|{_ALONE_WORD}ep?)",
        "(?:checkpoint|ckpt)",
    )
]
"""A number after a word: those of the first word that is there count."""
_ALONE = re.compile(r"(?<![A-Za-z0-9])(?<![0-9][eE]-)[0-9]+(?:\.[0-9]+)*(?![A-Za-z0-9])")
"""A number between separators, or at an end of the name."""


def step_of(name: str) -> int | None:
    """Read the step or epoch from a checkpoint's name; None where it states none.

    It is the number after the last "step", else "iteration", "epoch" or "checkpoint", else the last
    whole number that stands alone. A file whose name has none takes that of the folders above it,
    the nearest first, if it follows such a word or is all of a folder's name.

    Parameters
    ----------
    name : path of the file or folder, below the folder that is watched.

    Spec: WCH-2.

    >>> step_of("epoch=3-step=1200.ckpt"), step_of("checkpoint-500/model.safetensors")
    (1200, 500)
    >>> step_of("weights.03-0.25.keras"), step_of("resnet50.pt")
    (3, None)
    """
    path = PurePath(name)
    own = _without_suffix(path)
    found = _worded(own)
    if found is None:
        alone = [text for text in _ALONE.findall(own) if "." not in text]
        found = alone[-1] if alone else None
    for folder in reversed(path.parts[:-1]):
        if found is not None:
            break
        found = folder if re.fullmatch("[0-9]+", folder) else _worded(folder)
    return None if found is None or len(found) > MOST_DIGITS else int(found)


def _without_suffix(path: PurePath) -> str:
    return path.name if path.suffix[1:].isdigit() else path.stem


def _worded(text: str) -> str | None:
    for pattern in _WORDED:
        found = pattern.findall(text)
        if found:
            return str(found[-1])
    return None


class Placed(Protocol):
    """What has a place in a run."""

    @property
    def name(self) -> str:
        """Of the checkpoint."""

    @property
    def step(self) -> int | None:
        """That its name states."""

    @property
    def changed(self) -> int | None:
        """Nanoseconds since 1970 at which it was written; None where that is not known."""


P = TypeVar("P", bound=Placed)


def in_order(found: Iterable[P]) -> tuple[Order, list[P]]:
    """Sort checkpoints by step if all names state one, else by time, else by name.

    Names are compared in natural order: 9 before 10.

    Spec: WCH-2.
    """
    items = sorted(found, key=lambda item: natural_key(item.name))
    if all(item.step is not None for item in items):
        return "step", sorted(items, key=lambda item: item.step or 0)
    if all(item.changed is not None for item in items):
        return "time", sorted(items, key=lambda item: item.changed or 0)
    return "name", items
