"""Reference implementation of the heavy-tailed self-regularization metrics.

The names below are imported on first use, so that `import htsr_ref` costs nothing.
"""

from importlib import import_module

from htsr_ref.version import __version__

TYPE_CHECKING = False  # not from typing, whose import takes longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from htsr_ref.analysis.analyzing import analyze
    from htsr_ref.conventions import SDM2020, Convention, get_convention
    from htsr_ref.errors import HtsrError
    from htsr_ref.powerlaw import TailFit, fit_power_law
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.eigenvalues import Spectrum
    from htsr_ref.weights import open_weights, write_weights

_HOME = {
    "SDM2020": "conventions",
    "Convention": "conventions",
    "HtsrError": "errors",
    "Report": "reports.report",
    "Spectrum": "spectra.eigenvalues",
    "TailFit": "powerlaw",
    "analyze": "analysis.analyzing",
    "fit_power_law": "powerlaw",
    "get_convention": "conventions",
    "open_weights": "weights",
    "write_weights": "weights",
}

__all__ = [
    "SDM2020",
    "Convention",
    "HtsrError",
    "Report",
    "Spectrum",
    "TailFit",
    "__version__",
    "analyze",
    "fit_power_law",
    "get_convention",
    "open_weights",
    "write_weights",
]


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module 'htsr_ref' has no attribute {name!r}")
    return getattr(import_module(f"htsr_ref.{_HOME[name]}"), name)
