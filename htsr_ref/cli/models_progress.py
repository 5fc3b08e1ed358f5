"""How far several models have come."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from htsr_ref.analysis.analyzing import Progress


class ModelsProgress:
    """Progress over models: each counts as much as its files are large.

    What the layers of a model cost is known only once it is opened. Models of one architecture
    cost as much as one another; of others the size tells more than their number.

    Parameters
    ----------
    files : paths of the models; an address counts as much as the others do on average.

    Spec: SCL-14.
    """

    def __init__(self, files: Sequence[str]) -> None:
        known = [_size(file) for file in files]
        there = [size for size in known if size]
        mean = sum(there) / len(there) if there else 1.0
        self._sizes = [size or mean for size in known]
        self._total = sum(self._sizes)
        self._done = 0.0

    def showing(
        self, at: int, name: str, show: Callable[[str, float, float], None]
    ) -> Callable[[Progress], None]:
        """Make what is called with the progress of the model at a place."""

        def shown(step: Progress) -> None:
            share = step.done / step.total if step.total else 0.0
            show(f"{name}: {step.layer}", self._done + share * self._sizes[at], self._total)

        return shown

    def end(self, at: int, *, was_work: bool) -> None:
        """Count a model as done; one that was no work says nothing of the speed."""
        if was_work:
            self._done += self._sizes[at]
        else:
            self._total -= self._sizes[at]


def _size(file: str) -> int:
    """Bytes of a file, or of the files in a folder; 0 where they are not known."""
    try:
        if os.path.isdir(file):  # noqa: PTH112 - it raises nothing, whatever the name
            with os.scandir(file) as entries:
                return sum(entry.stat().st_size for entry in entries if entry.is_file())
        return os.stat(file).st_size  # noqa: PTH116 - as above
    except (OSError, ValueError):
        return 0
