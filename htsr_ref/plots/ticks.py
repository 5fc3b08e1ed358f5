"""Where the ticks of an axis stand and what they say, for any range of numbers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST = 6
"""Greatest number of ticks."""

LEAST_SPAN = 1e-6
"""Smallest range that is shown, as a share of the numbers in it."""

MARGIN = 0.04
"""Room on either side of the numbers, as a share of their range."""

GAP = 5.0
"""Least room between labels, points."""

_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


@dataclass(frozen=True)
class Ticks:
    """Places of ticks, in the axis's own numbers, and their labels."""

    places: tuple[float, ...]
    labels: tuple[str, ...]


def limits(low: float, high: float, *, log: bool) -> tuple[float, float]:
    """Range of an axis that shows numbers from `low` to `high` with a margin.

    Spec: FIG-4.

    >>> limits(0.0, 100.0, log=False)
    (-4.0, 104.0)
    """
    if log:
        low, high = math.log10(low), math.log10(high)
        if high - low < LEAST_SPAN:
            low, high = low - 0.5, high + 0.5
        low, high = limits(low, high, log=False)
        return 10.0 ** max(low, -307.0), 10.0 ** min(high, 308.0)
    size = max(abs(low), abs(high))
    if high - low < LEAST_SPAN * size or low == high:
        # A single number stands in the middle of a tenth of its size.
        half = 0.5 * ((LEAST_SPAN if high > low else 0.1) * size or 1.0)
        middle = 0.5 * low + 0.5 * high
        low, high = middle - half, middle + half
    margin = MARGIN * (high - low)
    return low - margin, high + margin


def ticks(
    low: float, high: float, *, log: bool, room: Callable[[str], float], length: float
) -> Ticks:
    """Choose as many ticks, up to six, as leave room between their labels.

    Parameters
    ----------
    low, high : ends of the axis.
    log : whether it is logarithmic; its ends are then positive.
    room : length of a label along the axis, points.
    length : of the axis, points.

    Spec: FIG-4.

    >>> ticks(0.01, 1000.0, log=True, room=len, length=100).labels
    ('10⁻²', '10⁻¹', '1', '10', '10²', '10³')
    """

    def place(value: float) -> float:
        if log:
            return math.log(value / low) / math.log(high / low)
        return (value - low) / (high - low)

    def fits(chosen: list[Decimal]) -> Ticks | None:
        labels = tick_labels(chosen)
        places = [float(value) for value in chosen]
        ends = [
            (place(at) * length, 0.5 * (room(label) + GAP))
            for at, label in zip(places, labels, strict=True)
        ]
        apart = all(b - a >= ra + rb for (a, ra), (b, rb) in pairwise(ends))
        return Ticks(tuple(places), tuple(labels)) if apart else None

    candidates = list(_candidates(low, high, log=log))
    for chosen in candidates:
        if 2 <= len(chosen) <= MOST and (found := fits(chosen)) is not None:
            return found
    fewest = [chosen for chosen in candidates if chosen][-1]
    return fits(fewest[:1]) or Ticks((), ())


def _candidates(low: float, high: float, *, log: bool) -> Iterator[list[Decimal]]:
    """Yield sets of round numbers within a range, the preferred ones first."""
    if log:
        first, last = math.ceil(math.log10(low) - 1e-9), math.floor(math.log10(high) + 1e-9)
        if last - first >= 2:
            for step in (1, 2, 3, 5, 10, 20, 50, 100, 200):
                start = math.ceil(first / step) * step
                yield [Decimal(1).scaleb(e) for e in range(start, last + 1, step)]
        for mantissas in ((1, 2, 5), (1, 3), (1,)):
            values = (Decimal(m).scaleb(e) for e in range(first - 1, last + 1) for m in mantissas)
            yield [value for value in values if low <= value <= high]
    span = Decimal(high) - Decimal(low)
    exponent = span.adjusted() - 1
    for power in range(exponent, exponent + 3):
        for mantissa in (1, 2, 5):
            size = Decimal(mantissa).scaleb(power)
            lowest = math.ceil(Decimal(low) / size)
            highest = math.floor(Decimal(high) / size)
            if highest - lowest < 3 * MOST:
                yield [k * size for k in range(lowest, highest + 1)]


def tick_labels(values: list[Decimal]) -> list[str]:
    """Write numbers as ticks do: alike, without powers of ten if these would only be in the way.

    >>> tick_labels([Decimal("0.5"), Decimal(1)]), tick_labels([Decimal("1e-7"), Decimal("2e-7")])
    (['0.5', '1'], ['10⁻⁷', '2·10⁻⁷'])
    """
    sizes = [value.adjusted() for value in values if value]
    decades = all(not value or abs(value).normalize().as_tuple().digits == (1,) for value in values)
    if not sizes or (max(sizes) < 5 and min(sizes) >= (-1 if decades else -3)):
        if decades and any(size > 1 for size in sizes) and len(values) > 1:
            return [_power(value, value.adjusted()) for value in values]
        return [_signed(f"{value.normalize():f}") for value in values]
    if decades or max(sizes) - min(sizes) > 2:
        return [_power(value, value.adjusted() if value else 0) for value in values]
    return [_power(value, max(sizes)) for value in values]


def _power(value: Decimal, exponent: int) -> str:
    """Write a number with a given power of ten."""
    if not value or exponent in (0, 1):
        return _signed(f"{value.normalize():f}")
    mantissa = _signed(f"{value.scaleb(-exponent).normalize():f}")
    power = f"10{str(exponent).translate(_SUPERSCRIPTS)}"
    return power if mantissa == "1" else f"{mantissa}·{power}"


def _signed(text: str) -> str:
    return text.replace("-", "−")
