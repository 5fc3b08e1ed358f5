"""How text is laid out where it goes: as wide as a terminal, or whole."""

from __future__ import annotations

import os
import shutil
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.text.cells import printed, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

PROSE_WIDTH = 100
"""Cells of a line of long sentences where there is no terminal."""

NARROWEST = 40
"""Cells for which tables are laid out on any terminal."""


@dataclass(frozen=True)
class Layout:
    """How wide text may be, and whether it may be colored.

    Attributes
    ----------
    width : cells of a line; None where nothing is cut, as in pipes and files.
    color : whether escape sequences for colors are understood and wanted.
    """

    width: int | None = None
    color: bool = False

    @classmethod
    def here(cls) -> Layout:
        """Layout for standard output: that of the terminal, if it is one.

        The variable COLUMNS overrides the terminal's width; NO_COLOR, if it is not empty, and
        TERM=dumb take the colors away.
        """
        if not sys.stdout.isatty():
            return cls()
        width = max(NARROWEST, shutil.get_terminal_size((PROSE_WIDTH, 24)).columns)
        plain = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        # Consoles of Windows understand the sequences where Windows Terminal runs them.
        return cls(width, not plain and (os.name != "nt" or "WT_SESSION" in os.environ))

    def prose(self, texts: Iterable[str]) -> str:
        """Write sentences, each on lines of its own, the further ones indented."""
        lines = map(printed, texts)
        if self.width is None:
            return "\n".join(lines)
        return "\n".join("\n  ".join(wrapped(line, self.width - 2)) for line in lines)
