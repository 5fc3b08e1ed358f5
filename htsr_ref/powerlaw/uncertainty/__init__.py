"""How sure a fitted power law is: intervals of α and xmin, and the goodness-of-fit test."""

from htsr_ref.powerlaw.uncertainty.bootstrap import BootstrapIntervals, bootstrap
from htsr_ref.powerlaw.uncertainty.exact import exact_interval
from htsr_ref.powerlaw.uncertainty.goodness_of_fit import GoodnessOfFit, goodness_of_fit
from htsr_ref.powerlaw.uncertainty.interval import Interval, Method
from htsr_ref.powerlaw.uncertainty.profile import profile_interval

__all__ = [
    "BootstrapIntervals",
    "GoodnessOfFit",
    "Interval",
    "Method",
    "bootstrap",
    "exact_interval",
    "goodness_of_fit",
    "profile_interval",
]
