"""How sure a fitted power law is: intervals of α and xmin, and the goodness-of-fit test."""

from htsr_ref.powerlaw.uncertainty.interval import Interval
from htsr_ref.powerlaw.uncertainty.p_value import GoodnessOfFit, goodness_of_fit
from htsr_ref.powerlaw.uncertainty.resampling import BootstrapIntervals, bootstrap

__all__ = [
    "BootstrapIntervals",
    "GoodnessOfFit",
    "Interval",
    "bootstrap",
    "goodness_of_fit",
]
