"""Names of shipped conventions: what stands for the newest version, and what came before."""

from collections.abc import Mapping
from types import MappingProxyType

from htsr_ref.conventions.shipped import SHIPPED
from htsr_ref.errors import ConventionError
from htsr_ref.text.nearest import one_of

ALIASES: Mapping[str, str] = MappingProxyType({"weightwatcher": "weightwatcher-0.7.7"})
"""The newest version that is known, by the name of the program."""

RENAMED: Mapping[str, str] = MappingProxyType(
    {
        "paper": "sdm2020-text",
        "paper-code": "sdm2020",
        "natcomm2021": "weightwatcher-0.2.7",
        "hill-median": "tempbalance",
        "hill-peak": "alphapruning",
    }
)
"""Names of specifications before 0.3, and those that took their place."""


def shipped_name(name: str) -> str:
    """Return the name of the shipped convention that a name or alias stands for.

    Raises
    ------
    ConventionError
        There is none; names the new one where the name is an earlier one.

    Spec: CNV-2, CNV-22.

    >>> shipped_name("weightwatcher")
    'weightwatcher-0.7.7'
    >>> shipped_name("natcomm2021")
    Traceback (most recent call last):
        ...
    htsr_ref.errors.ConventionError: the convention 'natcomm2021' is now called weightwatcher-0.2.7
    """
    if name in RENAMED:
        raise ConventionError(f"the convention {name!r} is now called {RENAMED[name]}")
    if name not in SHIPPED and name not in ALIASES:
        raise ConventionError(
            f"no convention {name!r}. {one_of(name, [*SHIPPED, *ALIASES], 'Shipped')}"
        )
    return ALIASES.get(name, name)


def current_name(name: str) -> str | None:
    """Return the present name of a shipped convention of an earlier report; None if it bears it.

    Spec: CNV-22, RPT-9.

    >>> current_name("paper"), current_name("setol")
    ('sdm2020-text', None)
    """
    return RENAMED.get(name) or ALIASES.get(name)
