"""Ticks: round numbers, labels that say them, and no overlap at any range (FIG-4)."""

import numpy as np
import pytest
from figures import overlaps
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from htsr_ref.plots.axes import ROOM, set_axis
from htsr_ref.plots.ticks import LEAST_SPAN, MOST, limits, ticks

SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")

magnitudes = st.floats(-10, 10).map(lambda exponent: 10.0**exponent)
widths = st.floats(-9, 1).map(lambda exponent: 10.0**exponent)


@st.composite
def positive_ranges(draw):
    """From ranges as narrow as a number's last digits to twenty decades."""
    low = draw(magnitudes)
    return low, min(draw(st.one_of(magnitudes, widths.map(lambda w: low * (1 + w)))), 1e10)


def value_of(label: str) -> float:
    """Number that a label says."""
    mantissa, _, power = label.rpartition("·") if "·" in label else ("1", "", label)
    if power.startswith("10") and power[2:].translate(SUPERSCRIPTS) != power[2:]:
        return float(mantissa.translate(SUPERSCRIPTS)) * 10.0 ** int(
            power[2:].translate(SUPERSCRIPTS)
        )
    return float(label.translate(SUPERSCRIPTS))


def drawn_axis(low: float, high: float, which: str, *, log: bool) -> Figure:
    """An axis as long as its ticks may count on."""
    figure = Figure(figsize=(3.0, 3.0), dpi=72)
    FigureCanvasAgg(figure)
    length = ROOM[which] / 216
    axes = figure.add_axes((0.3, 0.3, length, length))
    axes.tick_params(labelsize=7)
    set_axis(axes, which, "", [low, high], log=log)
    other = axes.yaxis if which == "x" else axes.xaxis
    other.set_ticks([])
    return figure


@pytest.mark.spec("FIG-4")
@given(positive_ranges(), st.booleans(), st.sampled_from("xy"))
def test_labels_neither_overlap_nor_lie(ends, log, which):
    figure = drawn_axis(min(ends), max(ends), which, log=log)
    assert overlaps(figure) == []
    axes = figure.axes[0]
    axis = axes.xaxis if which == "x" else axes.yaxis
    low, high = axis.get_view_interval()
    assert low <= min(ends)
    assert max(ends) <= high
    labels = [text.get_text() for text in axis.get_ticklabels()]
    assert 2 <= len(labels) <= MOST
    assert len(set(labels)) == len(labels)
    for label, place in zip(labels, axis.get_ticklocs(), strict=True):
        assert value_of(label) == pytest.approx(place, rel=1e-14)
        assert low <= place <= high


SIZES = st.floats(1e-10, 1e10)
SIGNED = st.just(0.0) | SIZES | SIZES.map(lambda size: -size)


@given(SIGNED, SIGNED)
def test_negative_numbers_too(a, b):
    assert overlaps(drawn_axis(min(a, b), max(a, b), "x", log=False)) == []


@pytest.mark.parametrize(
    ("low", "high", "log", "labels"),
    [
        (1e-10, 1e10, True, ["10⁻¹⁰", "10⁻⁵", "1", "10⁵", "10¹⁰"]),
        (1e-4, 1e-1, True, ["10⁻⁴", "10⁻³", "10⁻²", "10⁻¹"]),
        (0.9, 25, True, ["1", "2", "5", "10", "20"]),
        (0.0, 1.0, False, ["0", "0.2", "0.4", "0.6", "0.8", "1"]),
        (-3e7, 3e7, False, ["−3·10⁷", "−2·10⁷", "−10⁷", "0", "10⁷", "2·10⁷", "3·10⁷"][::2]),
    ],
)
def test_ticks_are_those_that_a_reader_expects(low, high, log, labels):
    found = list(ticks(low, high, log=log, room=lambda _: 12.0, length=100.0).labels)
    if low == -3e7:
        assert found in (labels, ["−2·10⁷", "0", "2·10⁷"])
    else:
        assert found == labels


def test_without_room_for_two_there_is_one_or_none():
    assert len(ticks(1.0, 2.0, log=False, room=lambda _: 500.0, length=100.0).labels) <= 1


@pytest.mark.parametrize("value", [0.0, 1e-300, 1.0, -5.0, 1e300])
def test_one_number_has_a_range_around_it(value):
    low, high = limits(value, value, log=False)
    assert low < value < high


def test_a_range_below_a_millionth_is_widened():
    low, high = limits(1.0, 1.0 + 1e-12, log=False)
    assert high - low == pytest.approx(LEAST_SPAN, rel=0.1)
    assert np.isfinite(limits(1e-300, 1e300, log=True)).all()
