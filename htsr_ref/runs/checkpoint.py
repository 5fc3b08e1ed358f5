"""A checkpoint of a run, and what is kept of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from htsr_ref.models.apart import why_noise
from htsr_ref.models.standing import standing_of
from htsr_ref.models.trends import METRICS
from htsr_ref.runs.steps import step_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from htsr_ref.models.standing import Standing
    from htsr_ref.reports.report import Report

MEASURES = (*METRICS, "random_like_share")
"""Numbers of a checkpoint that are followed over a run."""


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was analyzed.

    Attributes
    ----------
    name : of its file or folder, below the folder that is watched.
    step : that its name states; None if it states none.
    changed : nanoseconds since 1970 at which it was written; None where that is not known.
    report : its numbers.
    """

    name: str
    step: int | None
    changed: int | None
    report: Report

    def __repr__(self) -> str:
        step = "" if self.step is None else f", step {self.step}"
        return f"<Checkpoint {self.name!r}{step}>"


@dataclass(frozen=True)
class Point:
    """What is kept of a checkpoint.

    Attributes
    ----------
    name, step, changed : as of the checkpoint.
    measures : numbers by the names of `MEASURES`; None where one is undefined.
    standing : what they rest on.
    apart : why the checkpoint cannot be told from noise; None if it can.
    """

    name: str
    step: int | None
    changed: int | None
    measures: Mapping[str, float | None]
    standing: Standing
    apart: str | None


def checkpoint_of(report: Report) -> Checkpoint:
    """Take a report for that of a checkpoint, whose step its source's name states."""
    return Checkpoint(report.source.name, step_of(report.source.name), None, report)


def point_of(checkpoint: Checkpoint) -> Point:
    """Keep of a checkpoint what is followed over a run.

    Spec: WCH-4.
    """
    report, standing = checkpoint.report, standing_of(checkpoint.report)
    measures = {name: getattr(report.model, name) for name in METRICS}
    return Point(
        checkpoint.name,
        checkpoint.step,
        checkpoint.changed,
        {**measures, "random_like_share": standing.random_like_share},
        standing,
        why_noise(standing),
    )


def is_again(known: Point, new: Point) -> bool:
    """Whether a checkpoint that is known was written again.

    A file whose name states no step, such as last.ckpt, is another checkpoint each time.

    Spec: WCH-2.
    """
    return known.name == new.name and new.step is not None


def counted(point: Point, name: str, *, everything: bool = False) -> float | None:
    """Give a number of a checkpoint if it counts: of noise, its share of noise alone does.

    Spec: TRD-14, WCH-5.
    """
    is_used = everything or point.apart is None or name == "random_like_share"
    return point.measures[name] if is_used else None
