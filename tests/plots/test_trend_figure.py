"""Accuracy against metrics: points, lines, numbers and names (FIG-7, TRD-12)."""

import numpy as np
import pytest
from figures import HOSTILE, outside, overlaps, texts_of
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.models.trends import METRICS, Model, fit_series
from htsr_ref.plots import trend_figure
from htsr_ref.plots.point_labels import free_places


@pytest.mark.spec("TRD-12")
def test_a_trend_is_points_and_their_line():
    three = [Model(f"m{i}", 1.0 - i, dict.fromkeys(METRICS, i / 2)) for i in range(3)]
    one = [Model("n", 0.5, dict.fromkeys(METRICS))]
    drawn = trend_figure([fit_series("S", three), fit_series("T", one)], "title")
    assert len(drawn.axes) == len(METRICS)
    for axes in drawn.axes:
        points, line, nothing = axes.lines
        np.testing.assert_allclose(points.get_xydata(), [[0.0, 1.0], [0.5, 0.0], [1.0, -1.0]])
        np.testing.assert_allclose(line.get_xydata(), [[0.0, 1.0], [1.0, -1.0]])
        assert nothing.get_xdata().size == 0
        assert axes.get_title(loc="left").splitlines() == [
            "S: R² = 1.00",
            "slope −2, as expected",
            "τ = −1",
            "T: no line: fewer than 3 models",
        ]
    assert [text.get_text() for text in drawn.legends[0].get_texts()] == ["S", "T"]
    assert {"m0", "m1", "m2"} <= set(texts_of(drawn))
    assert overlaps(drawn) == []
    assert outside(drawn) == []


@pytest.mark.spec("TRD-12", "FIG-4")
def test_ranges_and_leave_one_out_are_told_and_names_keep_apart():
    rng = np.random.default_rng(0)
    models = [
        Model(f"resnet-{i}.npz", 0.7 + 0.001 * i, {"mean_alpha": 3 - 0.1 * i + 0.1 * rng.normal()})
        for i in range(30)
    ]
    full = [
        Model(m.name, m.accuracy, dict.fromkeys(METRICS, m.metrics["mean_alpha"])) for m in models
    ]
    series = fit_series("resnet", full, resamples=100)
    figure = trend_figure([series], "title", ["mean_alpha"])
    trend, axes = series.trends["mean_alpha"], figure.axes[0]
    first, slope, tau = axes.get_title(loc="left").splitlines()
    assert first.startswith(f"R² = {trend.r_squared:.2f}, 95 % {trend.r_squared_ci95[0]:.2g} … ")
    low, high = trend.slope_range
    assert f"[{low:.2g} … {high:.2g}]".replace("-", "−") in slope
    assert f"[{trend.kendall_range[0]:.2g} … ".replace("-", "−") in tau
    named = [text for text in texts_of(figure) if text.isdigit()]
    left_out = 30 - len(named)
    assert (f"({left_out} of 30 names left out)" in axes.get_xlabel()) == (left_out > 0)
    assert overlaps(figure) == []
    assert outside(figure) == []


@pytest.mark.slow
@pytest.mark.spec("FIG-3")
def test_hostile_names_of_models_and_series():
    models = [
        Model(name, i / 20, dict.fromkeys(METRICS, float(i % 5))) for i, name in enumerate(HOSTILE)
    ]
    figure = trend_figure(
        [fit_series(name, models, resamples=100) for name in HOSTILE[:3]], "title", ["alpha_hat"]
    )
    assert outside(figure) == []


@given(
    st.lists(st.tuples(st.floats(0, 100), st.floats(0, 100)), max_size=12),
    st.floats(1, 60),
)
def test_names_cover_neither_points_nor_names(points, width):
    frame = (0.0, 0.0, 100.0, 100.0)
    at = np.array(points).reshape(-1, 2)
    corners = free_places(at, [width] * len(points), 6.0, frame)
    boxes = [(x, y, x + width, y + 6.0) for x, y in filter(None, corners)]
    for i, (left, bottom, right, top) in enumerate(boxes):
        assert left >= 0
        assert bottom >= 0
        assert right <= 100
        assert top <= 100
        for x, y in points:
            assert not (left < x < right and bottom < y < top)
        for other in boxes[:i]:
            assert right <= other[0] or other[2] <= left or top <= other[1] or other[3] <= bottom
