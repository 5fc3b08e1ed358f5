"""What is matched: the layers of a source that may have rows, and the rows of one layer."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from htsr_ref.audits.tables import TheirRow
from htsr_ref.conventions import CONVENTIONS, Convention
from htsr_ref.errors import LayerError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.weights import Layer, Weights

Shape = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Group:
    """Rows of one layer: those of one number, else of one name."""

    rows: tuple[TheirRow, ...]

    @property
    def name(self) -> str | None:
        """The layer's name; None if it has none."""
        return self.rows[0].name

    @property
    def shapes(self) -> frozenset[Shape]:
        """(N, M) of the rows; empty if the table does not say."""
        return frozenset(row.shape for row in self.rows if row.shape is not None)

    @property
    def numbers(self) -> tuple[object, ...]:
        """Everything that the rows hold; equal for modules that share their weights."""
        return tuple(tuple((c, cell.value) for c, cell in row.cells.items()) for row in self.rows)

    def __str__(self) -> str:
        row = self.rows[0]
        return self.name or (row.place if row.layer_id is None else f"layer {row.layer_id}")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A layer that holds weight matrices.

    Attributes
    ----------
    place : of the layer that is analyzed; for a tied one, the layer it is the same as.
    layer : the layer itself.
    usual : (N, M) that the conventions at issue give its matrices.
    possible : those that any convention, or a cut by groups, gives them.
    """

    place: int
    layer: Layer
    usual: frozenset[Shape]
    possible: frozenset[Shape]

    @property
    def is_tied(self) -> bool:
        """Whether its weights are another layer's."""
        return self.layer.same_as is not None


Link = tuple[Candidate, Group]
"""A layer, and rows that may be its own."""


def unambiguous(links: Sequence[Link]) -> list[Link]:
    """Keep the links of a layer and rows that stand in no other link."""
    layers = Counter(candidate for candidate, _ in links)
    groups = Counter(group for _, group in links)
    return [(c, g) for c, g in links if layers[c] == groups[g] == 1]


def groups_of(rows: Iterable[TheirRow]) -> list[Group]:
    """Rows of one layer together, in the order of the layers' numbers or else of the rows.

    Spec: AUD-4.
    """
    members: dict[object, list[TheirRow]] = {}
    for row in rows:
        key = row.layer_id if row.layer_id is not None else row.name or row.place
        members.setdefault(key, []).append(row)
    groups = [Group(tuple(several)) for several in members.values()]
    if all(group.rows[0].layer_id is not None for group in groups):
        groups.sort(key=lambda group: group.rows[0].layer_id or 0)
    return groups


def candidates_of(weights: Weights, conventions: Iterable[Convention]) -> list[Candidate]:
    """Layers that rows can belong to, in the order of the source.

    Parameters
    ----------
    weights : the source.
    conventions : those at issue.
    """
    at_issue = tuple(conventions)
    shipped = tuple(CONVENTIONS.values())
    known = (*at_issue, *shipped, shipped[0].override({"conv": "group-slices"}))
    places = {layer.tensor: place for place, layer in enumerate(weights.layers)}
    return [
        Candidate(
            place if layer.same_as is None else places.get(layer.same_as, place),
            layer,
            _shapes(layer, at_issue),
            _shapes(layer, known),
        )
        for place, layer in enumerate(weights.layers)
        if layer.left_out is None or (layer.same_as is not None and layer.axes)
    ]


def _shapes(layer: Layer, conventions: Iterable[Convention]) -> frozenset[Shape]:
    """(N, M) of the matrices that some conventions take from a layer."""
    shapes: set[Shape] = set()
    for convention in conventions:
        try:
            matrices = layer_matrices(layer, convention)
        except LayerError:
            continue
        shapes |= {(max(m.N, m.M), min(m.N, m.M)) for m in matrices}
    return frozenset(shapes)
