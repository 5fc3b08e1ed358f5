"""One line of text for people: names escaped and shortened, things counted."""

import re


def one_line(text: str) -> str:
    r"""Escape what does not print: names of tensors come from strangers.

    >>> print(one_line("\x1b[31mred\n"))
    \x1b[31mred\n
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def count(number: int, noun: str, plural: str = "") -> str:
    """Count things.

    >>> count(1, "tensor"), count(2000, "matrix", "matrices")
    ('1 tensor', '2,000 matrices')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def shorten(name: str, width: int) -> str:
    """Shorten a name: its leading words to their initials, then, if need be, its middle.

    Numbers stay, as they tell the layers of a model apart.

    >>> shorten("model.layers.10.self_attn.q_proj", 24)
    'm.l.10.self_attn.q_proj'
    """
    words = re.split("([./])", name)
    excess = len(name) - width
    for i, word in enumerate(words[:-1]):
        if excess > 0 and word.isalpha():
            words[i] = word[0]
            excess -= len(word) - 1
    return middle_cut("".join(words), width)


def middle_cut(text: str, width: int) -> str:
    """Shorten a text in the middle.

    >>> middle_cut("3 to 5 axes (out, in, k)", 16)
    '3 to 5 a… in, k)'
    """
    if len(text) <= width:
        return text
    head = width // 2
    return f"{text[:head]}…{text[len(text) - (width - head - 1) :]}"
