"""The fewest choices that turn our numbers into theirs."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations, product
from types import MappingProxyType
from typing import Any

from htsr_ref.audits.affected import affected_by
from htsr_ref.audits.path import Change, is_legal
from htsr_ref.conventions import CONVENTIONS, FIELDS, Convention
from htsr_ref.conventions.combinations import COUPLED

SLOWEST = "truncated"
"""The estimator whose fit takes so long that it is tried as a single change only."""

OPTIONS: Mapping[str, tuple[Any, ...]] = MappingProxyType(
    {"clip_fingers": (9,), "xmin_position": (1.5,)}
)
"""Values that no convention ships and that tools are run with (CNV-6, CNV-9)."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A convention with some choices changed.

    Attributes
    ----------
    base : the convention.
    changes : values by field.
    """

    base: Convention
    changes: Mapping[str, Any]

    @property
    def convention(self) -> Convention:
        """The convention that results."""
        return self.base.override(self.changes) if self.changes else self.base


@dataclass(frozen=True)
class Search:
    """What a search found.

    Attributes
    ----------
    best : the candidate that reproduces most; the one of the fewest changes among equals.
    ties : if it reproduces everything, the others of as few changes that do.
    tried : how many conventions were tried.

    Spec: AUD-13.
    """

    best: Candidate
    ties: tuple[Candidate, ...]
    tried: int


Missed = Callable[[Convention, float], Sequence[str]]
"""Numbers of a matrix (a name for each cell) that a convention does not reproduce; may stop when
there are more than a limit."""


def search(
    bases: Iterable[Convention],
    quantities: frozenset[str],
    missed: Missed,
    digits: Callable[[Convention], int],
    most: int,
) -> Search:
    """Find the fewest changes to a convention that reproduce a table.

    All bases are tried as they are, then with each single change, then those that come closest
    with two, three, … A change is a value of a field with the fewest others that it needs
    (CNV-2). Changes must be able to affect all that is missed; single ones of the closest bases,
    some of it.

    Parameters
    ----------
    bases : conventions that the changes depart from, the first preferred.
    quantities : numbers of a matrix that the table holds.
    missed : what a convention does not reproduce.
    digits : to how many digits a convention reproduces the table; decides between ties.
    most : greatest number of changes.

    Spec: AUD-12, AUD-13.
    """
    names = {Candidate(base, {}): missed(base, math.inf) for base in bases}
    starts = {start: frozenset(found) for start, found in names.items()}
    tried = {start: len(found) for start, found in names.items()}
    fewest = min(tried.values())
    nearest = [start for start, count in tried.items() if count == fewest]
    seen = {_key(start.base) for start in starts}
    for size in range(1, most + 1):
        least = min(tried.values())
        if least == 0:
            break
        for start in starts if size == 1 else nearest:
            enough = 1 if size == 1 and start in nearest else len(starts[start])
            for changes in _sets(start.base, quantities, size):
                candidate = Candidate(start.base, changes)
                affected = starts[start] & affected_by(changes, quantities)
                if len(affected) < enough or not is_legal(start.base, changes):
                    continue
                key = _key(candidate.convention)
                if key not in seen:
                    seen.add(key)
                    tried[candidate] = len(missed(candidate.convention, least))
                    least = min(least, tried[candidate])
    best = min(tried, key=tried.__getitem__)
    if tried[best]:
        return Search(best, (), len(tried))
    exact = [candidate for candidate, count in tried.items() if count == 0]
    exact.sort(key=lambda candidate: -digits(candidate.convention))
    return Search(exact[0], tuple(exact[1:]), len(tried))


def _key(convention: Convention) -> tuple[object, ...]:
    return tuple(convention.values().values())


def _sets(base: Convention, quantities: frozenset[str], size: int) -> Iterator[Change]:
    """Combine changes of different fields; they need not make sense together."""
    changes = [
        change
        for change in changes_of(base, quantities)
        if size == 1 or change.get("estimator") != SLOWEST
    ]
    for several in combinations(changes, size):
        merged: Change = {}
        for change in several:
            merged |= change
        if len(merged) == sum(map(len, several)):
            yield merged


def changes_of(base: Convention, quantities: frozenset[str]) -> Iterator[Change]:
    """Every value of every field that can matter, with the fewest others that it needs.

    Values are the named ones, those of shipped conventions, and `OPTIONS`.

    Parameters
    ----------
    base : the convention that is changed.
    quantities : numbers of a matrix that matter.

    Spec: AUD-12.
    """
    for name in FIELDS:
        if affected_by([name], quantities):
            for value in _values(name):
                if value != getattr(base, name):
                    yield from _with_fewest(base, {name: value})


def _with_fewest(base: Convention, change: Change) -> list[Change]:
    """Complete a change that makes no sense alone, in every way of the fewest fields."""
    others = [name for name in FIELDS if name in COUPLED and name not in change]
    for size in range(3):
        found = [
            change | dict(zip(names, values, strict=True))
            for names in combinations(others, size)
            for values in product(*map(_values, names))
        ]
        legal = [more for more in found if is_legal(base, more)]
        if legal:
            return legal
    return []


@cache
def _values(name: str) -> tuple[Any, ...]:
    """Values that are tried for a field."""
    field = FIELDS[name]
    shipped = [getattr(convention, name) for convention in CONVENTIONS.values()]
    named = [field.checked(name, value) for value in field.values]
    return tuple(dict.fromkeys([*shipped, *named, *OPTIONS.get(name, ())]))
