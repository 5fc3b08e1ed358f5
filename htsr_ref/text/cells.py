"""Text in the cells of a terminal: how many it takes, and how it is cut, wrapped and filled up."""

import unicodedata

from htsr_ref.text.lines import one_line

MOST_MARKS = 3
"""Combining marks that one letter may carry; scripts need no more."""

_INVISIBLE = frozenset("\u115f\u1160\u3164\uffa0")
"""Letters that print nothing."""


def cell_width(text: str) -> int:
    """Count the cells that a text takes: two for wide East Asian characters, none for marks.

    Source: Unicode Standard Annex 11, property East_Asian_Width.

    >>> cell_width("conv"), cell_width("層"), cell_width("e\u0301")
    (4, 2, 1)
    """
    return len(text) if text.isascii() else sum(map(_width, text))


def _width(character: str) -> int:
    if character < "\u0300":
        return 1
    if _is_mark(character) or "\u1160" <= character <= "\u11ff":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1


def _is_mark(character: str) -> bool:
    return unicodedata.category(character) in ("Mn", "Me")


def printed(text: str) -> str:
    r"""Escape what a terminal does not show, or would show on top of something else.

    That is what does not print, marks without a letter or too many of them, selectors of variants,
    and letters without a form.

    >>> print(printed("a\n\u0301"))
    a\n\u0301
    """
    text = one_line(text)
    if text.isascii():
        return text
    shown, marks = [], MOST_MARKS
    for character in text:
        is_mark = _is_mark(character)
        marks = marks + 1 if is_mark else 0
        selects = "\ufe00" <= character <= "\ufe0f" or character >= "\U000e0000"
        if marks > MOST_MARKS or selects or character in _INVISIBLE:
            shown.append(character.encode("unicode_escape").decode())
        else:
            shown.append(character)
    return "".join(shown)


def middle_cut(text: str, width: int) -> str:
    """Shorten a text in the middle, to so many cells.

    >>> middle_cut("3 to 5 axes (out, in, k)", 16), middle_cut("層層層層", 6)
    ('3 to 5 a… in, k)', '層…層')
    """
    if cell_width(text) <= width:
        return text
    head = _beginning(text, width // 2)
    return f"{head}…{_ending(text, width - width // 2 - 1)}"


def _beginning(text: str, width: int) -> str:
    """Longest beginning of a text that takes no more cells than that."""
    used = 0
    for place, character in enumerate(text):
        used += _width(character)
        if used > width:
            return text[:place]
    return text


def _ending(text: str, width: int) -> str:
    """Longest ending of a text that takes no more cells than that and begins with no mark."""
    used, start = 0, len(text)
    for place in range(len(text) - 1, -1, -1):
        taken = _width(text[place])
        used += taken
        if used > width:
            break
        if taken:
            start = place
    return text[start:]


def wrapped(text: str, width: int) -> list[str]:
    """Break a text into lines between words, or within one that is longer than a line.

    >>> wrapped("a heavy tail or an edge", 10)
    ['a heavy', 'tail or an', 'edge']
    """
    lines = [""]
    for word in text.split(" "):
        joined = f"{lines[-1]} {word}" if lines[-1] else word
        if cell_width(joined) <= width:
            lines[-1] = joined
            continue
        if lines[-1]:
            lines.append("")
        while cell_width(word) > width:
            part = _beginning(word, width) or word[0]
            lines[-1:] = [part, ""]
            word = word[len(part) :]
        lines[-1] = word
    return lines if lines[-1] or len(lines) == 1 else lines[:-1]


def filled(text: str, width: int, right: bool = False) -> str:
    """Fill a text up with blanks to a width, on its left if it is aligned right.

    >>> filled("層", 4), filled("1", 3, right=True)
    ('層  ', '  1')
    """
    blanks = " " * (width - cell_width(text))
    return blanks + text if right else text + blanks
