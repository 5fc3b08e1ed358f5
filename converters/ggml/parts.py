"""GGUF models in several files: every part has a header of its own and some of the tensors."""

import re
from pathlib import Path

from common.errors import ConversionError
from common.sniff import refuse, sniff
from ggml.header import Header, read_header

MAX_PARTS = 10_000
NAME = re.compile(r"(.*)-(\d{5})-of-(\d{5})\.gguf")
_ALL_IN_ONE_FOLDER = "Put all parts in one folder and name the first"


def read_parts(path: Path) -> list[tuple[Path, Header]]:
    """Read the header of a file and, if it is the first part of a model, those of the others.

    Returns
    -------
    Files and their headers, the first part first.

    Raises
    ------
    ConversionError
        If a header is not intact, if the file is a part but not the first one, or if the other
        parts are not beside it or do not belong to it.
    """
    first = _header(path)
    count = first.metadata.get("split.count", 1)
    if not isinstance(count, int) or not 0 <= count <= MAX_PARTS:
        raise ConversionError(f"it has {count!r} parts", _ALL_IN_ONE_FOLDER)
    if count <= 1:
        return [(path, first)]
    others = _others(path, first, count)
    missing = [other.name for other in others if not other.is_file()]
    if missing:
        problem = f"it is part 1 of {count}, and without {_list(missing)} it is not the model"
        raise ConversionError(problem, _ALL_IN_ONE_FOLDER)
    parts = [(path, first)]
    for number, other in enumerate(others, 1):
        header = _header(other)
        found = header.metadata.get("split.count"), header.metadata.get("split.no")
        if found != (count, number):
            problem = f"it is not part {number + 1} of {count} of {path.name}"
            raise ConversionError(problem, _ALL_IN_ONE_FOLDER, file=other)
        parts.append((other, header))
    _check_tensors(parts)
    return parts


def _header(path: Path) -> Header:
    word, description = sniff(path)
    if word != "gguf":
        raise refuse(path, word, description)
    try:
        return read_header(path)
    except ConversionError as error:
        raise error.at(path) from error


def _others(path: Path, header: Header, count: int) -> list[Path]:
    """Paths of the second part and those after it."""
    match = NAME.fullmatch(path.name)
    number = header.metadata.get("split.no")
    if match is None:
        problem = f"it is one of {count} parts, and its name does not tell those of the others"
        raise ConversionError(problem, "Name it NAME-00001-of-00002.gguf, with its own numbers")
    names = [f"{match[1]}-{n:05}-of-{count:05}.gguf" for n in range(1, count + 1)]
    if number != 0 or path.name != names[0]:
        rest = _list([name for name in names if name != path.name])
        problem = f"it is a part of a model, the rest of which is in {rest}"
        raise ConversionError(problem, f"Name the first part, {names[0]}")
    return [path.with_name(name) for name in names[1:]]


def _list(names: list[str]) -> str:
    """Name the first three of some files."""
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more


def _check_tensors(parts: list[tuple[Path, Header]]) -> None:
    """Make sure that no tensor is in two parts, and that as many are there as are stated."""
    seen: set[str] = set()
    for path, header in parts:
        for name in header.tensors:
            if name in seen:
                raise ConversionError("another part has it too", _ALL_IN_ONE_FOLDER, name, path)
            seen.add(name)
    stated = parts[0][1].metadata.get("split.tensors.count", len(seen))
    if stated != len(seen):
        problem = f"its parts hold {len(seen)} tensors, not the {stated} that it states"
        raise ConversionError(problem, _ALL_IN_ONE_FOLDER)
