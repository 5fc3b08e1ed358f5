"""Numbers that are known before a file is analysed, and whether a report meets them."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from htsr_ref.conventions import FIELDS, PAPER, Convention
from htsr_ref.errors import ExpectationError
from htsr_ref.report import MatrixReport, Report

FREE_FIELDS = ("layer_kinds", "min_dim", "min_dim_applies_to", "average", "alpha_range")
"""Fields of a convention that change no number of a matrix."""


@dataclass(frozen=True)
class Expectation:
    """An interval that a number of a matrix keeps to.

    Attributes
    ----------
    metric : key of a matrix in a report.
    low, high : the interval.
    why : where it comes from.

    Spec: RMT-12.
    """

    metric: str
    low: float
    high: float
    why: str


@dataclass(frozen=True)
class Outcome:
    """How a report compares with what was expected of it.

    Attributes
    ----------
    met : how many numbers lie in their intervals.
    misses : those that do not, in words.
    """

    met: int
    misses: tuple[str, ...]


def to_json(expected: Mapping[str, tuple[Expectation, ...]]) -> dict[str, Any]:
    """Write expectations by layer name for a manifest.

    Spec: RMT-12.
    """
    return {name: [asdict(one) for one in several] for name, several in expected.items()}


def from_json(value: Any) -> dict[str, tuple[Expectation, ...]]:
    """Read what a manifest holds under `expected`.

    Raises
    ------
    ExpectationError
        There is nothing, or not what `to_json` writes.

    Spec: RMT-12.
    """
    if not isinstance(value, dict) or not value:
        raise ExpectationError("it carries no expectations: `htsr synth` writes files that do")
    try:
        return {name: tuple(map(_expectation, several)) for name, several in value.items()}
    except (TypeError, ValueError) as error:
        raise ExpectationError(f"its expectations are not valid: {error}") from None


def _expectation(value: Any) -> Expectation:
    names = {field.name for field in fields(Expectation)}
    if not isinstance(value, dict) or set(value) != names:
        raise ValueError(f"an expectation has the keys {', '.join(sorted(names))}")
    metric, why, ends = value["metric"], value["why"], (value["low"], value["high"])
    if metric not in {field.name for field in fields(MatrixReport)} or not isinstance(why, str):
        raise ValueError(f"{metric!r} is no number of a matrix")
    if not all(type(end) in (int, float) and math.isfinite(end) for end in ends):
        raise ValueError(f"the interval of {metric} has an end that is no number")
    return Expectation(metric, *ends, why)


def compare(report: Report, expected: Mapping[str, tuple[Expectation, ...]]) -> Outcome:
    """Compare a report with expectations.

    Parameters
    ----------
    report : under the convention `paper`, up to choices that change no number of a matrix.
    expected : by layer name.

    Raises
    ------
    ExpectationError
        The convention is another one.

    Spec: RMT-12.
    """
    require_comparable(report.convention)
    layers = {layer.name: layer for layer in report.layers}
    met, misses = 0, []
    for name, several in expected.items():
        if name not in layers or not layers[name].matrices:
            reason = layers[name].skipped if name in layers else "there is no such layer"
            misses.append(f"layer {name} was to be compared: {reason}")
            continue
        for matrix in layers[name].matrices:
            for one in several:
                value = getattr(matrix, one.metric)
                if value is not None and one.low <= value <= one.high:
                    met += 1
                else:
                    found = "undefined" if value is None else f"{value:.6g}"
                    misses.append(
                        f"layer {name}: {one.metric} is {found}, expected {one.low:.6g} to "
                        f"{one.high:.6g} ({one.why})"
                    )
    return Outcome(met, tuple(misses))


def require_comparable(convention: Convention) -> None:
    """Refuse a convention whose numbers of a matrix are not those of `paper`.

    Spec: RMT-12.
    """
    changed = [
        name
        for name in FIELDS
        if name not in FREE_FIELDS and getattr(convention, name) != getattr(PAPER, name)
    ]
    if changed:
        raise ExpectationError(
            f"expectations are those of the convention paper, and {', '.join(changed)} differs: "
            "leave out --expect or the change"
        )
