"""What makes the exit code of an analysis 1, and how it is said."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.cli import output
from htsr_ref.conventions import DEFAULT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from htsr_ref.reports.gates import Gate
    from htsr_ref.reports.report import Report


def warn_of_default(gates: Iterable[Gate], convention: str | None) -> None:
    """Say which convention gates are for, if it matters and none was named. Spec: RPT-7."""
    from htsr_ref.reports.gates import OF_CONVENTION

    if convention is None and any(gate.name in OF_CONVENTION for gate in gates):
        output.fail(
            f"warning: alpha_hat depends on the convention: the gate is for {DEFAULT}. "
            "Say which one you mean with --convention"
        )


def failures_of(report: Report, gates: Iterable[Gate], *, allow_skipped: bool) -> list[str]:
    """Say which gates a report does not pass, and, unless that is allowed, which layers lack."""
    found = [f"check failed: {failure}" for gate in gates if (failure := gate.failure(report))]
    if not allow_skipped:
        found += [f"layer skipped: {layer.fault}" for layer in report.bad_layers()]
    return found


def exit_code(file: str, report: Report, failures: Sequence[str]) -> int:
    """Say failures on standard error; 1 if there is one or no number at all, else 0."""
    say_if_nothing_was_analyzed(file, report)
    for failure in failures:
        output.fail(failure)
    return int(bool(failures) or not report.analyzed())


def say_if_nothing_was_analyzed(file: str, report: Report) -> None:
    """Say on standard error that a report has no numbers."""
    if not report.analyzed():
        output.fail(nothing_analyzed(file))


def nothing_analyzed(name: str) -> str:
    """Say that a report has no numbers."""
    return f"{name}: no weight matrix was analyzed. `htsr describe` says what the file holds"
