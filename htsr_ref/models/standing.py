"""What a model's alpha-hat rests on: the verdicts on its matrices, its error, its share."""

import math
from collections import Counter
from dataclasses import dataclass

from htsr_ref import metrics
from htsr_ref.reports.report import LayerReport, MatrixReport, Report
from htsr_ref.reports.summary import alpha_counts
from htsr_ref.reports.verdicts import VERDICTS, training_word
from htsr_ref.weights.meaning.roles import MATRIX_ROLES

NOISE_SHARE = 0.95
"""Share of random-like matrices from which a model counts as random-like (VRD-11)."""

_NAMES = {"weight": "linear layer", "embedding": "embedding", "recurrent": "recurrent weight"}


@dataclass(frozen=True)
class Coverage:
    """How many of a model's layers of one kind were analyzed.

    Attributes
    ----------
    kind : such as "convolution".
    analyzed, total : numbers of layers.
    left_out : why others were not, each reason once.

    Spec: VRD-10.
    """

    kind: str
    analyzed: int
    total: int
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        others = f": the others are {' or '.join(self.left_out)}" if self.left_out else ""
        return f"{self.analyzed} of {self.total} {self.kind}s analyzed{others}"


@dataclass(frozen=True)
class Standing:
    """What the numbers of one model rest on.

    Attributes
    ----------
    verdicts : number of matrices by verdict, every verdict in the order of `VERDICTS`.
    alpha_outside : matrices with an α outside the range that the field calls reliable.
    lambda_max_below_1 : matrices with λ_max < 1, where a larger α lowers α·log λ_max.
    coverage : analyzed layers of each kind.
    alpha_hat_stderr : standard error of alpha-hat with λ_max and xmin taken as known; None where
        a matrix behind it has none.
    random_like : whether the model as a whole cannot be told from noise.

    Spec: VRD-9, VRD-10, VRD-11, VRD-12.
    """

    verdicts: dict[str, int]
    alpha_outside: int
    lambda_max_below_1: int
    coverage: tuple[Coverage, ...]
    alpha_hat_stderr: float | None
    random_like: bool

    @property
    def judged(self) -> int:
        """Number of matrices with eigenvalues enough for a verdict."""
        return _judged(self.verdicts)

    @property
    def random_like_share(self) -> float | None:
        """Share of the judged matrices that cannot be told from noise; None if none is judged."""
        return self.verdicts["random-like"] / self.judged if self.judged else None


def _judged(verdicts: dict[str, int]) -> int:
    return sum(verdicts.values()) - verdicts["too few eigenvalues"]


def standing_of(report: Report) -> Standing:
    """Find out what a report's alpha-hat rests on.

    Spec: VRD-9, VRD-10, VRD-11, VRD-12.
    """
    matrices = [matrix for layer in report.analyzed() for matrix in layer.matrices]
    found = Counter(matrix.verdict.name for matrix in matrices if matrix.verdict is not None)
    verdicts: dict[str, int] = {name: found[name] for name in VERDICTS}
    return Standing(
        verdicts=verdicts,
        alpha_outside=sum(_is_outside(matrix) for matrix in matrices),
        lambda_max_below_1=sum(matrix.lambda_max < 1.0 for matrix in matrices),
        coverage=_coverage(report),
        alpha_hat_stderr=alpha_hat_stderr(report),
        random_like=_is_random_like(verdicts),
    )


def _is_outside(matrix: MatrixReport) -> bool:
    return matrix.xmin is not None and training_word(matrix.alpha) is not None


def _is_random_like(verdicts: dict[str, int]) -> bool:
    """Whether all matrices with a verdict are random-like, but for what chance allows.

    Spec: VRD-11.
    """
    judged = _judged(verdicts)
    enough = verdicts["random-like"] >= NOISE_SHARE * judged
    return judged > 0 and enough and not verdicts["power law"]


def alpha_hat_stderr(report: Report) -> float | None:
    """Estimate the error of alpha-hat, √Σ(w_i·log λ_i·σ_i)², with λ_max and xmin taken as known.

    The weight w_i of a matrix is its share of the mean: 1/n, or that of its layer over the number
    of its matrices.

    Spec: VRD-12.
    """
    convention = report.convention
    log = math.log if convention.log_base == "e" else math.log10
    counted = [
        unit
        for unit in _units(report)
        if alpha_counts(metrics.mean(matrix.alpha for matrix in unit).value, convention)
    ]
    variance = 0.0
    for unit in counted:
        for matrix in unit:
            if matrix.alpha_stderr is None:
                return None
            weight = 1.0 / (len(counted) * len(unit))
            variance += (weight * log(matrix.lambda_max) * matrix.alpha_stderr) ** 2
    return math.sqrt(variance) if counted else None


def _units(report: Report) -> list[list[MatrixReport]]:
    """Matrices with a weighted alpha, by the units that the model averages over (MET-10)."""
    layers = [
        [matrix for matrix in layer.matrices if matrix.weighted_alpha is not None]
        for layer in report.analyzed()
    ]
    if report.convention.average == "layers":
        return [layer for layer in layers if layer]
    return [[matrix] for layer in layers for matrix in layer]


def _coverage(report: Report) -> tuple[Coverage, ...]:
    """Count the layers that hold weight matrices, kind by kind, in the order of the file.

    Spec: VRD-10.
    """
    kinds: dict[str, list[LayerReport]] = {}
    for layer in report.layers:
        if layer.role in MATRIX_ROLES:
            kind = "convolution" if "k1" in layer.axes else _NAMES[layer.role]
            kinds.setdefault(kind, []).append(layer)
    return tuple(
        Coverage(
            kind,
            sum(layer.skipped is None for layer in layers),
            len(layers),
            tuple(dict.fromkeys(_reason(layer, report) for layer in layers if layer.skip_code)),
        )
        for kind, layers in kinds.items()
    )


def _reason(layer: LayerReport, report: Report) -> str:
    """Say in a few words why a layer was not analyzed."""
    words = {
        "min-dim": f"below {report.convention.min_dim}",
        "size": "of a size that the convention leaves out",
        "convention": "left out by the convention",
        "tied": "tied to others",
        "bad-data": "damaged",
    }
    return words.get(layer.skip_code or "", "not understood")
