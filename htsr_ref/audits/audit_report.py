"""What an audit found: frozen dataclasses, their JSON and Markdown. Computes nothing."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from htsr_ref.conventions import Convention
from htsr_ref.reports.report import Source, Tool
from htsr_ref.text import strictjson
from htsr_ref.text.lines import one_line

Verdict = Literal["reproduced", "explained", "known fault", "unexplained"]

VERDICTS: tuple[Verdict, ...] = ("unexplained", "known fault", "explained", "reproduced")
"""The verdicts, worst first."""


@dataclass(frozen=True)
class Cell:
    """One number of a table and ours.

    Attributes
    ----------
    column : its name in the table.
    theirs, ours : the numbers; None where one is undefined, theirs also "inf" and "-inf".
    difference : |theirs − ours|; None if either is not a number.
    verdict : see AUD-8.
    fault : number of the known fault; None for other verdicts.

    Spec: AUD-7, AUD-8.
    """

    column: str
    theirs: float | str | None
    ours: float | None
    difference: float | None
    verdict: Verdict
    fault: str | None


@dataclass(frozen=True)
class AuditedRow:
    """One row of the table.

    Attributes
    ----------
    place : where it stands in the table.
    label : our name of its matrix; empty for a layer of one matrix, and for the means of several.
    reason : why there are no numbers of ours; None if there are.
    cells : its numbers.
    """

    place: str
    label: str
    reason: str | None
    cells: tuple[Cell, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its cells."""
        return min((cell.verdict for cell in self.cells), key=VERDICTS.index)


@dataclass(frozen=True)
class Contributions:
    """How a number of a layer gets from the default convention to theirs.

    Attributes
    ----------
    start : its value under the default, or after the change that first defines it.
    contributions : of each change; None where the number was not defined before it.
    ours : its value under their convention.
    theirs : theirs, the mean over the layer's rows; None if the table does not say.
    rest : theirs − ours.

    Spec: AUD-11.
    """

    start: float | None
    contributions: tuple[float | None, ...]
    ours: float | None
    theirs: float | None
    rest: float | None


@dataclass(frozen=True)
class AuditedLayer:
    """One layer, or rows for which no layer was found.

    Attributes
    ----------
    name : of the layer; without one, what the table calls it.
    matched_by : how the layer was found; None if it was not.
    rows : its rows.
    paths : those of α, λ_max and α̂.

    Spec: AUD-4.
    """

    name: str
    matched_by: str | None
    rows: tuple[AuditedRow, ...]
    paths: dict[str, Contributions]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of its rows."""
        return min((row.verdict for row in self.rows), key=VERDICTS.index)


@dataclass(frozen=True)
class LayerAlone:
    """A layer without a row, and why the convention does not analyze it; None if it does."""

    name: str
    reason: str | None


@dataclass(frozen=True)
class Found:
    """Choices that reproduce a table: a convention and its changes."""

    base: str
    changes: dict[str, Any]


@dataclass(frozen=True)
class AuditReport:
    """What `htsr audit` finds.

    Attributes
    ----------
    weights : where the weights came from.
    table : name of the table's file.
    dialect : the tool that the table's columns are those of.
    claimed : the convention that the table was held to at first; None if it was unknown.
    convention : the one under which the numbers are ours.
    explanation : the choices that turn `claimed` (if unknown, a shipped convention) into it.
    ties : other choices, as few, that reproduce the table as well.
    tried : conventions that were tried for that.
    path : the choices from the default to `convention`, in order.
    layers : those of the table, in the order of the source, then rows without a layer.
    layers_alone : layers without a row.
    left_out : columns that were not compared.
    digits : to how many digits the reproduced numbers agree.

    Spec: AUD-14.
    """

    spec_version: str
    tool: Tool
    weights: Source
    table: str
    dialect: str
    claimed: Convention | None
    convention: Convention
    solver: str
    explanation: Found
    ties: tuple[Found, ...]
    tried: int
    path: tuple[dict[str, Any], ...]
    layers: tuple[AuditedLayer, ...]
    layers_alone: tuple[LayerAlone, ...]
    left_out: tuple[str, ...]
    digits: int

    @property
    def counts(self) -> Mapping[Verdict, int]:
        """Number of cells of each verdict, worst first."""
        found = Counter(cell.verdict for cell in self.cells())
        return {verdict: found[verdict] for verdict in VERDICTS}

    def cells(self) -> tuple[Cell, ...]:
        """Every compared number."""
        return tuple(cell for layer in self.layers for row in layer.rows for cell in row.cells)

    def __repr__(self) -> str:
        found = ", ".join(f"{number} {verdict}" for verdict, number in self.counts.items())
        return one_line(f"<AuditReport of {self.table}: {found}>")

    def __str__(self) -> str:
        """Lay out what was found: in words, by layer, by number, and choice by choice."""
        from htsr_ref.audits.plain_text import audit_text

        return audit_text(self)

    def to_markdown(self) -> str:
        """Write the same as Markdown.

        Spec: AUD-14.
        """
        from htsr_ref.audits.text import to_markdown

        return to_markdown(self)

    def to_json(self) -> str:
        """Write the report as JSON text.

        Spec: AUD-14.
        """
        return strictjson.dumps(vars(self) | {"counts": self.counts})


def difference(theirs: float | None, ours: float | None) -> float | None:
    """|theirs − ours|, if both are finite numbers.

    >>> difference(1.5, 1.0), difference(None, 1.0)
    (0.5, None)
    """
    if theirs is None or ours is None or not math.isfinite(theirs):
        return None
    return abs(theirs - ours)
