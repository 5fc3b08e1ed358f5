"""Continuous power-law fitting of positive samples; knows nothing of matrices or files."""

from htsr_ref.errors import NoFitError, SampleError
from htsr_ref.powerlaw.fit import MIN_RELIABLE_TAIL, PowerLawFit, fit_power_law
from htsr_ref.powerlaw.ks import KsKind, ks_distance

__all__ = [
    "MIN_RELIABLE_TAIL",
    "KsKind",
    "NoFitError",
    "PowerLawFit",
    "SampleError",
    "fit_power_law",
    "ks_distance",
]
