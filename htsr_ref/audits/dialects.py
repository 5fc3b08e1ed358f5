"""What the columns of a table mean: which of our numbers each of them is."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from types import MappingProxyType

from htsr_ref import metrics
from htsr_ref.metric_table import METRICS
from htsr_ref.reports.columns import weightwatcher_row
from htsr_ref.reports.report import LayerReport, MatrixReport
from htsr_ref.reports.rows import flat_columns, flat_row

Numbers = dict[str, float | None]
"""Numbers of a matrix by column; None where one is undefined."""


@dataclass(frozen=True)
class Dialect:
    """The columns of one kind of table.

    Attributes
    ----------
    name : the tool that writes such tables.
    convention : name of the shipped convention that it follows; None if a table may follow any.
    quantities : for each column that is compared, the number of a matrix that it rests on.
    traced : columns that hold α, λ_max and α̂.
    bare : columns that the tool fills in for layers that it does not analyze.
    numbers : the columns of one matrix, from its report and the number for a failed fit.
    precision : relative difference up to which a number is reproduced.
    logarithms : columns for which that is an absolute difference as well.

    Spec: AUD-2, AUD-7.
    """

    name: str
    convention: str | None
    quantities: Mapping[str, str]
    traced: tuple[str, str, str]
    bare: frozenset[str]
    numbers: Callable[[LayerReport, MatrixReport, float | None], Numbers]
    precision: float = 1e-6
    logarithms: frozenset[str] = frozenset()

    def with_ours(self, names: Collection[str]) -> "Dialect":
        """Add columns that are numbers of our reports, where the dialect has none so called."""
        added = {name: _OURS[name] for name in names if name not in self.quantities}
        if not added:
            return self

        def numbers(layer: LayerReport, matrix: MatrixReport, failed: float | None) -> Numbers:
            ours = _ours_or_failed(layer, matrix, failed)
            return self.numbers(layer, matrix, failed) | {name: ours[name] for name in added}

        return replace(self, quantities={**self.quantities, **added}, numbers=numbers)

    def of_layer(self, layer: LayerReport, failed: float | None) -> Numbers:
        """Columns of a layer: the means over its matrices.

        Spec: AUD-6, MET-9.
        """
        rows = [self.numbers(layer, matrix, failed) for matrix in layer.matrices]
        return {name: metrics.mean(row[name] for row in rows).value for name in self.quantities}


_COMPARED = tuple(name for name, metric in METRICS.items() if metric.compared)
_OURS = MappingProxyType({column: name for name in _COMPARED for column in flat_columns([name])})
OUR_NUMBERS = tuple(_OURS)
"""Numbers of a matrix in a report that are compared."""

_OF_A_FIT = ("alpha", "alpha_stderr", "xmin", "tail_size", "ks_distance")
"""Numbers for which a tool writes its number for a failed fit."""


def _ours(_: LayerReport, matrix: MatrixReport, __: float | None) -> Numbers:
    row = flat_row(asdict(matrix))
    return {name: row[name] for name in OUR_NUMBERS}


def _ours_or_failed(_: LayerReport, matrix: MatrixReport, failed: float | None) -> Numbers:
    row = _ours(_, matrix, failed)
    return row | dict.fromkeys(_OF_A_FIT, failed) if matrix.xmin is None else row


def _weightwatcher(layer: LayerReport, matrix: MatrixReport, failed: float | None) -> Numbers:
    row = weightwatcher_row(layer, matrix, failed)
    return {name: row[name] for name in _WEIGHTWATCHER}


def _weightwatcher_2020(layer: LayerReport, matrix: MatrixReport, failed: float | None) -> Numbers:
    log_norm, log_spectral = matrix.log10_frobenius_norm, matrix.log10_spectral_norm
    rank = matrix.stable_rank
    return {
        "N": matrix.N,
        "M": matrix.M,
        "norm": None if log_norm is None else 10.0**log_norm,
        "log_norm": log_norm,
        "spectral_norm": None if log_spectral is None else 10.0 ** (2 * log_spectral),
        "log_spectral_norm": None if log_spectral is None else 2 * log_spectral,
        "stable_rank": rank,
        "log_stable_rank": None if rank is None else math.log10(rank),
        "alpha": matrix.alpha,
        "alpha_weighted": matrix.weighted_alpha,
        "log_alpha_norm": matrix.log10_alpha_norm,
    }


_WEIGHTWATCHER = MappingProxyType(
    {
        "N": "N",
        "M": "M",
        "Q": "Q",
        "num_evals": "num_eigenvalues",
        "sv_max": "lambda_max",
        "sv_min": "lambda_min",
        "rank_loss": "rank",
        "weak_rank_loss": "weak_rank_loss",
        "lambda_max": "lambda_max",
        "alpha": "alpha",
        "xmin": "xmin",
        "xmax": "xmax",
        "D": "ks_distance",
        "sigma": "alpha_stderr",
        "num_pl_spikes": "tail_size",
        "norm": "log10_frobenius_norm",
        "log_norm": "log10_frobenius_norm",
        "spectral_norm": "log10_spectral_norm",
        "log_spectral_norm": "log10_spectral_norm",
        "alpha_weighted": "weighted_alpha",
        "log_alpha_norm": "log10_alpha_norm",
        "stable_rank": "stable_rank",
        "matrix_rank": "rank",
        "entropy": "entropy",
    }
)
_WEIGHTWATCHER_2020 = MappingProxyType(
    {
        "N": "N",
        "M": "M",
        "norm": "log10_frobenius_norm",
        "log_norm": "log10_frobenius_norm",
        "spectral_norm": "log10_spectral_norm",
        "log_spectral_norm": "log10_spectral_norm",
        "stable_rank": "stable_rank",
        "log_stable_rank": "stable_rank",
        "alpha": "alpha",
        "alpha_weighted": "weighted_alpha",
        "log_alpha_norm": "log10_alpha_norm",
    }
)
_SIZES = frozenset({"N", "M", "Q"})
_TRACED = ("alpha", "lambda_max", "weighted_alpha")

OURS = Dialect("htsr-ref", None, _OURS, _TRACED, _SIZES, _ours)
"""Reports of this package."""

MAPPED = Dialect("mapped columns", None, _OURS, _TRACED, _SIZES, _ours_or_failed)
"""Any table whose columns the user maps to the numbers of our reports."""

WEIGHTWATCHER = Dialect(
    "WeightWatcher",
    "weightwatcher-0.7.7",
    _WEIGHTWATCHER,
    ("alpha", "lambda_max", "alpha_weighted"),
    _SIZES,
    _weightwatcher,
)
"""WeightWatcher from 0.4 on: norms are squared, and an ESD is a layer."""

WEIGHTWATCHER_2020 = Dialect(
    "WeightWatcher 0.2",
    "weightwatcher-0.2.7",
    _WEIGHTWATCHER_2020,
    ("alpha", "spectral_norm", "alpha_weighted"),
    _SIZES | {"spectral_norm", "log_spectral_norm"},
    _weightwatcher_2020,
    precision=1e-5,
    logarithms=frozenset(
        {"log_norm", "log_spectral_norm", "log_stable_rank", "alpha_weighted", "log_alpha_norm"}
    ),
)
"""WeightWatcher 0.2: `norm` and `log_norm` are not squared, an ESD is a slice, and it is solved in
float32."""
