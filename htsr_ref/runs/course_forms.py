"""What people read of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from htsr_ref.models.trends import METRIC_TITLES
from htsr_ref.reports.blocks import Block, Lines, Table
from htsr_ref.reports.markdown import convention_text, number
from htsr_ref.runs.checkpoint import MEASURES
from htsr_ref.runs.course import counted_by_place
from htsr_ref.text.sparklines import series

if TYPE_CHECKING:
    from htsr_ref.runs.checkpoint import Point
    from htsr_ref.runs.course import Course

TITLES = dict(zip(MEASURES, (*METRIC_TITLES, "random-like"), strict=True))
"""What tables call the numbers that are followed."""

IN_ROWS = MEASURES[1:4]
"""Numbers in a checkpoint's row, after alpha_hat with its error."""

WHAT_IT_TELLS = (
    "What this can tell: in 18 trainings that were followed epoch by epoch, alpha_hat rose with "
    "the accuracy while the networks learned (15 of 18), alpha fell (18 of 18), and all matrices "
    "were random-like before the training, few or none after it (15 of 18). None of these numbers "
    "reliably found the best checkpoint: keep your validation accuracy "
    "(spec/experiments/monitoring.md)."
)


def course_blocks(course: Course, rows: int | None = None) -> list[Block]:
    """Give the table of checkpoints, what becomes of each number, and how to read them.

    Parameters
    ----------
    course : of the run.
    rows : checkpoints in the table, the last ones; all if None.

    Spec: TRD-13, TRD-14.
    """
    left = 0 if rows is None else max(0, len(course.points) - rows)
    points = course.points[left:]
    noise = sum(point.apart is not None for point in course.points)
    left_out = "" if course.everything else "; they count for the last row alone"
    legend = [
        f"Ordered by {course.order}. τ: Kendall's τ-b of the number and the order of checkpoints, "
        "1 if it only rises, −1 if it only falls; checkpoints of one run depend on one another, "
        "so that it has no p-value.",
        *_shared_steps(course),
        *([f"Like noise as a whole: {noise} of {len(course.points)}{left_out}."] if noise else []),
        *sorted(
            {f"–: {drift.null_reason}" for drift in course.drifts.values() if drift.null_reason}
        ),
        WHAT_IT_TELLS,
        f"Convention {convention_text(course.convention)}.",
    ]
    return [_checkpoint_table(points), _drift_table(course), Lines(legend)]


def _shared_steps(course: Course) -> list[str]:
    """Say that steps occur twice, where the order is theirs."""
    steps = [point.step for point in course.points]
    if course.order != "step" or len(set(steps)) == len(steps):
        return []
    return ["Several checkpoints state the same step: they may be of different runs."]


def _checkpoint_table(points: tuple[Point, ...]) -> Table:
    header = ("checkpoint", "step", "alpha_hat", "±", *map(TITLES.__getitem__, IN_ROWS))
    return Table((*header, "random-like"), [_row(point) for point in points], range(1, 8))


def _row(point: Point) -> list[str]:
    numbers = [
        point.measures["alpha_hat"],
        point.standing.alpha_hat_stderr,
        *map(point.measures.__getitem__, IN_ROWS),
    ]
    step = "–" if point.step is None else str(point.step)
    return [point.name, step, *map(number, numbers), _noise_text(point)]


def _noise_text(point: Point) -> str:
    """Say how many of the matrices that are judged are random-like."""
    return f"{point.standing.verdicts['random-like']} of {point.standing.judged}"


def line_of(point: Point) -> str:
    """Say what was found at a checkpoint in one line.

    Spec: WCH-4.
    """
    place = point.name if point.step is None else f"step {point.step}"
    name = "" if point.step is None else f" ({point.name})"
    error = point.standing.alpha_hat_stderr
    numbers = [f"alpha_hat {number(point.measures['alpha_hat'])} ± {number(error)}"]
    numbers += [f"{TITLES[measure]} {number(point.measures[measure])}" for measure in IN_ROWS]
    return f"{place}: {', '.join(numbers)}, random-like {_noise_text(point)}{name}"


def _drift_table(course: Course) -> Table:
    header = ("over the run", "", "first", "last", "least", "at", "τ", "one left out")
    return Table(header, [_drift_row(course, name) for name in MEASURES], range(1, 8))


def _drift_row(course: Course, name: str) -> list[str]:
    """Say what becomes of a number."""
    known = counted_by_place(name, course.order, course.points, everything=course.everything)
    drift = course.drifts[name]
    ends = drift.kendall_range
    dash = number(None)
    first, last, least, at = dash, dash, dash, dash
    if known:
        place, lowest = min(known, key=lambda item: item[1])
        first, last, least = (number(value) for value in (known[0][1], known[-1][1], lowest))
        at = str(place)
    return [
        TITLES[name],
        series([point.measures[name] for point in course.points]),
        first,
        last,
        least,
        at,
        number(drift.kendall, ".2f"),
        dash if ends is None else f"{ends[0]:.2f} … {ends[1]:.2f}",
    ]
