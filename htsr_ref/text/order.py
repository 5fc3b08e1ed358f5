"""The order in which people expect names: h.2 before h.10."""

import re
from collections.abc import Sequence


def natural_key(name: str) -> list[tuple[int, str]]:
    """Key that sorts the numbers in names by value.

    >>> sorted(["h.10", "h.2"], key=natural_key)
    ['h.2', 'h.10']
    """
    # The length of a number without leading zeros compares as its value does, whatever its size.
    parts = re.split("([0-9]+)", name)
    digits = [
        (len(part.lstrip("0")), part.lstrip("0")) if i % 2 else (0, part)
        for i, part in enumerate(parts)
    ]
    return [*digits, (0, name)]


def by_depth(names: Sequence[str]) -> list[int]:
    """Places of names by depth: as they come, unless they come in the order of the alphabet.

    Programs that write weights either keep the order of a model's layers or sort their names as
    text, which puts h.10 before h.2; then numbers are sorted by value.

    >>> by_depth(["h.0", "h.1", "h.10", "h.2"]), by_depth(["stem", "block", "head"])
    ([0, 1, 3, 2], [0, 1, 2])
    """
    places = list(range(len(names)))
    if list(names) == sorted(names):
        places.sort(key=lambda place: natural_key(names[place]))
    return places
