"""The extreme-value index of a positive sample, whose sign says whether it has a power law."""

from htsr_ref.powerlaw.extreme.bootstrap import LEAST_TAIL, double_bootstrap_k
from htsr_ref.powerlaw.extreme.index import (
    DEFAULT_FRACTION,
    EstimatorName,
    TailIndex,
    Verdict,
    tail_index,
)

__all__ = [
    "DEFAULT_FRACTION",
    "LEAST_TAIL",
    "EstimatorName",
    "TailIndex",
    "Verdict",
    "double_bootstrap_k",
    "tail_index",
]
