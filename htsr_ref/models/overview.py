"""What came of several models: a row each, and how many of each sort."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from htsr_ref.models.standing import standing_of
from htsr_ref.models.standing_forms import VERDICT_HEADER, verdict_counts
from htsr_ref.reports.blocks import Lines, Table, blocks_text
from htsr_ref.reports.markdown import convention_text, number
from htsr_ref.reports.report import NOT_COMPUTED
from htsr_ref.text.lines import count
from htsr_ref.weights.meaning.roles import MATRIX_ROLES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from htsr_ref.conventions import Convention
    from htsr_ref.reports.report import Report

Result = Literal["written", "kept", "failed"]
RESULTS: tuple[Result, ...] = ("written", "kept", "failed")

HEADER = ("report", "layers", "skipped", "alpha_hat", "alpha", *VERDICT_HEADER, "result")


@dataclass(frozen=True)
class Row:
    """What came of one model.

    Attributes
    ----------
    name : of its report.
    result : whether that was written, was kept, or is missing.
    numbers : cells of the table between the two.
    remark : why there is no report, or how many failures make the exit code 1; else empty.

    Spec: SCL-14.
    """

    name: str
    result: Result
    numbers: tuple[str, ...]
    remark: str

    @classmethod
    def of(cls, name: str, report: Report, result: Result, failures: int) -> Row:
        """Sum up a report, and say how many failures make the exit code 1."""
        skipped = [layer for layer in report.layers if layer.skip_code is not None]
        missed = sum(
            layer.role in MATRIX_ROLES or layer.skip_code in NOT_COMPUTED for layer in skipped
        )
        found = report.model
        verdicts = verdict_counts(standing_of(report))
        means = (number(found.alpha_hat), number(found.mean_alpha))
        remark = count(failures, "failure") if failures else ""
        return cls(
            name, result, (str(found.layers), str(missed), *means, *map(str, verdicts)), remark
        )

    @classmethod
    def of_failure(cls, name: str, why: str) -> Row:
        """Name a model without a report."""
        return cls(name, "failed", ("–",) * (len(HEADER) - 2), why)

    @property
    def cells(self) -> tuple[str, ...]:
        """Cells of the table; why there is no report does not fit in one."""
        is_short = self.remark and self.result != "failed"
        result = f"{self.result}; {self.remark}" if is_short else self.result
        return (self.name, *self.numbers, result)


def overview_text(rows: Sequence[Row], convention: Convention) -> str:
    """Lay out a table of the rows, and count them.

    Spec: SCL-14.
    """
    times = Counter(row.result for row in rows)
    sums = ", ".join(f"{times[result]:,} {result}" for result in RESULTS if times[result])
    return blocks_text(
        [
            Table(HEADER, [row.cells for row in rows], range(1, len(HEADER) - 1)),
            Lines([f"{row.name}: {row.remark}" for row in rows if row.result == "failed"]),
            Lines(
                [
                    f"{count(len(rows), 'model')}: {sums}.",
                    "skipped: layers of weights without numbers; open: no verdict.",
                    f"Convention {convention_text(convention)}.",
                ]
            ),
        ]
    )
