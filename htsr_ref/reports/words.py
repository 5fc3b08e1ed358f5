"""What the tests of a fitted power law say, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from htsr_ref.reports.report import LawComparison, MatrixReport

LEVEL = 0.1
"""p-value below which a test has decided (VRD-6). Source: CSN 2009, sections 4 and 5."""


def tests_in_words(matrix: MatrixReport) -> list[str]:
    """Say what the goodness of fit and each comparison found; nothing if neither was made.

    Spec: VRD-6.
    """
    said = [] if matrix.p_value is None else [goodness_in_words(matrix.p_value)]
    said += [
        comparison_in_words(name, test)
        for name, test in matrix.comparisons.items()
        if test is not None
    ]
    return said


def goodness_in_words(p_value: float) -> str:
    """Say what a goodness of fit means.

    Spec: VRD-6.

    >>> goodness_in_words(0.61)
    'power law not rejected, p .61'
    """
    return f"power law {'' if p_value < LEVEL else 'not '}rejected, {p_text(p_value)}"


def comparison_in_words(name: str, test: LawComparison) -> str:
    """Say which law a comparison prefers, if it does.

    Spec: VRD-6.

    >>> from htsr_ref.reports.report import LawComparison
    >>> comparison_in_words("lognormal", LawComparison(-3.1, -2.9, 0.0031, "lognormal", "vuong"))
    'lognormal preferred, p .0031'
    >>> comparison_in_words("lognormal", LawComparison(-0.2, -0.6, 0.56, None, "vuong"))
    'power law or lognormal: undecided, p .56'
    """
    law = decided_for(name, test)
    if law is None:
        return f"power law or {law_text(name)}: undecided, {p_text(test.p_value)}"
    over = f" over {law_text(name)}" if law == "power_law" else ""
    return f"{law_text(law)} preferred{over}, {p_text(test.p_value)}"


def decided_for(name: str, test: LawComparison) -> str | None:
    """Find the law that a comparison decides for: "power_law", `name` or None.

    Spec: VRD-6.
    """
    if test.p_value is None or test.p_value >= LEVEL or test.log_likelihood_ratio == 0.0:
        return None
    return "power_law" if test.log_likelihood_ratio > 0.0 else name


def p_text(p_value: float | None) -> str:
    """Write a p-value.

    >>> p_text(0.0312), p_text(0.0), p_text(1.0), p_text(None)
    ('p .031', 'p < .001', 'p 1', 'p –')
    """
    if p_value is None:
        return "p –"
    if p_value < 0.001:
        return "p < .001"
    return f"p {p_value:.2g}".replace("p 0.", "p .")


def law_text(name: str) -> str:
    """Name a law in words.

    >>> law_text("power_law")
    'power law'
    """
    return name.replace("_", " ")
