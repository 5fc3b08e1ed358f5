"""How long names may be: those of nested parts repeat the names of all that they lie in."""

from common.errors import ConversionError

MAX_CHARACTERS = 10_000_000


class NameBudget:
    """Counts the characters of names before these are made."""

    def __init__(self) -> None:
        self._spent = 0

    def spend(self, characters: int) -> None:
        """Count the characters of a name.

        Raises
        ------
        ConversionError
            If the names have too many.
        """
        self._spent += characters
        if self._spent > MAX_CHARACTERS:
            raise ConversionError(
                f"its names have more than {MAX_CHARACTERS} characters in all",
                "Save it with shorter names",
            )


def width(name: str) -> int:
    """Characters of a name; four for each where they take as many bytes of memory."""
    return len(name) if name.isascii() else 4 * len(name)
