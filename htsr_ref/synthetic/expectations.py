"""Numbers that are known before a file is analyzed, and whether a report meets them."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, fields
from itertools import product
from types import MappingProxyType
from typing import Any

from htsr_ref.conventions import FIELDS, FIT_FIELDS, SDM2020_TEXT, Convention
from htsr_ref.errors import ExpectationError
from htsr_ref.metric_table import METRICS
from htsr_ref.reports.report import MatrixReport, Report
from htsr_ref.reports.rows import flat_columns
from htsr_ref.weights import Weights
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.opening import WeightSource

FREE_FIELDS = frozenset(
    name for name, field in FIELDS.items() if field.stage in ("selection", "model")
)
"""Fields of a convention that change no number of a matrix: which are left out, and the model's."""

SCALED = ("lambda_max", "lambda_min", "xmin", "xmax")
"""Numbers of a matrix that are proportional to the factor c of X = c·WᵀW."""

CHANCE = 1e-5
"""Probability with which more numbers miss their intervals than chance is held to allow."""


@dataclass(frozen=True)
class Expectation:
    """What is known of a number of a matrix.

    Attributes
    ----------
    metric : key of a matrix in a report.
    value : what theory gives; None where it gives bounds alone.
    low, high : interval that the number keeps to; None where it is open.
    false_alarm : probability, at most, that the number lies outside though all is well.
    why : where it comes from.

    Spec: RMT-12.
    """

    metric: str
    value: float | None
    low: float | None
    high: float | None
    false_alarm: float
    why: str

    def holds(self, number: float | None) -> bool:
        """Whether a number lies in the interval; an undefined one does not."""
        low = -math.inf if self.low is None else self.low
        high = math.inf if self.high is None else self.high
        return number is not None and low <= number <= high

    def miss(self, number: float | None) -> str:
        """Say that a number does not lie in the interval."""
        found = "undefined" if number is None else f"{number:.6g}"
        ends = [
            f"{word} {end:.6g}"
            for word, end in (("at least", self.low), ("at most", self.high))
            if end is not None
        ]
        return f"{self.metric} is {found}, expected {' and '.join(ends)}: {self.why}"


@dataclass(frozen=True)
class ExpectationCheck:
    """How a report compares with what was expected of it.

    Attributes
    ----------
    met : how many numbers lie in their intervals.
    misses : those that do not, in words.
    by_chance : those that do not either, but are no more than chance allows.
    not_compared : how many are known only under another fit than the report's.
    """

    met: int
    misses: tuple[str, ...]
    by_chance: tuple[str, ...]
    not_compared: int = 0


def to_json(expected: Mapping[str, tuple[Expectation, ...]]) -> dict[str, Any]:
    """Write expectations by layer name for a manifest.

    Spec: RMT-12.
    """
    return {name: [asdict(one) for one in several] for name, several in expected.items()}


def from_json(value: Any, source: str) -> dict[str, tuple[Expectation, ...]]:
    """Read what a manifest holds under `expected`.

    Parameters
    ----------
    value : that, or None.
    source : name of the file, for messages.

    Raises
    ------
    ExpectationError
        There is nothing, or not what `to_json` writes.

    Spec: RMT-12.
    """
    if not value or (isinstance(value, dict) and not any(value.values())):
        raise ExpectationError(
            f"{source}: it carries no expectations. `htsr synth` writes files that do, where "
            "something is known"
        )
    try:
        if not isinstance(value, dict):
            raise ValueError("they are not an object of layers")
        return {name: tuple(map(_expectation, several)) for name, several in value.items()}
    except (TypeError, ValueError) as error:
        raise ExpectationError(
            f"{source}: its expectations are not valid: {error}. Leave out --expect"
        ) from None


def _expectation(value: Any) -> Expectation:
    names = [field.name for field in fields(Expectation)]
    if not isinstance(value, dict) or set(value) != set(names):
        raise ValueError(f"an expectation has the keys {', '.join(names)}")
    metric, rate = value["metric"], value["false_alarm"]
    if metric not in _KNOWABLE:
        raise ValueError(f"{metric!r} is not a metric of a matrix")
    if not isinstance(value["why"], str):
        raise ValueError(f"{metric} has a reason that is not text")
    numbers = [value[name] for name in ("value", "low", "high") if value[name] is not None]
    if not all(_is_number(number) for number in [rate, *numbers]) or not 0 <= rate < 1:
        raise ValueError(f"{metric} has a value, end or false_alarm that is not valid")
    return Expectation(**value)


_KNOWABLE = frozenset(name for name in METRICS if flat_columns([name]) == [name])
"""Numbers of a matrix that something can be known of."""


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value)


def compare(report: Report, expected: Mapping[str, tuple[Expectation, ...]]) -> ExpectationCheck:
    """Compare a report with expectations.

    Of n numbers with the same false-alarm rate r, as many may miss as independent ones miss with
    a probability above `CHANCE`: none if n·r is below it.

    Parameters
    ----------
    report : under `sdm2020-text`, up to choices that change no number of a matrix, c and the fit.
        Where the fit is another, its numbers are not compared.
    expected : by layer name.

    Raises
    ------
    ExpectationError
        The convention is another one.

    Spec: RMT-12.
    """
    from scipy import stats

    require_comparable(report.convention)
    layers = {layer.name: layer for layer in report.layers}
    misses: list[str] = []
    by_chance: list[str] = []
    compared: dict[float, list[str | None]] = {}
    not_compared = 0
    other_fit = bool(_differing(report.convention, FIT_FIELDS))
    for name, several in expected.items():
        if name not in layers or not layers[name].matrices:
            reason = layers[name].skipped if name in layers else "there is no such layer"
            misses.append(f"layer {name}: not analyzed: {reason}")
            continue
        for matrix, one in product(layers[name].matrices, several):
            if other_fit and METRICS[one.metric].stage == "fit":
                not_compared += 1
                continue
            number = getattr(matrix, one.metric)
            if number is not None and one.metric in SCALED:
                number *= SCALES[report.convention.normalization](matrix)
            miss = None if one.holds(number) else f"layer {name}: {one.miss(number)}"
            compared.setdefault(one.false_alarm, []).append(miss)
    for rate, results in compared.items():
        missed = [miss for miss in results if miss is not None]
        allowed = stats.binom.isf(CHANCE, len(results), rate)
        (by_chance if len(missed) <= allowed else misses).extend(missed)
    met = sum(results.count(None) for results in compared.values())
    return ExpectationCheck(met, tuple(misses), tuple(by_chance), not_compared)


def check_expected(report: Report, source: WeightSource | Weights) -> ExpectationCheck:
    """Compare a report with what the file that it is of says is known (`synth`).

    Parameters
    ----------
    report : under the default convention, up to choices that change no number of a matrix.
    source : the file, or opened weights.

    Raises
    ------
    ExpectationError
        The file carries no expectations, or the convention is another one.

    Spec: RMT-12.
    """
    weights = asked_weights(source)
    return compare(report, from_json(weights.extra.get("expected"), weights.name))


def require_comparable(convention: Convention) -> None:
    """Refuse a convention whose numbers of a matrix do not follow from those of `sdm2020-text`.

    Spec: RMT-12.
    """
    others = [name for name in FIELDS if name not in {*FREE_FIELDS, *FIT_FIELDS, "normalization"}]
    changed = _differing(convention, others)
    if convention.normalization not in SCALES:
        changed.append("normalization")
    if changed:
        raise ExpectationError(
            f"expectations are those of the convention {SDM2020_TEXT.name}, and "
            f"{', '.join(changed)} differs (RMT-12): leave out --expect or the change"
        )


def _differing(convention: Convention, names: Iterable[str]) -> list[str]:
    return [name for name in names if getattr(convention, name) != getattr(SDM2020_TEXT, name)]


SCALES: Mapping[str, Callable[[MatrixReport], float]] = MappingProxyType(
    {"1/N": lambda matrix: 1.0, "none": lambda matrix: 1.0 / matrix.N}
)
"""What takes an eigenvalue of a report to X = WᵀW/N, by the value of `normalization` (SPC-9)."""
