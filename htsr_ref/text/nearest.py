"""Names that a person may have meant."""

from collections.abc import Collection, Iterable
from difflib import get_close_matches
from itertools import islice

MOST_COMPARED = 50_000
"""Names that are compared with the one that does not exist."""


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Find the names that are most like one that does not exist, at most three.

    Upper and lower case count as the same.

    >>> nearest("wieghtwatcher", ["paper", "weightwatcher"]), nearest("x", ["paper"])
    (['weightwatcher'], [])
    """
    known = {one.casefold(): one for one in islice(names, MOST_COMPARED)}
    found = get_close_matches(name.casefold(), list(known), n=3, cutoff=0.55)
    return [known[one] for one in found]


def did_you_mean(name: str, names: Iterable[str], listed: str) -> str:
    """Cure for a name that does not exist: the nearest names, then where all are listed.

    >>> did_you_mean("papre", ["paper"], "Shipped: paper")
    "Did you mean 'paper'? Shipped: paper"
    >>> did_you_mean("x", ["paper"], "Shipped: paper")
    'Shipped: paper'
    """
    found = nearest(name, names)
    asked = f"Did you mean {' or '.join(map(repr, found))}? " if found else ""
    return f"{asked}{listed}"


def one_of(name: str, names: Collection[str], what: str) -> str:
    """Cure for a name that does not exist: the nearest names, then all of them.

    >>> one_of("papre", ["paper", "hill"], "Shipped")
    "Did you mean 'paper'? Shipped: paper, hill"
    """
    return did_you_mean(name, names, f"{what}: {', '.join(names)}")
