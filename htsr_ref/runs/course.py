"""The course of a run: its metrics in the order of its checkpoints."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.models.rank_correlation import tau_b, tau_b_range
from htsr_ref.models.standing_forms import flat_standing
from htsr_ref.models.trends import LEAST_LEFT_OUT, LEAST_MODELS
from htsr_ref.reports.blocks import blocks_markdown, blocks_text
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.report import SPEC_VERSION, Tool
from htsr_ref.runs.checkpoint import MEASURES, counted
from htsr_ref.runs.steps import in_order
from htsr_ref.text import strictjson
from htsr_ref.text.csvtext import csv_text
from htsr_ref.text.lines import count
from htsr_ref.version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.conventions import Convention
    from htsr_ref.runs.checkpoint import Point
    from htsr_ref.runs.steps import Order


@dataclass(frozen=True)
class Drift:
    """How steadily a number rises or falls over a run.

    Attributes
    ----------
    points : checkpoints that it is defined for and that count.
    kendall : τ-b between the number and the order of the checkpoints; None where undefined.
    kendall_range : its least and greatest value when any one checkpoint is left out.
    null_reason : why `kendall` is None.

    Spec: TRD-14.
    """

    points: int
    kendall: float | None = None
    kendall_range: tuple[float, float] | None = None
    null_reason: str | None = None


@dataclass(frozen=True)
class Course:
    """The checkpoints of one run in their order, and how their numbers go with it.

    Attributes
    ----------
    convention : of all reports behind it.
    order : what the checkpoints are ordered by: "step", "time" or "name".
    everything : whether checkpoints count that cannot be told from noise.
    points : one for each checkpoint.
    drifts : by the names of `MEASURES`.

    Spec: TRD-13, TRD-14.
    """

    spec_version: str
    tool: Tool
    convention: Convention
    order: Order
    everything: bool
    points: tuple[Point, ...]
    drifts: Mapping[str, Drift]

    def __repr__(self) -> str:
        return f"<Course of {count(len(self.points), 'checkpoint')} by {self.order}>"

    def __str__(self) -> str:
        """Lay out the checkpoints and what becomes of their numbers as tables."""
        from htsr_ref.runs.course_forms import course_blocks

        return blocks_text(course_blocks(self))

    def to_markdown(self) -> str:
        """Write the tables as Markdown."""
        from htsr_ref.runs.course_forms import course_blocks

        return blocks_markdown("HT-SR metrics over a run", course_blocks(self))

    def to_json(self) -> str:
        """Write the course as JSON text."""
        whole = asdict(self)
        for point in whole["points"]:
            del point["changed"]  # Reports hold no time.
        return strictjson.dumps(whole)

    def to_csv(self) -> str:
        """Write one row per checkpoint; undefined numbers are empty cells."""
        rows = [row_of(point, self.convention) for point in self.points]
        return csv_text(list(rows[0]), rows)


def row_of(point: Point, convention: Convention) -> dict[str, Any]:
    """Spread a checkpoint over the columns of a table.

    Spec: TRD-13, WCH-6.
    """
    return {
        "step": point.step,
        "checkpoint": point.name,
        **point.measures,
        **flat_standing(point.standing),
        "convention": convention_text(convention),
    }


def course_of(
    points: Sequence[Point], convention: Convention, *, everything: bool = False
) -> Course:
    """Order checkpoints, and say how steadily each number rises or falls.

    Parameters
    ----------
    points : at least one, all under one convention.
    convention : that one.
    everything : count checkpoints too that cannot be told from noise.

    Spec: TRD-13, TRD-14.
    """
    order, placed = in_order(points)
    return Course(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        convention=convention,
        order=order,
        everything=everything,
        points=tuple(placed),
        drifts={name: _drift_of(name, order, placed, everything=everything) for name in MEASURES},
    )


def places_of(order: Order, points: Sequence[Point]) -> list[int]:
    """Give the steps of checkpoints that are ordered by them, else their places from 1.

    Parameters
    ----------
    order, points : as `in_order` gives them.

    Spec: TRD-13.
    """
    return [
        point.step if order == "step" and point.step is not None else place
        for place, point in enumerate(points, 1)
    ]


def counted_by_place(
    name: str, order: Order, points: Sequence[Point], *, everything: bool
) -> list[tuple[int, float]]:
    """Give a number of the checkpoints for which it counts, after their steps or places.

    Spec: TRD-14.
    """
    return [
        (place, value)
        for place, point in zip(places_of(order, points), points, strict=True)
        if (value := counted(point, name, everything=everything)) is not None
    ]


def _drift_of(name: str, order: Order, points: Sequence[Point], *, everything: bool) -> Drift:
    found = counted_by_place(name, order, points, everything=everything)
    # Steps may exceed what an int64 holds.
    x, y = np.array(found, dtype=np.float64).reshape(-1, 2).T
    if x.size < LEAST_MODELS:
        reason = f"fewer than {LEAST_MODELS} checkpoints that are not like noise"
        return Drift(x.size, null_reason=reason)
    if np.ptp(x) == 0 or np.ptp(y) == 0:
        same = "step" if np.ptp(x) == 0 else "number"
        return Drift(x.size, null_reason=f"the {same} is the same for all checkpoints")
    ends = tau_b_range(x, y) if x.size >= LEAST_LEFT_OUT else None
    return Drift(x.size, tau_b(x, y), ends)
