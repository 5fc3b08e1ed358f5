"""Figures: what they show, and that the same figure gives the same bytes."""

import builtins

import numpy as np
import pytest

from htsr_ref.errors import HtsrError
from htsr_ref.models.trends import METRICS, Model, fit_series
from htsr_ref.plots import save_figure, survival_figure, trend_figure
from htsr_ref.samples.examining import examine_sample

SAMPLE = np.random.default_rng(4).pareto(1.5, 100) + 1.0


def figure():
    return survival_figure(SAMPLE, examine_sample(SAMPLE, "pareto"))


@pytest.mark.spec("PL-17")
def test_the_survival_function_and_the_fit_are_drawn():
    report = examine_sample(SAMPLE, "pareto")
    points, law, threshold = figure().axes[0].lines
    x, share = points.get_data()
    np.testing.assert_array_equal(x, np.sort(SAMPLE))
    np.testing.assert_allclose(share, [np.mean(value <= SAMPLE) for value in x])
    (low, high), (first, last) = law.get_data()
    assert (low, high) == (report.fit.xmin, SAMPLE.max())
    assert first == report.fit.tail_size / 100
    assert np.log(last / first) / np.log(high / low) == pytest.approx(1 - report.fit.alpha)
    assert threshold.get_xdata()[0] == report.fit.xmin


@pytest.mark.slow
@pytest.mark.parametrize("form", ["png", "svg"])
def test_the_same_figure_gives_the_same_bytes(tmp_path, form):
    paths = [tmp_path / f"{name}.{form}" for name in "ab"]
    for path in paths:
        save_figure(figure(), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.spec("TRD-12")
def test_a_trend_is_points_and_their_line():
    three = [Model(f"m{i}", 1.0 - i, dict.fromkeys(METRICS, i / 2)) for i in range(3)]
    one = [Model("n", 0.5, dict.fromkeys(METRICS))]
    drawn = trend_figure([fit_series("S", three), fit_series("T", one)])
    panels = drawn.axes[: len(METRICS)]
    assert [axes.get_xlabel() for axes in panels] == list(METRICS)
    for axes in panels:
        points, line, nothing = axes.lines
        np.testing.assert_allclose(points.get_data(), [[0.0, 0.5, 1.0], [1.0, 0.0, -1.0]])
        np.testing.assert_allclose(line.get_data(), [[0.0, 1.0], [1.0, -1.0]])
        assert nothing.get_xdata().size == 0
    assert [text.get_text() for text in drawn.axes[-1].get_legend().get_texts()] == ["S", "T"]


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(HtsrError, match=r"\.png, \.svg or \.pdf"):
        save_figure(figure(), tmp_path / "figure.docx")


def test_without_matplotlib_the_cure_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HtsrError, match=r"htsr-ref\[plot\]"):
        figure()
