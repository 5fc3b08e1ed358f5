"""Continuous power-law fitting of positive samples; knows nothing of matrices or files."""

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.fit import MIN_RELIABLE_TAIL, fit_power_law
from htsr_ref.powerlaw.ks import KsKind
from htsr_ref.powerlaw.tail_fit import TailFit

__all__ = [
    "MIN_RELIABLE_TAIL",
    "KsKind",
    "NoFitError",
    "SampleError",
    "TailFit",
    "fit_power_law",
]
