"""Matching layers and rows whose names say nothing: by shape, by norm, by order."""

import math
import re
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from htsr_ref.audits.partners import Candidate, Group, Shape, unambiguous
from htsr_ref.errors import HtsrError
from htsr_ref.layers.matrices import BLOCK_ELEMENTS
from htsr_ref.weights.stored import StoredTensor

T = TypeVar("T")

Match = tuple[Candidate, str, Group]
"""A layer, how it was matched, and its rows."""

NORMS = ("norm", "log_norm", "log10_frobenius_norm")
"""Columns that grow with the Frobenius norm."""

ShapesOf = Callable[[Candidate], frozenset[Shape]]


def match_nameless(layers: Sequence[Candidate], groups: Sequence[Group]) -> list[Match]:
    """Pair layers and rows by their shapes, until nothing more is certain.

    Shapes under the conventions at issue come before those that any convention may give.

    Spec: AUD-4.
    """
    found: list[Match] = []
    while True:
        used = [candidate for candidate, *_ in found]
        done = [group for *_, group in found]
        layers = [candidate for candidate in layers if candidate not in used]
        groups = [group for group in groups if group not in done]
        steps = (way(layers, groups, shapes) for shapes in _SHAPES for way in (_by_shape, _alike))
        more = next(filter(None, steps), None)
        if more is None:
            return found
        found += more


def distinct(groups: Iterable[Group]) -> list[Group]:
    """Leave out rows that repeat the numbers of others: modules that share their weights."""
    return list({group.numbers: group for group in reversed(list(groups))}.values())[::-1]


def _usual(candidate: Candidate) -> frozenset[Shape]:
    return candidate.usual


def _possible(candidate: Candidate) -> frozenset[Shape]:
    return candidate.possible


_SHAPES: tuple[ShapesOf, ...] = (_usual, _possible)


def _by_shape(
    layers: Sequence[Candidate], groups: Sequence[Group], shapes: ShapesOf
) -> list[Match]:
    """Pair a layer with the rows of a shape that no others have."""
    links = [(c, g) for g in distinct(groups) for c in layers if g.shapes and g.shapes <= shapes(c)]
    return [(c, "shape", g) for c, g in unambiguous(links)]


def _alike(layers: Sequence[Candidate], groups: Sequence[Group], shapes: ShapesOf) -> list[Match]:
    """Pair as many layers as rows of equal shapes, or of unknown ones: by norm, else in order."""
    matches: list[Match] = []
    for wanted in {group.shapes: None for group in groups}:
        fitting = [c for c in layers if wanted <= shapes(c)]
        alike = [group for group in groups if group.shapes == wanted]
        for several in (alike, distinct(alike)):
            if len(several) == len(fitting):
                matches += _paired(in_order(fitting), several)
                break
    places = [candidate.place for candidate, *_ in matches]
    return [match for match in matches if places.count(match[0].place) == 1]


def _paired(layers: Sequence[Candidate], groups: Sequence[Group]) -> list[Match]:
    theirs = [_their_norm(group) for group in groups]
    ours = [] if None in theirs or len(groups) == 1 else [_our_norm(c) for c in layers]
    if not ours or None in ours:
        return [(c, "order", g) for c, g in zip(layers, groups, strict=True)]
    ranked = zip(_ranked(layers, ours), _ranked(groups, theirs), strict=True)
    return [(c, "norm", g) for c, g in ranked]


def _ranked(items: Sequence[T], norms: Sequence[float | None]) -> list[T]:
    order = sorted(range(len(items)), key=lambda i: norms[i] or 0.0)
    return [items[i] for i in order]


def _their_norm(group: Group) -> float | None:
    """Read the number that grows with the norm of a layer of one row; None without one."""
    (row, *others) = group.rows
    values = [row.cells[column].value for column in NORMS if column in row.cells]
    known = not others and values and values[0] is not None and math.isfinite(values[0])
    return values[0] if known else None


def _our_norm(candidate: Candidate) -> float | None:
    """Compute the Frobenius norm of a layer; None if it has none."""
    try:
        square = sum_of_squares(candidate.layer.data)
    except HtsrError:
        return None  # The analysis will say what is wrong.
    return math.sqrt(square) if math.isfinite(square) else None


def sum_of_squares(tensor: StoredTensor) -> float:
    """Sum of the squared entries, read some rows at a time.

    >>> from htsr_ref.weights import open_weights
    >>> sum_of_squares(open_weights({"fc": [[1.0, 2.0], [3.0, 4.0]]}).layers[0].data)
    30.0
    """
    rows, *others = tensor.shape
    step = max(1, BLOCK_ELEMENTS // max(1, math.prod(others)))
    blocks = (tensor[start : start + step] for start in range(0, rows, step))
    return math.fsum(float((block**2).sum()) for block in blocks)


def in_order(layers: Sequence[Candidate]) -> list[Candidate]:
    """Sort numbered siblings by number; what is not numbered stays where it is.

    Files list blocks as text: 0, 1, 10, 11, 2.
    """
    first: dict[tuple[str, ...], int] = {}

    def key(candidate: Candidate) -> list[tuple[int, int]]:
        parts = re.split(r"[./]", candidate.layer.name)
        ranks = []
        for depth, part in enumerate(parts):
            numbered = part.isdecimal()
            prefix = (*parts[:depth], "" if numbered else part)
            rank = first.setdefault(prefix, len(first))
            ranks.append((rank, int(part) if numbered else 0))
        return ranks

    return sorted(layers, key=key)
