"""One line of text for people: names escaped, things counted."""


def one_line(text: str) -> str:
    r"""Escape what does not print: names of tensors come from strangers.

    Spec: PAG-2.

    >>> print(one_line("\x1b[31mred\n"))
    \x1b[31mred\n
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def in_utf8(name: str) -> str:
    r"""Escape the bytes of a file's name that are not UTF-8, which JSON cannot hold.

    >>> in_utf8("caf\udce9.npz")
    'caf\\udce9.npz'
    """
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def printable(text: str) -> str:
    r"""Replace what does not print, where an escape would be read as markup.

    >>> printable("\u202efc")
    '\ufffdfc'
    """
    return "".join(c if c.isprintable() else "\ufffd" for c in text)


def count(number: int, noun: str, plural: str = "") -> str:
    """Count things.

    >>> count(1, "tensor"), count(2000, "matrix", "matrices")
    ('1 tensor', '2,000 matrices')
    """
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"
