"""Verdicts and tests of a report's layers as rows of a table for people."""

from collections import Counter

from htsr_ref.reports.report import LayerReport, Report
from htsr_ref.reports.verdicts import Verdict
from htsr_ref.reports.words import LEVEL, decided_for, law_text, tests_in_words

VERDICT_HEADER = ("layer", "verdict", "because")
TEST_HEADER = ("layer", "tests of the power law")

LEGEND = (
    "D: distance of the tail from the fitted power law (KS), at most 1; small is near.",
    "tail: the number of eigenvalues from xmin up, to which alpha is fitted.",
    "ξ: the extreme-value index: above 0 a heavy tail, below 0 an edge; undecided implies neither.",
    "verdict: is there a power law at all? alpha is fitted whether or not there is one.",
)
"""What a reader of the tables needs to know, one line each."""


def verdict_rows(report: Report) -> list[list[str]]:
    """Verdict on each layer's matrices and the reason; none for a report without verdicts.

    Spec: VRD-1, VRD-8.
    """
    return [
        [layer.name, verdict_text(layer), because(layer)]
        for layer in report.analyzed()
        if _verdicts(layer)
    ]


def verdict_text(layer: LayerReport) -> str:
    """Name the verdict on a layer's only matrix, or count those on its matrices.

    Spec: VRD-8.
    """
    counts = Counter(verdict.name for verdict in _verdicts(layer)).most_common()
    if len(layer.matrices) == 1:
        return "".join(name for name, _ in counts)
    return ", ".join(f"{number} {name}" for name, number in counts)


def verdict_words(report: Report) -> list[str] | None:
    """Verdict on every matrix, in the order of the file; None where one has none.

    Spec: FIG-6, VRD-8.
    """
    verdicts = [matrix.verdict for layer in report.layers for matrix in layer.matrices]
    words = [verdict.name for verdict in verdicts if verdict is not None]
    return [*words] if len(words) == len(verdicts) else None


def because(layer: LayerReport) -> str:
    """Give the reason of the first matrix with the most frequent verdict; empty without any.

    Spec: VRD-8.
    """
    verdicts = _verdicts(layer)
    counts = Counter(verdict.name for verdict in verdicts).most_common(1)
    reasons = [verdict.reason for verdict in verdicts if verdict.name == counts[0][0]]
    return "" if not reasons else reasons[0] if len(verdicts) == 1 else f"such as: {reasons[0]}"


def test_rows(report: Report) -> list[list[str]]:
    """Say what goodness of fit and comparisons found, a row each; none if they were not made.

    Spec: VRD-6, VRD-8.
    """
    rows = []
    for layer in report.analyzed():
        said = (
            tests_in_words(layer.matrices[0]) if len(layer.matrices) == 1 else _counted_tests(layer)
        )
        rows += [["" if place else layer.name, text] for place, text in enumerate(said)]
    return rows


def remarks_on_alpha(layer: LayerReport) -> list[str]:
    """Collect what the field calls the exponents of a layer.

    Spec: VRD-7.
    """
    return [verdict.remark for verdict in _verdicts(layer) if verdict.remark is not None]


def _verdicts(layer: LayerReport) -> list[Verdict]:
    return [matrix.verdict for matrix in layer.matrices if matrix.verdict is not None]


def _counted_tests(layer: LayerReport) -> list[str]:
    """Count what the tests of a layer's matrices found."""
    p_values = [matrix.p_value for matrix in layer.matrices if matrix.p_value is not None]
    said = []
    if p_values:
        kept = sum(p_value >= LEVEL for p_value in p_values)
        said.append(f"power law not rejected in {kept} of {len(p_values)}")
    names = dict.fromkeys(name for matrix in layer.matrices for name in matrix.comparisons)
    for name in names:
        tests = [matrix.comparisons.get(name) for matrix in layer.matrices]
        found = Counter(decided_for(name, test) for test in tests if test is not None)
        if found:
            said.append(
                f"{law_text(name)} preferred in {found[name]} of {found.total()}, "
                f"power law in {found['power_law']}, undecided in {found[None]}"
            )
    return said
