"""Which layer of a source each row of a table belongs to."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from htsr_ref.audit.tables import TheirRow, TheirTable
from htsr_ref.conventions import CONVENTIONS, Convention
from htsr_ref.errors import LayerError, TableError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.weights import Layer, Weights

Shape = tuple[int, int]


@dataclass(frozen=True)
class Pair:
    """A layer and its rows.

    Attributes
    ----------
    place : of the layer in its source.
    layer : its name.
    how : "name", "shape" or "order".
    rows : one, or one a matrix.
    """

    place: int
    layer: str
    how: str
    rows: tuple[TheirRow, ...]


@dataclass(frozen=True)
class Matching:
    """Pairs in the order of the source, and what has no partner, with the reason.

    Spec: AUD-4, AUD-5.
    """

    pairs: tuple[Pair, ...]
    rows_alone: tuple[str, ...]
    layers_alone: tuple[str, ...]


@dataclass(frozen=True)
class _Group:
    """Rows of one layer."""

    name: str | None
    rows: tuple[TheirRow, ...]

    @property
    def shapes(self) -> set[Shape]:
        return {row.shape for row in self.rows if row.shape is not None}

    def __str__(self) -> str:
        row = self.rows[0]
        number = "" if row.layer_id is None else f"layer {row.layer_id}"
        return " ".join(filter(None, (self.name or number, f"({row.place})")))


@dataclass(frozen=True)
class _Candidate:
    """A layer that holds weight matrices, and the shapes that conventions give them."""

    place: int
    layer: Layer
    shapes: frozenset[Shape]


def match_layers(
    weights: Weights, table: TheirTable, conventions: Iterable[Convention] = ()
) -> Matching:
    """Find the layer of every row: by name, else by shape, else by order.

    Parameters
    ----------
    weights : the source.
    table : rows of one layer stand together or bear its name or number.
    conventions : those besides the shipped ones whose shapes are possible.

    Raises
    ------
    TableError
        A row bears a layer's name and another layer's shape, or nothing matches.

    Spec: AUD-4, AUD-5.
    """
    known = (*CONVENTIONS.values(), *conventions)
    layers = [
        _Candidate(place, layer, _shapes(layer, known))
        for place, layer in enumerate(weights.layers)
        if layer.left_out is None and layer.same_as is None
    ]
    groups = _groups(table.rows)
    found: list[tuple[_Candidate, str, _Group]] = []
    for how, match in _WAYS:
        for candidate, group in match(layers, groups):
            if how == "name":
                _refuse_contradiction(table, candidate, group)
            found.append((candidate, how, group))
        taken = [candidate for candidate, *_ in found]
        used = [group for *_, group in found]
        layers = [candidate for candidate in layers if candidate not in taken]
        groups = [group for group in groups if group not in used]
    if not found:
        raise TableError(
            f"{table.name}: no row belongs to a layer of {weights.name}: neither names nor "
            "shapes agree. Is it the table of this model?"
        )
    found.sort(key=lambda triple: triple[0].place)
    return Matching(
        tuple(Pair(c.place, c.layer.name, how, group.rows) for c, how, group in found),
        tuple(map(str, groups)),
        tuple(candidate.layer.name for candidate in layers),
    )


def _shapes(layer: Layer, conventions: Iterable[Convention]) -> frozenset[Shape]:
    """(N, M) of the matrices that any convention, or a cut by groups, takes from a layer."""
    first, *others = conventions
    shapes: set[Shape] = set()
    for convention in (first, first.override({"conv": "group-slices"}), *others):
        try:
            matrices = layer_matrices(layer, convention)
        except LayerError:
            continue
        shapes |= {(max(m.N, m.M), min(m.N, m.M)) for m in matrices}
    return frozenset(shapes)


def _groups(rows: Iterable[TheirRow]) -> list[_Group]:
    """Rows of one layer together, in the order of the layers' numbers or else of the rows."""
    members: dict[object, list[TheirRow]] = {}
    for row in rows:
        key = row.layer_id if row.layer_id is not None else row.name or row.place
        members.setdefault(key, []).append(row)
    groups = [_Group(several[0].name, tuple(several)) for several in members.values()]
    if all(group.rows[0].layer_id is not None for group in groups):
        groups.sort(key=lambda group: group.rows[0].layer_id or 0)
    return groups


Matches = list[tuple[_Candidate, _Group]]


def _by_name(layers: list[_Candidate], groups: list[_Group]) -> Matches:
    """Pair a layer with the rows that bear its name: whole, or as the end of a longer one.

    A name is used only if it means one layer and one group.
    """
    named = [group for group in groups if group.name is not None]
    matches: Matches = []
    for same in (_same_name, _one_ends_the_other):
        left = [c for c in layers if all(c is not used for used, _ in matches)]
        open_ = [g for g in named if all(g is not used for _, used in matches)]
        pairs = [(c, g) for g in open_ for c in left if same(c.layer, g.name or "")]
        matches += [
            (c, g)
            for c, g in pairs
            if sum(c is other for other, _ in pairs) == sum(g is other for _, other in pairs) == 1
        ]
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


def _by_shape(layers: list[_Candidate], groups: list[_Group]) -> Matches:
    """Pair a layer with the group of a shape that no other has."""
    pairs = [(c, g) for g in groups for c in layers if g.shapes and g.shapes <= c.shapes]
    return [
        (c, g)
        for c, g in pairs
        if sum(c is other for other, _ in pairs) == sum(g is other for _, other in pairs) == 1
    ]


def _by_order(layers: list[_Candidate], groups: list[_Group]) -> Matches:
    """As many layers as groups of equal shapes, or of unknown ones, in their order."""
    matches: Matches = []
    for shapes in {frozenset(group.shapes): None for group in groups}:
        alike = [group for group in groups if group.shapes == shapes]
        fitting = [c for c in layers if shapes <= c.shapes]
        if len(alike) == len(fitting):
            matches += zip(fitting, alike, strict=True)
    places = [candidate.place for candidate, _ in matches]
    return [pair for pair in matches if places.count(pair[0].place) == 1]


_WAYS: tuple[tuple[str, Callable[[list[_Candidate], list[_Group]], Matches]], ...] = (
    ("name", _by_name),
    ("shape", _by_shape),
    ("order", _by_order),
)


def _refuse_contradiction(table: TheirTable, candidate: _Candidate, group: _Group) -> None:
    """Refuse rows that bear a layer's name and have another shape.

    Spec: AUD-5.
    """
    for shape in group.shapes - candidate.shapes:
        N, M = shape
        layer = "×".join(map(str, candidate.layer.shape))
        raise TableError(
            f"{table.name}: {group} is {N}×{M}, which no matrix of the layer "
            f"{candidate.layer.name} ({layer}) is. Is it the table of this model?"
        )
