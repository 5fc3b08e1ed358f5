"""How a run that is followed is shown: a live table on a terminal, else a line per checkpoint."""

from __future__ import annotations

import json
import os
import shutil
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.live import Live
from rich.text import Text

from htsr_ref.cli import output
from htsr_ref.reports.blocks import blocks_text
from htsr_ref.runs.course import row_of
from htsr_ref.runs.course_forms import WHAT_IT_TELLS, course_blocks, line_of
from htsr_ref.text.csvtext import csv_text
from htsr_ref.text.lines import one_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from htsr_ref.analysis.analyzing import Progress
    from htsr_ref.runs.checkpoint import Point
    from htsr_ref.runs.course import Course

WAITING = "waiting for checkpoints; Ctrl-C ends"

AROUND = 14
"""Lines of a terminal that the table of checkpoints leaves to what stands around it."""

LEAST_ROWS = 3
"""Checkpoints that it shows at least."""


class Shown:
    """Where a run is shown."""

    def add(self, course: Course, point: Point) -> None:
        """Show a new checkpoint, with which the course is that one."""

    def progress(self, name: str, step: Progress) -> None:
        """Show how far the analysis of a checkpoint has come."""

    def say(self, message: str) -> None:
        """Say something on standard error."""
        output.fail(message)

    def stop(self) -> None:
        """Draw nothing any more."""

    def end(self) -> None:
        """Sum up."""


@contextmanager
def following(form: output.Form) -> Iterator[Shown]:
    """Show a run on standard output, and sum it up when the block ends or is interrupted.

    Spec: WCH-4, WCH-6.
    """
    if form != "table":
        shown: Shown = _Rows(form)
    elif sys.stdout.isatty() and os.environ.get("TERM") != "dumb":
        shown = _Table()
    else:
        shown = _Lines()
    try:
        yield shown
    except (KeyboardInterrupt, SystemExit):
        shown.end()
        raise
    except BaseException:
        shown.stop()
        raise
    shown.end()


class _Table(Shown):
    """A table that is drawn again."""

    def __init__(self) -> None:
        self.course: Course | None = None
        self.live = _drawn(WAITING)

    def add(self, course: Course, point: Point) -> None:
        self.course = course
        self._draw(WAITING)

    def progress(self, name: str, step: Progress) -> None:
        share = step.done / step.total if step.total else 1.0
        self._draw(f"analyzing {one_line(name)}: {share:.0%}")

    def _draw(self, status: str) -> None:
        self.live.update(Text(self._text(status), no_wrap=True), refresh=True)

    def _text(self, status: str) -> str:
        if self.course is None:
            return status
        rows = max(LEAST_ROWS, shutil.get_terminal_size().lines - AROUND)
        *tables, _ = course_blocks(self.course, rows)  # the legend comes at the end
        return f"{blocks_text(tables)}\n{status}"

    def say(self, message: str) -> None:
        self.live.stop()
        output.fail(message)
        self.live = _drawn(self._text(WAITING))

    def stop(self) -> None:
        self.live.stop()

    def end(self) -> None:
        self.stop()
        if self.course is not None:
            output.emit(str(self.course), None)


def _drawn(text: str) -> Live:
    """Draw what is drawn over again, or taken away, later."""
    live = Live(Text(text, no_wrap=True), console=Console(), auto_refresh=False, transient=True)
    live.start(refresh=True)
    return live


class _Lines(Shown):
    """A line per checkpoint, and what became of the numbers at the end."""

    def __init__(self) -> None:
        self.course: Course | None = None

    def add(self, course: Course, point: Point) -> None:
        self.course = course
        output.emit(f"{one_line(line_of(point))}\n", None)

    def end(self) -> None:
        if self.course is not None:
            output.emit(f"\n{blocks_text(course_blocks(self.course, 0))}", None)


class _Rows(Shown):
    """A row of CSV, or an object of JSON, per checkpoint."""

    def __init__(self, form: output.Form) -> None:
        self.form = form
        self.begun = False

    def add(self, course: Course, point: Point) -> None:
        row = row_of(point, course.convention)
        if self.form == "json":
            text = json.dumps(row, ensure_ascii=False, allow_nan=False) + "\n"
        else:
            text = csv_text(list(row), [row])
            text = text.split("\n", 1)[1] if self.begun else text
        self.begun = True
        output.emit(text, None)

    def end(self) -> None:
        if self.begun:
            output.fail(WHAT_IT_TELLS)
