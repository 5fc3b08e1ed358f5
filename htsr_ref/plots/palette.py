"""Colors and marks: told apart without colors as well, and by color-blind people."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from htsr_ref.reports.verdicts import VERDICTS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BLUE, ORANGE, GREEN, PURPLE = "#1f5fa8", "#d1600a", "#009e73", "#a8488a"
BLACK, GRAY, LIGHT = "#000000", "#7a7a7a", "#d9d9d9"


@dataclass(frozen=True)
class Mark:
    """How a point is drawn: its shape, its color, and whether it is filled."""

    shape: str
    color: str
    filled: bool = True

    @property
    def face(self) -> str:
        """Color inside."""
        return self.color if self.filled else "white"


_OF_VERDICTS = (
    Mark("o", BLUE),
    Mark("s", ORANGE, filled=False),
    Mark("^", PURPLE),
    Mark("D", GRAY, filled=False),
    Mark("x", GRAY),
)
VERDICT_MARKS: Mapping[str, Mark] = MappingProxyType(dict(zip(VERDICTS, _OF_VERDICTS, strict=True)))
"""Marks of matrices by verdict (FIG-6)."""

WITHOUT_VERDICT = "α with 95 % interval"
"""Stands for the verdict of every matrix where there are no verdicts."""


def mark_of(verdict: str) -> Mark:
    """Mark of a verdict; a star if it has none of its own.

    Spec: FIG-6.
    """
    plain = Mark("o", BLUE)
    return plain if verdict == WITHOUT_VERDICT else VERDICT_MARKS.get(verdict, Mark("*", BLACK))


def in_order(verdicts: Sequence[str]) -> list[str]:
    """Verdicts that occur, each once, in the order of `VERDICTS`, then others as they come."""
    return [verdict for verdict in dict.fromkeys([*VERDICTS, *verdicts]) if verdict in verdicts]


SERIES = (
    Mark("o", BLUE),
    Mark("s", ORANGE, filled=False),
    Mark("^", GREEN),
    Mark("D", PURPLE, filled=False),
    Mark("v", BLACK),
    Mark("P", GRAY),
)
"""Marks of series of models, in their order, again from the first after the last."""

Dashes = str | tuple[float, tuple[float, ...]]

LAWS: Mapping[str, tuple[str, Dashes]] = MappingProxyType(
    {
        "power_law": (ORANGE, "-"),
        "bounded_power_law": (ORANGE, "-"),
        "truncated_power_law": (GREEN, "--"),
        "lognormal": (PURPLE, "-."),
        "stretched_exponential": (BLACK, ":"),
        "exponential": (GRAY, (0.0, (6, 1.5, 1, 1.5, 1, 1.5))),
    }
)
"""Color and dashes of a law's line, by the law's name."""
