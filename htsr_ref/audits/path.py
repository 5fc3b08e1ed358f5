"""From the default convention to another, one choice at a time."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from typing import Any

from htsr_ref.audits.affected import affected_by
from htsr_ref.conventions import FIELDS, Convention
from htsr_ref.errors import ConventionError
from htsr_ref.reports.report import LayerReport

TRACED = ("alpha", "lambda_max", "weighted_alpha")
"""Numbers of a layer whose differences are explained."""

Change = dict[str, Any]
"""Values, by field, that are changed together."""


@dataclass(frozen=True)
class Trace:
    """How one number of a layer comes about.

    Attributes
    ----------
    start : its value before the first change that counts; None if it is never defined.
    contributions : what each change adds; None for the changes up to the one that first
        defines the number.
    end : its value after the last.

    Spec: AUD-11.
    """

    start: float | None
    contributions: tuple[float | None, ...]
    end: float | None


def changes_between(start: Convention, end: Convention) -> tuple[Change, ...]:
    """Order the choices in which two conventions differ, as the specification orders fields.

    A choice that makes no sense alone (CNV-2) is taken together with the fewest others that it
    needs, the first of them in the same order.

    Spec: AUD-10.

    >>> from htsr_ref.conventions import CONVENTIONS
    >>> start, end = CONVENTIONS["sdm2020"], CONVENTIONS["sdm2020-text"]
    >>> [", ".join(change) for change in changes_between(start, end)]
    ['normalization', 'drop_smallest', 'xmax, ks_model', 'ks']
    """
    left = [name for name in FIELDS if getattr(start, name) != getattr(end, name)]
    changes: list[Change] = []
    while left:
        change = _first_change(start, end, left)
        changes.append(change)
        start = start.override(change)
        left = [name for name in left if name not in change]
    return tuple(changes)


def _first_change(start: Convention, end: Convention, left: Sequence[str]) -> Change:
    first, *others = left
    growing = (
        {name: getattr(end, name) for name in (first, *more)}
        for size in range(len(left))
        for more in combinations(others, size)
    )
    return next(change for change in growing if is_legal(start, change))


def is_legal(start: Convention, change: Change) -> bool:
    """Whether a convention with these fields changed makes sense.

    Spec: CNV-2.
    """
    try:
        start.override(change)
    except ConventionError:
        return False
    return True


def along(start: Convention, changes: Sequence[Change]) -> tuple[Convention, ...]:
    """Conventions from the start to the end, each with one more change."""
    conventions = [start]
    for change in changes:
        conventions.append(conventions[-1].override(change))
    return tuple(conventions)


def trace_layer(
    analyze: Callable[[Convention], LayerReport], start: Convention, changes: Sequence[Change]
) -> Mapping[str, Trace]:
    """Follow the numbers of a layer, means over its matrices, along a path of changes.

    Spec: AUD-11.
    """
    means = [analyze(start).means or {}]
    for change, convention in zip(changes, along(start, changes)[1:], strict=True):
        if affected_by(change, frozenset(TRACED)):
            means.append(analyze(convention).means or {})
        else:
            means.append(means[-1])
    return {name: trace([mean.get(name) for mean in means]) for name in TRACED}


def trace(values: Sequence[float | None]) -> Trace:
    """Split the change of a number into contributions.

    Parameters
    ----------
    values : along the path; what counts is what follows the last undefined one.

    Spec: AUD-11.

    >>> trace([None, 2.0, 3.0])
    Trace(start=2.0, contributions=(None, 1.0), end=3.0)
    """
    undefined = [i for i, value in enumerate(values) if value is None]
    first = undefined[-1] + 1 if undefined else 0
    contributions: list[float | None] = [None] * min(first, len(values) - 1)
    defined = [value for value in values[first:] if value is not None]
    contributions += [after - before for before, after in pairwise(defined)]
    return Trace(
        defined[0] if defined else None,
        tuple(contributions),
        defined[-1] if defined else None,
    )
