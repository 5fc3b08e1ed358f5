"""Text that strangers wrote, as a page may show it."""


def visible(text: str) -> str:
    r"""Escape what does not print or changes the direction of the text around it.

    Spec: PAG-2.

    >>> print(visible("a\x00\u202eb"), visible("\u05d0"))
    a\x00\u202eb א
    """
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)
