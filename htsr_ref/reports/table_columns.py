"""Columns of the table of a report: their names, titles and numbers, and the order of rows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from htsr_ref.errors import HtsrError
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.judgments import because, verdict_text
from htsr_ref.reports.markdown import number
from htsr_ref.reports.rows import MATRIX_COLUMNS, flat_row
from htsr_ref.text.nearest import one_of
from htsr_ref.text.order import by_depth, natural_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from htsr_ref.reports.report import LayerReport, MatrixReport

Value = float | str | None

DEPTH = "depth"
"""Stands for the order of layers in the model, where a column to sort by is asked for."""


@dataclass(frozen=True)
class Column:
    """A column of the table.

    Attributes
    ----------
    name : by which it is chosen, that of the CSV where there is one.
    title : its head.
    value : what it holds for a layer.
    spec : format of its numbers.
    right : whether it is aligned right, as numbers are.
    """

    name: str
    title: str
    value: Callable[[LayerReport], Value]
    spec: str = ".3f"
    right: bool = True

    def text(self, layer: LayerReport) -> str:
        """Write what it holds for a layer."""
        value = self.value(layer)
        return value if isinstance(value, str) else number(value, self.spec)


def column_of(name: str) -> Column:
    """Find a column by name.

    Raises
    ------
    HtsrError
        There is none; the nearest names are said.

    Spec: RPT-12.
    """
    if name in COLUMNS:
        return COLUMNS[name]
    if name in _NUMBERS:
        return Column(name, name, lambda layer: _number_of(layer, name), ".4g")
    raise HtsrError(
        f"there is no column {name!r}. {one_of(name, [*COLUMNS, *_NUMBERS], 'Columns')}"
    )


def sorted_layers(layers: Sequence[LayerReport], by: str = DEPTH) -> list[LayerReport]:
    """Sort layers by depth or by a column, descending after a minus; undefined numbers come last.

    Raises
    ------
    HtsrError
        There is no such column.

    Spec: RPT-12.
    """
    ordered = [layers[place] for place in by_depth([layer.name for layer in layers])]
    column, down = by.removeprefix("-"), by.startswith("-")
    if column == DEPTH:
        return ordered[::-1] if down else ordered
    value = column_of(column).value
    known = [layer for layer in ordered if value(layer) is not None]
    known.sort(key=lambda layer: _key(value(layer)), reverse=down)
    return [*known, *(layer for layer in ordered if value(layer) is None)]


def _key(value: Value) -> tuple[float, list[tuple[int, str]]]:
    return (0.0, natural_key(value)) if isinstance(value, str) else (float(value or 0.0), [])


def _only(layer: LayerReport) -> MatrixReport | None:
    return layer.matrices[0] if len(layer.matrices) == 1 else None


def _mean(name: str) -> Callable[[LayerReport], Value]:
    return lambda layer: (layer.means or {}).get(name)


def _of_only(name: str) -> Callable[[LayerReport], Value]:
    return lambda layer: getattr(_only(layer), name, None)


def _xi(layer: LayerReport) -> Value:
    only = _only(layer)
    return only.extreme_value.xi if only and only.extreme_value else None


def _shapes(layer: LayerReport) -> str:
    """Sizes of a layer's matrices: "64×48", "9 of 64×48", or "3 up to 64×48"."""
    shapes = {(matrix.N, matrix.M) for matrix in layer.matrices}
    largest = "×".join(map(str, max(shapes)))
    if len(layer.matrices) == 1:
        return largest
    return f"{len(layer.matrices)} {'of' if len(shapes) == 1 else 'up to'} {largest}"


def _number_of(layer: LayerReport, name: str) -> Value:
    """Mean of a number over a layer's matrices, or what its only matrix has under that name."""
    only = _only(layer)
    if only is None or (name in MEAN_FIELDS and layer.means is not None):
        return (layer.means or {}).get(name)
    found = flat_row(asdict(only))[name]
    return found if found is None or isinstance(found, float) else str(found)


COLUMNS: Mapping[str, Column] = MappingProxyType(
    {
        column.name: column
        for column in (
            Column("layer", "layer", lambda layer: layer.name, right=False),
            Column("shape", "N×M", _shapes, right=False),
            Column("alpha", "alpha", _mean("alpha")),
            Column("alpha_stderr", "±", _of_only("alpha_stderr")),
            Column("ks_distance", "D", _mean("ks_distance")),
            Column("tail_size", "tail", _mean("tail_size"), ".0f"),
            Column("weighted_alpha", "α·log λmax", _mean("weighted_alpha")),
            Column("log10_frobenius_norm", "log‖W‖F", _mean("log10_frobenius_norm")),
            Column("stable_rank", "stable rank", _mean("stable_rank"), ".1f"),
            Column("xi", "ξ", _xi, ".2f"),
            Column("p_value", "p", _of_only("p_value")),
            Column("verdict", "verdict", verdict_text, right=False),
            Column("verdict_reason", "because", because, right=False),
            Column("role", "role", lambda layer: layer.role, right=False),
        )
    }
)
"""Columns with a title of their own, by name."""

SHOWN = tuple(name for name in COLUMNS if name not in ("p_value", "verdict_reason", "role"))
"""Columns that are shown unless others are asked for."""

DROPPED = (
    *("stable_rank", "xi", "log10_frobenius_norm", "shape", "weighted_alpha"),
    *("tail_size", "ks_distance", "alpha_stderr"),
)
"""Columns in the order in which they are left out where a terminal is too narrow for all."""

_NUMBERS = tuple(name for name in MATRIX_COLUMNS if name not in COLUMNS)
"""Numbers and words of a matrix that can be chosen as well."""
