"""Names, which come from strangers, as text that can be drawn and that fits its place."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from htsr_ref.plots.canvas import TEXT_SIZE, WIDTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

POINTS_PER_CM = 72 / 2.54

SEPARATORS = "./_-"
"""What separates the words of a name."""

LONGEST = 400
"""Characters of a name beyond which its middle is not even measured."""


def plain(text: str) -> str:
    r"""Escape what does not print, what changes the text around it, and what the font lacks.

    Spec: FIG-3.

    >>> print(plain("a\n\u202eb\u4e2d"))
    a\n\u202eb\u4e2d
    """
    return "".join(
        c if _can_be_drawn(c) else c.encode("unicode_escape").decode() for c in _cut(text, LONGEST)
    )


def _can_be_drawn(character: str) -> bool:
    return (character.isascii() and character.isprintable()) or (
        character.isprintable()
        and not unicodedata.category(character).startswith("M")
        and ord(character) in _characters()
    )


@lru_cache(maxsize=1)
def _characters() -> frozenset[int]:
    """Characters of the font that comes with matplotlib."""
    from matplotlib import font_manager

    font = font_manager.get_font(font_manager.findfont("DejaVu Sans"))
    return frozenset(font.get_charmap())


def drawn(text: str) -> str:
    r"""Keep plain text from being taken for a formula, or for a label that is to be left out.

    >>> print(drawn("$x$"), drawn("_y") == "\u200a_y")
    \$x\$ True
    """
    text = text.replace("$", r"\$")
    return f"\u200a{text}" if text.startswith("_") else text


def text_width(text: str, size: float = TEXT_SIZE) -> float:
    """Width of plain text in points."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import text_to_path

    font = FontProperties(family="DejaVu Sans", size=size)
    return float(text_to_path.get_text_width_height_descent(text, font, False)[0])


def fitted(text: str, points: float) -> str:
    """Make a name plain and cut its middle until it is no wider than `points`.

    Spec: FIG-3.
    """
    return _narrowed(plain(text), points)


def _narrowed(text: str, points: float) -> str:
    if text_width(text) <= points:
        return text
    return _cut(text, _largest(1, len(text), lambda n: text_width(_cut(text, n)) <= points))


def _largest(low: int, high: int, is_good: Callable[[int], bool]) -> int:
    """Largest number for which something holds that holds up to it; the low one without any."""
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if is_good(middle) else (low, middle - 1)
    return low


def _cut(text: str, length: int) -> str:
    """Cut the middle of a text; the end, where names of layers differ, keeps the larger part."""
    if len(text) <= length:
        return text
    head = (length - 1) // 3
    return f"{text[:head]}…{text[len(text) - (length - head - 1) :]}"


def told_apart(names: Sequence[str], points: float) -> list[str]:
    """Shorten names to a width without what all of them begin with; different ones stay different.

    Spec: FIG-3.

    >>> told_apart(["model.0.fc1", "model.0.fc2"], 100.0)
    ['fc1', 'fc2']
    """
    start = len(shared_beginning(names))
    cleaned = [plain(name[start:]) for name in names]
    short = [_narrowed(name, points) for name in cleaned]
    places: dict[str, set[str]] = {}
    for name, text in zip(names, short, strict=True):
        places.setdefault(text, set()).add(name)
    return [
        text
        if len(places[text]) == 1
        else _narrowed(name, points - text_width(f" #{i}")) + f" #{i}"
        for i, (name, text) in enumerate(zip(cleaned, short, strict=True), 1)
    ]


def shared_beginning(names: Sequence[str]) -> str:
    """Words, with the separator after them, that all of several names begin with.

    >>> shared_beginning(["model.0.fc1", "model.0.fc2"]), shared_beginning(["fc1", "fc2"])
    ('model.0.', '')
    """
    if len(set(names)) < 2:
        return ""
    low, high = min(names), max(names)
    same = next((i for i, c in enumerate(low) if c != high[i : i + 1]), len(low))
    end = max(low.rfind(separator, 0, same) for separator in SEPARATORS)
    return low[: end + 1]


def without_ending(names: Sequence[str]) -> list[str]:
    """Leave out the ending that all of several names of files have.

    >>> without_ending(["a.npz", "b.npz"]), without_ending(["a.npz", "b.h5"])
    (['a', 'b'], ['a.npz', 'b.h5'])
    """
    endings = {name[name.rfind(".") :] if "." in name else "" for name in names}
    ending = endings.pop() if len(endings) == 1 else ""
    return [name.removesuffix(ending) for name in names]


def title_lines(*lines: str, points: float = WIDTH * POINTS_PER_CM - 8.0) -> str:
    """Make a title of lines, each cut to the figure's width; empty ones are left out.

    Spec: FIG-2, FIG-3.
    """
    return "\n".join(drawn(fitted(line, points)) for line in lines if line)
