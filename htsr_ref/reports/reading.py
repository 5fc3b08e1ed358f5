"""Reports read from the JSON that they were written as, today or under an earlier specification."""

import os
from dataclasses import replace
from typing import Any

from htsr_ref.errors import ConventionError, ReportError
from htsr_ref.metric_table import MEAN_FIELDS, MODEL_MEANS
from htsr_ref.reports.earlier import EARLIER_VERSIONS, as_today
from htsr_ref.reports.report import SPEC_VERSION, LayerReport, Report
from htsr_ref.text import strictjson
from htsr_ref.text.reading import read_bytes
from htsr_ref.text.rebuild import rebuild

_AGAIN = "Write it again with `htsr analyze WEIGHTS -o report.json`"


def read_report(text: str) -> Report:
    """Read a report from JSON text.

    Raises
    ------
    ReportError
        The text is not such a report.

    Spec: RPT-2, RPT-9.
    """
    try:
        data = strictjson.loads(text)
    except ValueError as error:
        raise ReportError(f"not a report: it is not JSON ({error}). {_AGAIN}") from error
    version = data.get("spec_version") if isinstance(data, dict) else None
    if version is None:
        raise ReportError(f"not a report: it states no spec_version. {_AGAIN}")
    if version in EARLIER_VERSIONS:
        data = as_today(data)
    elif version != SPEC_VERSION:
        raise ReportError(
            f"not a report of this version: spec_version is {version!r}, not "
            f"{SPEC_VERSION!r}. {_AGAIN}"
        )
    try:
        report: Report = rebuild(Report, data, "report")
        for place, layer in enumerate(report.layers):
            _check_layer(layer, f"report.layers[{place}]")
        if report.model.counts.keys() != MODEL_MEANS.keys():
            keys = ", ".join(MODEL_MEANS)
            raise ValueError(f"report.model.counts does not have the keys {keys}")
    except (ConventionError, ValueError) as error:
        raise ReportError(f"not a report of this version ({error}). {_AGAIN}") from error
    return report if version == SPEC_VERSION else _judged(report)


def load_report(path: str | os.PathLike[str]) -> Report:
    """Read a report from a JSON file.

    Raises
    ------
    ReportError
        The file cannot be read, or is not such a report.
    """
    try:
        return read_report(read_bytes(path).decode("utf-8"))
    except OSError as error:
        raise ReportError(
            f"{path}: it cannot be read ({error.strerror}). Check the path"
        ) from error
    except UnicodeDecodeError as error:
        raise ReportError(f"{path}: not a report: it is not UTF-8. {_AGAIN}") from error
    except ReportError as error:
        raise ReportError(f"{path}: {error}") from error


def rebuilt_layer(value: Any) -> LayerReport:
    """Rebuild the report of one layer, which was written apart from the others.

    Raises
    ------
    ValueError
        It is not one that an analysis gives.

    Spec: RPT-2.
    """
    layer: LayerReport = rebuild(LayerReport, value, "layer")
    _check_layer(layer, "layer")
    return layer


def _check_layer(layer: LayerReport, where: str) -> None:
    """Refuse a layer without its numbers or a reason, or with numbers that cannot be."""
    for name, found in (("means", layer.means), ("counts", layer.counts)):
        if found is not None and found.keys() != set(MEAN_FIELDS):
            raise ValueError(f"{where}.{name} does not have the keys {', '.join(MEAN_FIELDS)}")
    is_analyzed = layer.skipped is None
    if any(bool(found) != is_analyzed for found in (layer.matrices, layer.means, layer.counts)):
        raise ValueError(f"{where} has neither its numbers nor a reason to skip it, or has both")
    for place, matrix in enumerate(layer.matrices):
        if matrix.weighted_alpha is not None and matrix.lambda_max <= 0:
            raise ValueError(f"{where}.matrices[{place}].lambda_max is {matrix.lambda_max!r}")


def _judged(report: Report) -> Report:
    """Draw the verdicts on the matrices of an earlier report.

    Spec: VRD-17.
    """
    layers = (
        replace(layer, matrices=tuple(matrix.judged() for matrix in layer.matrices))
        for layer in report.layers
    )
    return replace(report, layers=tuple(layers))
