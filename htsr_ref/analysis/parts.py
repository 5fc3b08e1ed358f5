"""Parts of the work on one model: which layers are of which, as a file, and put together again."""

from __future__ import annotations

import heapq
import os
import re
from dataclasses import dataclass, replace
from json import dumps, loads
from pathlib import Path
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.agreement import differing_keys
from htsr_ref.analysis.planning import plan
from htsr_ref.errors import HtsrError, ReportError
from htsr_ref.reports.reading import rebuilt_layer
from htsr_ref.reports.report import LayerReport, Report
from htsr_ref.reports.summary import summarize
from htsr_ref.text.checked_lines import checked_line, checked_value
from htsr_ref.text.reading import MOST_BYTES
from htsr_ref.text.rebuild import rebuild

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from htsr_ref.conventions import Convention
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights

SUFFIX = ".part"
"""What the name of a part ends in, so that none is taken for a report."""

MOST_PARTS = 999_999
"""Parts of some work."""

MOST_NAMED = 10
"""Missing parts that are named."""

_AGAIN = "Write it again with `htsr analyze MODEL --part i/n -o NAME.part`"


@dataclass(frozen=True)
class Part:
    """One of several parts of some work.

    Attributes
    ----------
    index, count : the first of n is part 1 of n.
    """

    index: int
    count: int

    @classmethod
    def of(cls, text: str) -> Part:
        """Read "i/n".

        Raises
        ------
        HtsrError
            It is not one of n parts.

        >>> Part.of("2/8")
        Part(index=2, count=8)
        """
        found = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        part = None if found is None else cls(int(found[1]), int(found[2]))
        if part is None or not part.is_one:
            raise HtsrError(f"--part {text!r}: give the part and how many there are: 1/8 to 8/8")
        return part

    @property
    def is_one(self) -> bool:
        """Whether there are so many parts, at most `MOST_PARTS`, and it is one of them."""
        return 1 <= self.index <= self.count <= MOST_PARTS

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def places_of(costs: Sequence[float], part: Part) -> frozenset[int]:
    """Choose the layers of a part: the costliest first, each goes to the part with least work.

    Parameters
    ----------
    costs : of each layer, in any unit.
    part : which of how many.

    Spec: SCL-18.

    >>> sorted(places_of([5, 3, 3, 1], Part(1, 2))), sorted(places_of([5, 3, 3, 1], Part(2, 2)))
    ([0, 3], [1, 2])
    """
    parts = [(0.0, index) for index in range(1, part.count + 1)]
    chosen = set()
    for place in sorted(range(len(costs)), key=lambda place: (-costs[place], place)):
        work, index = parts[0]
        heapq.heapreplace(parts, (work + costs[place], index))
        if index == part.index:
            chosen.add(place)
    return frozenset(chosen)


def share_of(
    weights: Weights, part: Part, convention: Convention, solver: SolverChoice
) -> tuple[Weights, frozenset[int]]:
    """Leave out the layers of other parts; each stays in its place, on which seeds depend.

    Parameters
    ----------
    weights : all of the model.
    part : which of how many.
    convention, solver : as for `analyze`; what a layer costs depends on them.

    Returns
    -------
    The weights, and the places of the layers of this part.

    Spec: SCL-18.
    """
    costs = [item.cost(solver).flops for item in plan(weights, convention)]
    mine = places_of(costs, part)
    layers = tuple(
        layer
        if place in mine
        else replace(layer, left_out="it is of another part", code="left-out")
        for place, layer in enumerate(weights.layers)
    )
    return replace(weights, layers=layers), mine


def part_text(
    report: Report, part: Part, places: frozenset[int], made_with: Mapping[str, Any]
) -> str:
    """Write what came of a part, in lines as those of a journal.

    Parameters
    ----------
    report : of all layers, of which those at other places were left out.
    part, places : which part it is, and the places of its layers.
    made_with : what the numbers depend on, see `portable_agreement`.

    Spec: SCL-18.
    """
    frame = replace(report, layers=(), model=summarize([], report.convention))
    header = {
        "part": part,
        "all layers": len(report.layers),
        "its layers": len(places),
        "made with": made_with,
        "report": loads(frame.to_json()),
    }
    lines = [checked_line(header)]
    lines += [checked_line({"place": at, "report": report.layers[at]}) for at in sorted(places)]
    return b"".join(lines).decode("ascii")


@dataclass(frozen=True)
class _PartFile:
    """A part as it was read.

    Attributes
    ----------
    path, part : the file, and which part it is.
    shared : what the parts of one work have in common.
    frame : the report without its layers.
    places : number of layers of all parts.
    layers : reports of its layers, by place.
    """

    path: str
    part: Part
    shared: dict[str, Any]
    frame: Report
    places: int
    layers: dict[int, LayerReport]


def merge(parts: Sequence[str | os.PathLike[str]]) -> Report:
    """Put the parts of the work on one model together.

    Parameters
    ----------
    parts : files that `htsr analyze --part i/n` wrote, in any order.

    Returns
    -------
    The report that an undivided analysis gives, digit for digit.

    Raises
    ------
    ReportError
        A file is none or is damaged, parts are of different work, or one is missing or is there
        twice; which, is said.

    Spec: SCL-19.
    """
    if isinstance(parts, (str, os.PathLike)) or not parts:
        raise ReportError("give the files of all parts")
    files = [_read(os.fspath(path)) for path in parts]
    _require_whole(files)
    found = {place: layer for file in files for place, layer in file.layers.items()}
    first = files[0]
    if len(found) != first.places or any(place not in range(first.places) for place in found):
        raise ReportError(f"{first.path}: its work has other layers than its parts. {_AGAIN}")
    layers = [found[place] for place in range(first.places)]
    convention = first.frame.convention
    return replace(first.frame, layers=tuple(layers), model=summarize(layers, convention))


def _require_whole(files: Sequence[_PartFile]) -> None:
    """Refuse parts of different work, one that is there twice, and a work that lacks one."""
    first, seen = files[0], dict[int, str]()
    for file in files:
        if differing := differing_keys(first.shared, file.shared):
            raise ReportError(
                f"{file.path}: it differs from {first.path} in {', '.join(differing)}. Merge parts "
                "of one and the same work"
            )
        if file.part.index in seen:
            raise ReportError(
                f"{file.path}: it is part {file.part}, as {seen[file.part.index]} is. Give one of "
                "them"
            )
        seen[file.part.index] = file.path
    missing = [index for index in range(1, first.part.count + 1) if index not in seen]
    if missing:
        some = ", ".join(map(str, missing[:MOST_NAMED])) + (", …" if missing[MOST_NAMED:] else "")
        are = f"part {some} is" if len(missing) == 1 else f"parts {some} are"
        raise ReportError(
            f"{first.path}: of the {first.part.count} parts of its work, {are} missing. Give all"
        )


def _read(path: str) -> _PartFile:
    """Read a part; one whose lines are not all as they were written is refused."""
    try:
        with Path(path).open("rb") as file:
            header, *lines = _lines(file)
        if "linear algebra" not in header:
            return _part_file(path, header, lines)
    except OSError as error:
        raise ReportError(
            f"{path}: it cannot be read ({error.strerror}). Check the path"
        ) from error
    except (ValueError, TypeError, KeyError, RecursionError, HtsrError) as error:
        raise ReportError(f"{path}: it is damaged, or no part. {_AGAIN}") from error
    problem = "it is the journal of a run that was ended. Go on with it by --resume"
    raise ReportError(f"{path}: {problem}")


def _lines(file: BinaryIO) -> Iterator[Any]:
    while line := file.readline(MOST_BYTES):
        yield checked_value(line)


def _part_file(path: str, header: Mapping[str, Any], lines: Sequence[Any]) -> _PartFile:
    part = rebuild(Part, header["part"], "part")
    if not part.is_one:
        raise ValueError(f"there is no part {part}")
    report, made_with = header["report"], header["made with"]
    layers = {rebuild(int, line["place"], "place"): rebuilt_layer(line["report"]) for line in lines}
    if len(layers) != header["its layers"]:
        raise ValueError("lines are missing")
    return _PartFile(
        path,
        part,
        {**report, **made_with, "number of parts": part.count},
        Report.from_json(dumps(report)),
        rebuild(int, header["all layers"], "all layers"),
        layers,
    )
