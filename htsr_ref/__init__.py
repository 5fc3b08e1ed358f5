"""Heavy-tailed self-regularization metrics of trained networks, from their weights alone.

    analyze         every number of a model          describe   what a file holds
    spectrum        eigenvalues of one matrix        validate   is a file sound?
    fit_sample      a power law in any numbers       fit_power_law   the fit alone
    rank, trend, diff   several models               audit      somebody else's table
    watch, over_time    a training run, live or finished
    synth, check_expected   known answers            convert, open_weights, write_weights   files
    get_convention, conventions   the choices behind the numbers

>>> import htsr_ref
>>> htsr_ref.fit_sample([1.0, 2.0, 3.0, 5.0], xmin=2.0)
<SampleReport of sample: 4 values, alpha 3.2697>

What `__all__` lists is the public interface; everything else may move. The names are imported on
first use, so that `import htsr_ref` costs nothing.
"""

from importlib import import_module

from htsr_ref.version import __version__

TYPE_CHECKING = False  # not from typing, whose import takes longer than all else here
if TYPE_CHECKING:
    from typing import Any

    from htsr_ref import conventions
    from htsr_ref.analysis.analyzing import Progress, analyze
    from htsr_ref.analysis.description import DescribedLayer, DescribedMatrix, Description, describe
    from htsr_ref.analysis.one_spectrum import spectrum
    from htsr_ref.analysis.validation import Validation, validate
    from htsr_ref.audits.asking import audit
    from htsr_ref.audits.audit_report import AuditReport
    from htsr_ref.conventions import Convention, get_convention
    from htsr_ref.errors import (
        CacheError,
        ChangedWeightsError,
        ConventionError,
        EnsembleError,
        ExecutorError,
        ExpectationError,
        HtsrError,
        JournalError,
        LayerError,
        NoFitError,
        OutputError,
        ReportError,
        SampleError,
        TableError,
        WeightFileError,
    )
    from htsr_ref.models.comparing import diff, rank, trend
    from htsr_ref.models.difference import Change, Difference, LayerChange
    from htsr_ref.models.ranking import RankedModel, Ranking
    from htsr_ref.models.trend_report import TrendReport
    from htsr_ref.models.trends import Trend
    from htsr_ref.pages.page import report_page
    from htsr_ref.powerlaw import TailFit, fit_power_law
    from htsr_ref.reports.gates import GateError
    from htsr_ref.reports.report import (
        ExtremeValue,
        LawComparison,
        LayerReport,
        MatrixReport,
        ModelReport,
        Report,
        Source,
    )
    from htsr_ref.runs.checkpoint import Checkpoint
    from htsr_ref.runs.course import Course
    from htsr_ref.runs.following import watch
    from htsr_ref.runs.over_time import over_time
    from htsr_ref.samples.fitting import fit_sample
    from htsr_ref.samples.sample_report import SampleReport
    from htsr_ref.spectra.eigenvalues import Spectrum
    from htsr_ref.synthetic.expectations import ExpectationCheck, check_expected
    from htsr_ref.synthetic.writing import synth
    from htsr_ref.weights import (
        Converted,
        Layer,
        TensorSpec,
        Weights,
        convert,
        open_weights,
        write_weights,
    )

_HOME = {
    "AuditReport": "audits.audit_report",
    "CacheError": "errors",
    "Change": "models.difference",
    "ChangedWeightsError": "errors",
    "Checkpoint": "runs.checkpoint",
    "Convention": "conventions",
    "ConventionError": "errors",
    "Converted": "weights",
    "Course": "runs.course",
    "DescribedLayer": "analysis.description",
    "DescribedMatrix": "analysis.description",
    "Description": "analysis.description",
    "Difference": "models.difference",
    "EnsembleError": "errors",
    "ExecutorError": "errors",
    "ExpectationCheck": "synthetic.expectations",
    "ExpectationError": "errors",
    "ExtremeValue": "reports.report",
    "GateError": "reports.gates",
    "HtsrError": "errors",
    "JournalError": "errors",
    "LawComparison": "reports.report",
    "Layer": "weights",
    "LayerChange": "models.difference",
    "LayerError": "errors",
    "LayerReport": "reports.report",
    "MatrixReport": "reports.report",
    "ModelReport": "reports.report",
    "NoFitError": "errors",
    "OutputError": "errors",
    "Progress": "analysis.analyzing",
    "RankedModel": "models.ranking",
    "Ranking": "models.ranking",
    "Report": "reports.report",
    "ReportError": "errors",
    "SampleError": "errors",
    "SampleReport": "samples.sample_report",
    "Source": "reports.report",
    "Spectrum": "spectra.eigenvalues",
    "TableError": "errors",
    "TailFit": "powerlaw",
    "TensorSpec": "weights",
    "Trend": "models.trends",
    "TrendReport": "models.trend_report",
    "Validation": "analysis.validation",
    "WeightFileError": "errors",
    "Weights": "weights",
    "analyze": "analysis.analyzing",
    "audit": "audits.asking",
    "check_expected": "synthetic.expectations",
    "conventions": "conventions",
    "convert": "weights",
    "describe": "analysis.description",
    "diff": "models.comparing",
    "fit_power_law": "powerlaw",
    "fit_sample": "samples.fitting",
    "get_convention": "conventions",
    "open_weights": "weights",
    "over_time": "runs.over_time",
    "rank": "models.comparing",
    "report_page": "pages.page",
    "spectrum": "analysis.one_spectrum",
    "synth": "synthetic.writing",
    "trend": "models.comparing",
    "validate": "analysis.validation",
    "watch": "runs.following",
    "write_weights": "weights",
}
"""Where each public name is defined."""

__all__ = [
    "AuditReport",
    "CacheError",
    "Change",
    "ChangedWeightsError",
    "Checkpoint",
    "Convention",
    "ConventionError",
    "Converted",
    "Course",
    "DescribedLayer",
    "DescribedMatrix",
    "Description",
    "Difference",
    "EnsembleError",
    "ExecutorError",
    "ExpectationCheck",
    "ExpectationError",
    "ExtremeValue",
    "GateError",
    "HtsrError",
    "JournalError",
    "LawComparison",
    "Layer",
    "LayerChange",
    "LayerError",
    "LayerReport",
    "MatrixReport",
    "ModelReport",
    "NoFitError",
    "OutputError",
    "Progress",
    "RankedModel",
    "Ranking",
    "Report",
    "ReportError",
    "SampleError",
    "SampleReport",
    "Source",
    "Spectrum",
    "TableError",
    "TailFit",
    "TensorSpec",
    "Trend",
    "TrendReport",
    "Validation",
    "WeightFileError",
    "Weights",
    "__version__",
    "analyze",
    "audit",
    "check_expected",
    "conventions",
    "convert",
    "describe",
    "diff",
    "fit_power_law",
    "fit_sample",
    "get_convention",
    "open_weights",
    "over_time",
    "rank",
    "report_page",
    "spectrum",
    "synth",
    "trend",
    "validate",
    "watch",
    "write_weights",
]


def __getattr__(name: str) -> "Any":
    if name not in _HOME:
        raise AttributeError(f"module 'htsr_ref' has no attribute {name!r}")
    home = import_module(f"htsr_ref.{_HOME[name]}")
    return home if _HOME[name] == name else getattr(home, name)


def __dir__() -> list[str]:
    return sorted(__all__)
