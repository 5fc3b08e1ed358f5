"""What weights hold, and what an analysis of them would cost."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.reports.markdown import convention_text
from htsr_ref.reports.plain_text import text_table, warning_lines
from htsr_ref.spectra.cost import estimate_cost
from htsr_ref.text import strictjson
from htsr_ref.text.lines import count, one_line
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from htsr_ref.reports.report import SkipCode
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource

MOST_NAMES = 3
"""Layers that the text names for one reason; JSON names all."""


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
        """Lay out a table of the layers, the warnings, and what an analysis would cost."""
        rows = [
            [
                layer.name,
                layer.role,
                "×".join(map(str, layer.shape)) or "scalar",
                layer.dtype,
                str(len(layer.matrices) or "–"),
                layer.decided,
            ]
            for layer in self.layers
        ]
        header = ["layer", "role", "shape", "dtype", "matrices", "how its role was decided"]
        warnings = list(self.warnings)
        warnings += [f"{layer.name}: {text}" for layer in self.layers for text in layer.warnings]
        pieces = [
            text_table(header, rows, [4], flexible=(0, 2, 5)),
            self._reasons(),
            warning_lines(warnings),
            self._total(),
        ]
        return "\n\n".join(filter(None, pieces)) + "\n"

    def _reasons(self) -> str:
        """Say why layers are left out, where their role does not say it: one line a reason."""
        found: dict[str, list[str]] = {}
        for layer in self.layers:
            if layer.skipped not in (None, layer.role):
                found.setdefault(str(layer.skipped), []).append(layer.name)
        lines = []
        for reason, names in found.items():
            more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
            lines.append(one_line(f"left out: {', '.join(names[:MOST_NAMES])}{more}: {reason}"))
        return "\n".join(lines)

    def _total(self) -> str:
        matrices = [matrix for layer in self.layers for matrix in layer.matrices]
        flops = sum(matrix.flops for matrix in matrices)
        memory = max((matrix.memory for matrix in matrices), default=0)
        return (
            f"{one_line(self.name)}: {self.format}, {count(len(self.layers), 'tensor')}; "
            f"convention {convention_text(self.convention)}\n"
            f"to analyze: {count(len(matrices), 'matrix', 'matrices')}, about "
            f"{flops / 1e9:.3g} Gflop, {memory / 2**20:.3g} MiB of work space"
        )


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
