"""Parts of the work on one model, each done by a run of its own, and their merging."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One of several parts.

    Attributes
    ----------
    index, count : the first is part 1 of `count`.
    """

    index: int
    count: int
