"""Which layer of a source each row of a table belongs to."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from htsr_ref.audits.nameless import Match, match_nameless
from htsr_ref.audits.partners import Candidate, Group, Link, candidates_of, groups_of, unambiguous
from htsr_ref.audits.tables import TheirRow, TheirTable
from htsr_ref.conventions import Convention
from htsr_ref.weights import Layer, Weights


@dataclass(frozen=True)
class Pair:
    """A layer and its rows.

    Attributes
    ----------
    place : of the layer in its source; of a tied layer, that of the layer it is the same as.
    layer : its name.
    how : "name", "shape", "norm", "order" or "tied".
    rows : one, or one per matrix.
    """

    place: int
    layer: str
    how: str
    rows: tuple[TheirRow, ...]


@dataclass(frozen=True)
class Unmatched:
    """Rows of a layer that is not found.

    Attributes
    ----------
    name : theirs of the layer, or its number, or where its first row stands.
    reason : why no layer is that of the rows.
    rows : at least one.
    """

    name: str
    reason: str
    rows: tuple[TheirRow, ...]


@dataclass(frozen=True)
class Matching:
    """Pairs in the order of the source, rows without a layer, places of layers without a row.

    Spec: AUD-4, AUD-5.
    """

    pairs: tuple[Pair, ...]
    rows_alone: tuple[Unmatched, ...]
    layers_alone: tuple[int, ...]


def match_layers(
    weights: Weights, table: TheirTable, conventions: Iterable[Convention] = ()
) -> Matching:
    """Find the layer of every row: by name, else by shape, norm or order.

    Parameters
    ----------
    weights : the source.
    table : rows of one layer stand together or bear its name or number.
    conventions : those at issue; shapes under them come first.

    Spec: AUD-4, AUD-5.
    """
    candidates = candidates_of(weights, conventions)
    groups = groups_of(table.rows)
    named = _by_name(candidates, groups)
    found = [(c, "name", g) for c, g in named if g.shapes <= c.possible]
    contradicting = {id(g): c.layer for c, g in named if not g.shapes <= c.possible}
    taken = [candidate for candidate, _ in named]
    layers = [c for c in candidates if c not in taken and not c.is_tied]
    found += match_nameless(layers, _without(groups, [group for _, group in named]))
    alone = _without(groups, [group for *_, group in found])
    tied = _tied(found, [group for group in alone if id(group) not in contradicting])
    found += tied
    alone = _without(alone, [group for *_, group in tied])
    found.sort(key=lambda match: match[0].place)
    used = {candidate.place for candidate, *_ in found}
    left = [c for c in candidates if c.place not in used and not c.is_tied]
    return Matching(
        tuple(Pair(c.place, c.layer.name, how, group.rows) for c, how, group in found),
        tuple(
            Unmatched(
                str(group),
                _contradiction(group, contradicting[id(group)])
                if id(group) in contradicting
                else _reason(group, weights, left, alone),
                group.rows,
            )
            for group in alone
        ),
        tuple(candidate.place for candidate in left),
    )


def _without(groups: Iterable[Group], others: Sequence[Group]) -> list[Group]:
    return [group for group in groups if group not in others]


def _by_name(layers: list[Candidate], groups: list[Group]) -> list[Link]:
    """Pair a layer with the rows that bear its name: whole, or as the end of a longer one.

    A name is used only if it means one layer and one group; the end of one, only if the shape may
    be the layer's.
    """
    named = [group for group in groups if group.name is not None]
    matches: list[Link] = []
    for same in (_same_name, _one_ends_the_other):
        left = [c for c in layers if all(c is not used for used, _ in matches)]
        open_ = [g for g in named if all(g is not used for _, used in matches)]
        links = [
            (c, g)
            for g in open_
            for c in left
            if same(c.layer, g.name or "") and (same is _same_name or g.shapes <= c.possible)
        ]
        matches += unambiguous(links)
    return matches


def _same_name(layer: Layer, name: str) -> bool:
    return name in (layer.name, layer.tensor) or name.startswith(f"{layer.name} ")


def _one_ends_the_other(layer: Layer, name: str) -> bool:
    """Whether the names are equal but for leading words, as in "fc1" and "model.fc1".

    >>> from htsr_ref.weights import open_weights
    >>> layer = open_weights({"model.fc1.weight": [[1.0]]}).layers[0]
    >>> [_one_ends_the_other(layer, name) for name in ("fc1", "c1", "net/model/fc1")]
    [True, False, True]
    """
    ours, theirs = (text.replace("/", ".") for text in (layer.name, name.removesuffix(".weight")))
    return f".{ours}".endswith(f".{theirs}") or f".{theirs}".endswith(f".{ours}")


def _tied(found: Iterable[Match], alone: Iterable[Group]) -> list[Match]:
    """Give rows that repeat a matched layer's shape and numbers to that layer.

    Spec: AUD-4.
    """
    first: dict[object, Candidate] = {}
    for candidate, _, group in found:
        if group.shapes:
            first.setdefault(group.numbers, candidate)
    return [(first[group.numbers], "tied", group) for group in alone if group.numbers in first]


def _contradiction(group: Group, layer: Layer) -> str:
    """Say that a row bears a layer's name and has another shape.

    Spec: AUD-5.
    """
    parts = f", cut into {', '.join(part.name for part in layer.parts)}" if layer.parts else ""
    return (
        f"it is {_sizes(group)}, which no matrix of the layer {layer.name} "
        f"({'×'.join(map(str, layer.shape))}{parts}) is"
    )


def _reason(
    group: Group, weights: Weights, left: Sequence[Candidate], alone: Sequence[Group]
) -> str:
    """Say why no layer is that of some rows."""
    name = group.name or ""
    bearers = [layer for layer in weights.layers if name and _same_name(layer, name)]
    bearers = bearers or [x for x in weights.layers if name and _one_ends_the_other(x, name)]
    if len(bearers) == 1 and bearers[0].left_out is not None:
        return f"{bearers[0].tensor} is left out: {bearers[0].left_out}"
    if len(bearers) > 1:
        return f"its name means {len(bearers)} layers, such as {bearers[0].name}"
    fitting = sum(group.shapes <= candidate.possible for candidate in left)
    if not fitting:
        return f"no layer without a row has its name, or may be {_sizes(group)}"
    rivals = sum(group.shapes == other.shapes for other in alone)
    sizes = f", {_sizes(group)}" if group.shapes else ""
    return f"nothing tells which of {fitting} layers belong to {rivals} of the table{sizes}"


def _sizes(group: Group) -> str:
    return ", ".join(f"{N}×{M}" for N, M in sorted(group.shapes)) or "of its shape"
