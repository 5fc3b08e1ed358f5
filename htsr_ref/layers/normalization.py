"""The factor c of X = c·WᵀW, each way under its name."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from htsr_ref.layers.matrices import Pool, WeightMatrix


def _glorot(matrix: WeightMatrix | Pool) -> float:
    """Reciprocal of the variance 2/(fan_in + fan_out) of the initial weights.

    Spec: SPC-9. Source: Glorot & Bengio 2010.
    """
    origin = matrix.origin
    return origin.positions * (origin.out + origin.in_) / 2


def _weightwatcher_conv(matrix: WeightMatrix | Pool) -> float:
    return matrix.origin.separate / 2 if matrix.origin.is_conv else 1.0


FACTORS: Mapping[str, Callable[[WeightMatrix | Pool], float]] = MappingProxyType(
    {
        "1/N": lambda matrix: 1.0 / matrix.N,
        "none": lambda _: 1.0,
        "1/out": lambda matrix: 1.0 / matrix.origin.out,
        "glorot": _glorot,
        "weightwatcher-conv": _weightwatcher_conv,
        "weightwatcher-2020": lambda matrix: matrix.origin.separate / 2,
    }
)
"""c of a matrix, or of a pool, whose matrices share one; by the value of `normalization`.

Spec: SPC-1, SPC-9.
"""
