"""The one exception of the converters: a message for a person."""

from typing import Self

MAX_PROBLEM = 300
MAX_SHOWN = 200
"""Characters of a name that a message shows."""


class ConversionError(Exception):
    """A file that is not converted.

    Parameters
    ----------
    problem : what is wrong with it.
    cure : what the user can do about it.
    tensor : the tensor at fault, where there is one.
    file : the file at fault; the converter's input if None.
    """

    def __init__(
        self, problem: str, cure: str, tensor: str | None = None, file: object = None
    ) -> None:
        super().__init__(problem)
        self.problem = problem
        self.cure = cure
        self.tensor = tensor
        self.file = file

    def __str__(self) -> str:
        where = f"{self.file}: " if self.file is not None else ""
        if self.tensor is not None:
            where += f"tensor {shown(self.tensor)!r}: "
        # A name from a file may be as long as the file.
        problem = self.problem
        if len(problem) > MAX_PROBLEM:
            problem = f"{problem[:MAX_PROBLEM]}..."
        text = f"{where}{problem}. {self.cure}."
        return "".join(character if character.isprintable() else "?" for character in text)

    def at(self, file: object, tensor: str | None = None) -> Self:
        """Name the file and the tensor, unless they are named already."""
        self.file = file if self.file is None else self.file
        self.tensor = tensor if self.tensor is None else self.tensor
        return self


def shown(name: str) -> str:
    """As much of a name as a message shows.

    >>> len(shown("x" * 1000))
    203
    """
    return name if len(name) <= MAX_SHOWN else f"{name[:MAX_SHOWN]}..."
