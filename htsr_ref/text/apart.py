"""Names shortened to a width so that different ones stay different."""

from __future__ import annotations

import re
from collections import Counter
from itertools import compress
from typing import TYPE_CHECKING

from htsr_ref.text.cells import cell_width, middle_cut, printed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

MOST_WORDS = 24
"""Leading words of a name that are looked at."""

LONGEST = 2000
"""Characters of a name beyond which it is only cut."""


def told_apart(names: Sequence[str], width: int | None = None) -> list[str]:
    """Make names printable and shorten them to a width; different ones stay different.

    Words that names begin with in common, but for numbers, become their initials, as many as must;
    numbers stay.
    What is still too long is cut in the middle. Names that would then be equal get their place.

    Parameters
    ----------
    names : in the order of their places; equal ones stay equal.
    width : cells; None for as many as they take. A place in a list is written out even so.

    >>> told_apart(["model.layers.9.self_attn.q", "model.layers.10.self_attn.q"], 18)
    ['m.l.9.self_attn.q', 'm.l.10.self_attn.q']
    >>> told_apart(["x" * 20 + "a" + "x" * 20, "x" * 20 + "b" + "x" * 20], 9)
    ['xxx…xx #1', 'xxx…xx #2']
    """
    distinct = list(dict.fromkeys(names))
    full = [printed(name) for name in distinct]
    fitting = full if width is None else _fitted(full, width)
    times = Counter(fitting)
    used = {text for text in fitting if times[text] == 1}
    shown = {}
    for place, (name, text, short) in enumerate(zip(distinct, full, fitting, strict=True), 1):
        shown[name] = short if times[short] == 1 else _marked(text, place, width, used)
        used.add(shown[name])
    return [shown[name] for name in names]


def _marked(text: str, place: int, width: int | None, used: set[str]) -> str:
    """Text with its place, or with more marks if even that is the name of another."""
    mark = f" #{place}"
    while True:
        short = text if width is None else middle_cut(text, max(width - len(mark), 0))
        if short + mark not in used:
            return short + mark
        mark = f" #{mark[1:]}"


def _fitted(names: Sequence[str], width: int) -> list[str]:
    words = [_words(name) for name in names]
    shared = _shared(words)

    def abbreviated(depth: int) -> list[str]:
        return [_abbreviated(w, min(depth, n)) for w, n in zip(words, shared, strict=True)]

    deepest = max(shared, default=0)
    able = [cell_width(name) <= width for name in abbreviated(deepest)]
    for depth in range(deepest + 1):
        found = abbreviated(depth)
        if all(cell_width(name) <= width for name in compress(found, able)):
            break
    return [middle_cut(name, width) for name in found]


def shorten(name: str, width: int) -> str:
    """Shorten one name: its leading words to their initials, then, if need be, its middle.

    >>> shorten("model.layers.10.self_attn.q_proj", 24)
    'm.l.10.self_attn.q_proj'
    """
    words = _words(name)
    least = next(
        (n for n in range(len(words) // 2) if cell_width(_abbreviated(words, n)) <= width),
        len(words) // 2,
    )
    return middle_cut(_abbreviated(words, least), width)


def _abbreviated(words: Sequence[str], depth: int) -> str:
    """Put a name together again, with the initials of so many of its words."""
    return "".join([*map(_initials, words[: 2 * depth]), *words[2 * depth :]])


def _words(name: str) -> list[str]:
    """Words of a name and what separates them, in turns."""
    return re.split("([./])", name, maxsplit=MOST_WORDS) if len(name) <= LONGEST else [name]


def _shared(words: Iterable[Sequence[str]]) -> list[int]:
    """Count the words that each name begins with in common with another, but for numbers."""
    beginnings = [
        [re.sub("[0-9]+", "#", "".join(parts[: 2 * n])) for n in range(1, (len(parts) + 1) // 2)]
        for parts in words
    ]
    times = Counter(text for texts in beginnings for text in texts)
    return [sum(times[text] > 1 for text in texts) for texts in beginnings]


def _initials(word: str) -> str:
    """Shorten a word without a number to the initials of its parts; leave any other as it is."""
    parts = word.split("_")
    return "_".join(part[0] for part in parts) if all(map(str.isalpha, parts)) else word
