"""Metrics over a run: points, noise apart, and τ (TRD-15)."""

import numpy as np
import pytest
from figures import outside, overlaps
from model_reports import model

import htsr_ref
from htsr_ref.plots import course_figure
from htsr_ref.runs.checkpoint import MEASURES


@pytest.mark.spec("TRD-15", "FIG-2", "FIG-4")
def test_points_are_the_numbers_at_their_steps():
    verdicts = ("random-like", "power law", "power law", "power law", "power law")
    reports = [
        model(f"step-{1000 * i}", 1.5 + i % 3, norm=-0.2 * i, verdict=verdict)
        for i, verdict in enumerate(verdicts)
    ]
    course = htsr_ref.over_time(reports)
    figure = course_figure(course, "title")
    assert len(figure.axes) == len(MEASURES)
    line, learned, noise = figure.axes[0].lines
    np.testing.assert_array_equal(noise.get_xydata(), [[0, 1.5]])
    np.testing.assert_array_equal(
        learned.get_xydata(), [[1e3, 2.5], [2e3, 3.5], [3e3, 1.5], [4e3, 2.5]]
    )
    assert len(line.get_xdata()) == 5
    drift = course.drifts["alpha_hat"]
    low, high = drift.kendall_range
    told = f"τ = {drift.kendall:.2f} [{low:.2f} … {high:.2f}]".replace("-", "−")
    assert figure.axes[0].get_title(loc="right") == told
    assert figure.axes[1].get_title(loc="right") == ""
    assert [axes.get_xlabel() for axes in figure.axes] == [*[""] * 5, "step"]
    legend = [text.get_text() for text in figure.legends[0].get_texts()]
    assert legend == ["checkpoint", "like noise"]
    assert overlaps(figure) == []
    assert outside(figure) == []
