"""What weights hold, and what an analysis of them would cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import HtsrError
from htsr_ref.reports.left_out import names_text, warning_lines
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.table_columns import DEPTH
from htsr_ref.spectra.cost import estimate_cost
from htsr_ref.text import strictjson
from htsr_ref.text.layout import Layout
from htsr_ref.text.lines import count, one_line
from htsr_ref.text.nearest import one_of
from htsr_ref.text.order import by_depth, natural_key
from htsr_ref.text.table import text_table
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from htsr_ref.reports.report import SkipCode
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource


@dataclass(frozen=True)
class DescribedMatrix:
    """A matrix that would be analyzed, and the cost of its spectrum.

    Attributes
    ----------
    label, N, M : as in a report.
    flops : floating-point operations of the eigensolver.
    memory : bytes of float64 work space at the peak.
    """

    label: str
    N: int
    M: int
    flops: float
    memory: int


@dataclass(frozen=True)
class DescribedLayer:
    """A tensor, what it was recognized as, and its matrices; attributes as in a `LayerReport`."""

    name: str
    tensor: str
    role: str
    axes: tuple[str, ...]
    shape: tuple[int, ...]
    dtype: str
    decided: str
    skipped: str | None
    skip_code: SkipCode | None
    matrices: tuple[DescribedMatrix, ...]
    warnings: tuple[str, ...]


@dataclass(frozen=True)
class Description:
    """What weights hold, and how they would be analyzed.

    Attributes
    ----------
    name, format : of the source.
    convention, solver : of the analysis that is described.
    layers : every tensor, in the order of the file.
    warnings : what concerns the file as a whole.
    """

    name: str
    format: str
    convention: Convention
    solver: SolverChoice
    layers: tuple[DescribedLayer, ...]
    warnings: tuple[str, ...]

    def to_json(self) -> str:
        """Write the description as JSON text."""
        return strictjson.dumps(asdict(self))

    def __repr__(self) -> str:
        return f"<Description of {one_line(self.name)}: {count(len(self.layers), 'tensor')}>"

    def __str__(self) -> str:
        """Lay out a table as wide as the terminal, whole where standard output is none."""
        return self.table(Layout.here())

    def table(
        self,
        layout: Layout | None = None,
        *,
        columns: Sequence[str] = (),
        sort: str = DEPTH,
        listed: bool = False,
    ) -> str:
        """Lay out a table of the layers, the warnings, and what an analysis would cost.

        Parameters
        ----------
        layout : where it goes; whole by default.
        columns : names of those shown; empty for all.
        sort : "depth", or the column by which rows are sorted, descending after a minus.
        listed : whether every warning and every name gets its place on a terminal as well.

        Raises
        ------
        HtsrError
            A column that is asked for does not exist.

        Spec: RPT-12.
        """
        layout = layout or Layout()
        shown = [_column(name) for name in columns or _COLUMNS]
        rows = [[column.text(layer) for column in shown] for layer in self._sorted(sort)]
        remarks = [("", text) for text in self.warnings]
        remarks += [(layer.name, text) for layer in self.layers for text in layer.warnings]
        pieces = [
            text_table(
                [column.title for column in shown],
                rows,
                [i for i, column in enumerate(shown) if column.name == "matrices"],
                [i for i, column in enumerate(shown) if column.name in ("layer", "decided")],
                layout,
            ),
            layout.prose(self._reasons(layout, listed=listed)),
            layout.prose(warning_lines(remarks, layout, listed=listed)),
            layout.prose(self._total()),
        ]
        return "\n\n".join(filter(None, pieces)) + "\n"

    def _sorted(self, by: str) -> list[DescribedLayer]:
        ordered = [self.layers[i] for i in by_depth([layer.name for layer in self.layers])]
        name, down = by.removeprefix("-"), by.startswith("-")
        if name != DEPTH:
            text = _column(name).text
            ordered.sort(key=lambda layer: natural_key(text(layer)), reverse=down)
        return ordered[::-1] if down and name == DEPTH else ordered

    def _reasons(self, layout: Layout, *, listed: bool) -> list[str]:
        """Say why layers are left out, where their role does not say it: one line a reason."""
        found: dict[str, list[str]] = {}
        for layer in self.layers:
            if layer.skipped not in (None, layer.role):
                found.setdefault(str(layer.skipped), []).append(layer.name)
        whole = Layout() if listed else layout
        return [f"left out: {names_text(names, whole)}: {why}" for why, names in found.items()]

    def _total(self) -> list[str]:
        matrices = [matrix for layer in self.layers for matrix in layer.matrices]
        flops = sum(matrix.flops for matrix in matrices)
        memory = max((matrix.memory for matrix in matrices), default=0)
        return [
            f"{self.name}: {self.format}, {count(len(self.layers), 'tensor')}; "
            f"convention {convention_text(self.convention)}",
            f"to analyze: {count(len(matrices), 'matrix', 'matrices')}, about "
            f"{flops / 1e9:.3g} Gflop, {memory / 2**20:.3g} MiB of work space",
        ]


@dataclass(frozen=True)
class _Column:
    name: str
    title: str
    text: Callable[[DescribedLayer], str]


_COLUMNS: Mapping[str, _Column] = MappingProxyType(
    {
        column.name: column
        for column in (
            _Column("layer", "layer", lambda layer: layer.name),
            _Column("role", "role", lambda layer: layer.role),
            _Column("shape", "shape", lambda layer: "×".join(map(str, layer.shape)) or "scalar"),
            _Column("dtype", "dtype", lambda layer: layer.dtype),
            _Column("matrices", "matrices", lambda layer: str(len(layer.matrices) or "–")),
            _Column("decided", "how its role was decided", lambda layer: layer.decided),
        )
    }
)


def _column(name: str) -> _Column:
    if name not in _COLUMNS:
        raise HtsrError(f"there is no column {name!r}. {one_of(name, _COLUMNS, 'Columns')}")
    return _COLUMNS[name]


def describe(
    source: WeightSource | Weights,
    convention: Convention | str = DEFAULT,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    solver: SolverChoice = "auto",
) -> Description:
    """Say what weights hold, how each layer was recognized, and what an analysis would cost.

    Only headers are read, however large the file.

    Parameters
    ----------
    source, convention, layers, include, exclude, solver : as for `analyze`.

    Raises
    ------
    HtsrError
        The source cannot be read.

    Spec: FMT-14, SPC-8.

    >>> import numpy as np
    >>> describe({"fc.weight": np.ones((64, 32))}).layers[0].decided
    'inferred: 2 axes (out, in)'
    """
    chosen = get_convention(convention)
    weights = asked_weights(
        source, layers=layers, include=include, exclude=exclude, facts_first=True
    )
    return Description(
        name=weights.name,
        format=weights.format,
        convention=chosen,
        solver=solver,
        layers=tuple(_described(item, solver) for item in plan(weights, chosen)),
        warnings=weights.warnings,
    )


def _described(item: PlannedLayer, solver: SolverChoice) -> DescribedLayer:
    layer = item.layer
    return DescribedLayer(
        name=layer.name,
        tensor=layer.tensor,
        role=layer.role,
        axes=layer.axes,
        shape=layer.shape,
        dtype=layer.dtype,
        decided=layer.decided,
        skipped=item.skipped,
        skip_code=item.skip_code,
        matrices=tuple(
            DescribedMatrix(
                matrix.label, matrix.N, matrix.M, **asdict(estimate_cost(matrix, solver))
            )
            for matrix in item.matrices
        ),
        warnings=(*layer.warnings, *item.warnings),
    )
