"""How sure a fitted power law is: intervals of α and xmin, and the goodness-of-fit test."""

from htsr_ref.powerlaw.uncertainty.bootstrap import BootstrapIntervals, bootstrap
from htsr_ref.powerlaw.uncertainty.goodness_of_fit import GoodnessOfFit, goodness_of_fit
from htsr_ref.powerlaw.uncertainty.interval import Interval

__all__ = [
    "BootstrapIntervals",
    "GoodnessOfFit",
    "Interval",
    "bootstrap",
    "goodness_of_fit",
]
