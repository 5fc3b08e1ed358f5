"""What the script of a page draws: the numbers of every matrix, as JSON that is safe in HTML."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from htsr_ref.metric_table import METRICS
from htsr_ref.reports.words import tests_in_words
from htsr_ref.text.lines import one_line
from htsr_ref.text.order import by_depth

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.pages.layer_table import Row
    from htsr_ref.pages.spectra import Spectra, ThinSpectrum
    from htsr_ref.reports.report import LayerReport, MatrixReport, Report

DIGITS = 5
"""Significant digits of embedded numbers."""

LAWS: Mapping[str, str] = {"bounded-mle": "bounded", "truncated": "cutoff"}
"""What the fitted law is by the value of `estimator`, where it is no plain power law (CNV-5)."""


def page_data(reports: Sequence[Report], spectra: Sequence[Spectra], rows: Sequence[Row]) -> str:
    """Write what the script needs as JSON text without characters that have a meaning in HTML.

    Parameters
    ----------
    reports : at least one.
    spectra : of each; empty where there are no eigenvalues.
    rows : the table of layers.

    Spec: PAG-1, PAG-2, PAG-5.
    """
    shared = dict.fromkeys(thin.ranks for found in spectra for thin in found.values())
    ranks = {key: place for place, key in enumerate(shared)}
    data = {
        "ranks": list(ranks),
        "metrics": [
            [name, metric.meaning + (f" ({metric.unit})" if metric.unit else "")]
            for name, metric in METRICS.items()
        ],
        "reports": [
            {
                "name": report.source.title,
                "law": LAWS.get(report.convention.estimator, "plain"),
                "layers": [
                    _layer(layer, place, found, ranks)
                    for place, layer in _analyzed_by_depth(report)
                ],
            }
            for report, found in zip(reports, spectra, strict=True)
        ],
        "rows": [row.layers for row in rows],
    }
    return safe_json(_rounded(data))


def safe_json(value: Any) -> str:
    r"""Write JSON that no HTML parser takes for the end of a script, whatever its strings hold.

    Spec: PAG-2.

    >>> safe_json("</script><!--")
    '"\\u003c/script\\u003e\\u003c!--"'
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    for character in "<>&":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _analyzed_by_depth(report: Report) -> list[tuple[int, LayerReport]]:
    """Analyzed layers in the order of the table, with their places in the report."""
    found = [item for item in enumerate(report.layers) if item[1].skipped is None]
    return [found[i] for i in by_depth([layer.name for _, layer in found])]


Ranks = dict[tuple[int, ...], int]
"""Where the ranks of points are embedded: spectra of one size have the same."""


def _layer(layer: LayerReport, place: int, spectra: Spectra, ranks: Ranks) -> dict[str, Any]:
    sizes = "×".join(map(str, layer.shape))
    facts = [
        ["tensor", layer.tensor],
        ["role", f"{layer.role}, {layer.decided}"],
        ["shape", f"{sizes} ({', '.join(layer.axes)}), {layer.dtype}"],
    ]
    return {
        "facts": facts,
        "warnings": layer.warnings,
        "matrices": [
            _matrix(matrix, spectra.get((place, matrix.index)), ranks) for matrix in layer.matrices
        ],
    }


def _matrix(matrix: MatrixReport, spectrum: ThinSpectrum | None, ranks: Ranks) -> dict[str, Any]:
    return {
        "label": matrix.label or f"matrix {matrix.index}",
        "numbers": [getattr(matrix, name) for name in METRICS],
        "verdict": None if matrix.verdict is None else matrix.verdict.name,
        "said": _said(matrix),
        "mp": _bulk(matrix),
        "spectrum": None if spectrum is None else _spectrum(spectrum, ranks),
    }


def _spectrum(thin: ThinSpectrum, ranks: Ranks) -> list[Any]:
    return [thin.size, ranks[thin.ranks], thin.values, thin.low, thin.high, thin.counts]


def _said(matrix: MatrixReport) -> list[list[str]]:
    """Sentences on one matrix, each with what it is about."""
    said = []
    if matrix.verdict is not None:
        said.append(["verdict", f"{matrix.verdict.name}: {matrix.verdict.reason}"])
        if matrix.verdict.remark is not None:
            said.append(["remark", matrix.verdict.remark])
    if matrix.alpha_null_reason is not None:
        said.append(["no fit", matrix.alpha_null_reason])
    said += [["test", text] for text in tests_in_words(matrix)]
    if matrix.null_model is not None:
        said.append(["shuffled", f"{matrix.null_model.verdict}"])
    if matrix.phase is not None:
        said.append(["phase", f"{matrix.phase}: {matrix.phase_reason}"])
    said += [["warning", text] for text in matrix.warnings]
    return said


def _bulk(matrix: MatrixReport) -> list[float] | None:
    bulk = matrix.mp
    if bulk is None:
        return None
    return [
        bulk.variance,
        bulk.Q,
        bulk.lambda_minus,
        bulk.lambda_plus,
        bulk.edge,
        bulk.bulk_size,
        bulk.num_spikes,
    ]


def _rounded(value: Any) -> Any:
    """Round numbers and escape texts, however deep they lie."""
    match value:
        case float():
            return float(f"{value:.{DIGITS}g}")
        case str():
            return one_line(value)
        case dict():
            return {key: _rounded(member) for key, member in value.items()}
        case list() | tuple():
            return [_rounded(member) for member in value]
    return value
