"""The extreme-value index of a positive sample, whose sign says whether it has a power law."""

from htsr_ref.powerlaw.extreme.index import (
    TailIndex,
    moment_index,
    tail_index,
    tail_index_or_none,
)

__all__ = ["TailIndex", "moment_index", "tail_index", "tail_index_or_none"]
