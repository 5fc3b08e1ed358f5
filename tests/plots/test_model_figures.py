"""Figures of a model: every matrix once, at its place, with its verdict (FIG-6)."""

from dataclasses import replace

import numpy as np
import pytest
from figures import outside, overlaps, texts_of
from matplotlib.colors import to_rgb

from htsr_ref import analyze
from htsr_ref.models.difference import compare_reports
from htsr_ref.plots import alpha_by_depth, difference_figure, relation_figure, ridge_figure
from htsr_ref.plots.palette import LAWS, SERIES, VERDICT_MARKS

WORDS = ("random-like", "undecided", "power law")


def many(report, count):
    """The report with so many layers, of the same numbers."""
    layers = [
        replace(report.layers[i % 3], name=f"model.layers.{i}.self_attn.q_proj.weight")
        for i in range(count)
    ]
    return replace(report, layers=tuple(layers))


@pytest.mark.spec("FIG-6")
def test_alpha_stands_at_its_depth_with_its_interval(model):
    figure = alpha_by_depth(model.report, WORDS)
    axes = figure.axes[0]
    matrices = [layer.matrices[0] for layer in model.report.layers]
    points = {str(line.get_label()): line for line in axes.lines}
    for place, (word, matrix) in enumerate(zip(WORDS, matrices, strict=True)):
        [[x, y]] = points[word].get_xydata()
        assert y == place
        assert x <= matrix.alpha
        assert points[word].get_marker() == VERDICT_MARKS[word].shape
    segments = [s for found in axes.collections for s in found.get_segments()]
    ends = {tuple(segment[:, 0]) for segment in segments}
    assert ends == {matrix.alpha_ci95 for matrix in matrices}
    assert [label.get_text() for label in axes.get_yticklabels()] == ["0.fc", "1.fc", "2.fc"]
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("model", "exponent α")
    assert axes.yaxis_inverted()


@pytest.mark.spec("FIG-6")
def test_what_is_beyond_or_missing_is_written_out(model):
    first, *others = model.report.layers
    far = replace(first, matrices=(replace(first.matrices[0], alpha=123.4),))
    none = replace(first, matrices=(replace(first.matrices[0], alpha=None, alpha_ci95=None),))
    report = replace(model.report, layers=(far, none, *others, *others))
    texts = texts_of(alpha_by_depth(report))
    assert "123 ▸" in texts
    assert "no fit" in texts


@pytest.mark.spec("FIG-2", "FIG-4", "FIG-6")
@pytest.mark.parametrize("count", [1, 25, pytest.param(300, marks=pytest.mark.slow)])
def test_a_model_of_any_depth_is_readable(model, count):
    report = many(model.report, count)
    figure = alpha_by_depth(report, [WORDS[i % 3] for i in range(count)])
    assert overlaps(figure) == []
    assert outside(figure) == []
    assert sum(len(line.get_xdata()) for line in figure.axes[0].lines) == count + 2
    assert figure.get_size_inches()[0] * 2.54 == pytest.approx(8.0)
    assert figure.get_size_inches()[1] * 2.54 < 22
    assert any("convention" in text for text in texts_of(figure))


@pytest.mark.spec("FIG-6")
def test_an_unknown_verdict_has_a_mark_too(model):
    axes = alpha_by_depth(model.report, ["power law", "something new", "power law"]).axes[0]
    [line] = [line for line in axes.lines if line.get_label() == "something new"]
    assert line.get_marker() not in {mark.shape for mark in VERDICT_MARKS.values()}


@pytest.mark.spec("FIG-6", "MET-11")
def test_the_relation_is_that_of_the_report(model):
    figure = relation_figure(model.report)
    axes = figure.axes[0]
    points = {str(line.get_label()): line.get_xydata() for line in axes.lines}
    matrices = [layer.matrices[0] for layer in model.report.layers]
    np.testing.assert_allclose(
        points["matrices"],
        [(2 * m.log10_frobenius_norm, m.alpha * np.log10(m.lambda_max)) for m in matrices],
    )
    [(label, ends)] = [item for item in points.items() if item[0].startswith("least squares")]
    slope, intercept = np.polyfit(*points["matrices"].T, 1)
    np.testing.assert_allclose(ends[:, 1], slope * ends[:, 0] + intercept)
    assert f"slope {slope:.2f}" in label
    assert overlaps(figure) == []


@pytest.mark.spec("FIG-6")
@pytest.mark.parametrize("count", [1, 3, pytest.param(100, marks=pytest.mark.slow)])
def test_ridges_peak_where_the_values_are(count):
    spectra = [np.full(50, 10.0**i) for i in np.linspace(0, 3, count)]
    names = [f"model.{i}.fc" for i in range(count)]
    figure = ridge_figure(names, spectra, "title")
    axes = figure.axes[0]
    ridges = [line.get_xydata() for line in axes.lines if len(line.get_xdata()) > 1]
    assert len(ridges) == min(count, 40)
    for ridge, shown in ((ridges[0], spectra[0]), (ridges[-1], spectra[-1])):
        # A bin is a fortieth of a decade or so.
        assert ridge[ridge[:, 1].argmin(), 0] == pytest.approx(shown[0], rel=0.2)
    assert overlaps(figure) == []
    assert outside(figure) == []
    assert any("60 of 100 left out" in text for text in texts_of(figure)) == (count == 100)


@pytest.mark.spec("FIG-6")
def test_a_difference_is_drawn_by_depth(model):
    rng = np.random.default_rng(3)
    other = analyze({f"model.{i}.fc": rng.standard_t(2 + i, (120, 60)) for i in range(3)})
    found = compare_reports(model.report, other)
    names = [layer.name for layer in model.report.layers]
    figure = difference_figure(found, names)
    before, after = (line.get_xydata() for line in figure.axes[0].lines)
    for points, report in ((before, model.report), (after, other)):
        alphas = [layer.means["alpha"] for layer in report.layers]
        np.testing.assert_array_equal(points, [(a, i) for i, a in enumerate(alphas)])
    assert overlaps(figure) == []
    assert outside(figure) == []


@pytest.mark.spec("FIG-6")
def test_depth_is_that_of_the_numbers_where_a_file_is_in_the_order_of_the_alphabet(model):
    names = ("h.1", "h.10", "h.2")
    layers = [replace(x, name=n) for x, n in zip(model.report.layers, names, strict=True)]
    report = replace(model.report, layers=tuple(layers))
    shown = {"h.1": 0, "h.2": 1, "h.10": 2}
    figure = alpha_by_depth(report, WORDS)
    points = {str(line.get_label()): line.get_xydata() for line in figure.axes[0].lines}
    assert [points[word][0, 1] for word in WORDS] == [shown[name] for name in names]
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["1", "2", "10"]  # what all begin with is left out
    changes = difference_figure(compare_reports(report, report), names)
    assert [label.get_text() for label in changes.axes[0].get_yticklabels()] == labels


@pytest.mark.spec("FIG-2")
@pytest.mark.parametrize(
    "marks",
    [
        [(mark.shape, mark.filled) for mark in VERDICT_MARKS.values()],
        [(mark.shape, mark.filled) for mark in SERIES],
        [dashes for name, (_, dashes) in LAWS.items() if name != "bounded_power_law"],
    ],
)
def test_nothing_is_told_by_color_alone(marks):
    assert len(set(marks)) == len(marks)


@pytest.mark.spec("FIG-2")
def test_colors_are_dark_enough_in_grey():
    colors = [mark.color for mark in (*VERDICT_MARKS.values(), *SERIES)] + [
        c for c, _ in LAWS.values()
    ]
    for color in colors:
        red, green, blue = (
            c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(color)
        )
        luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
        # Contrast with white of 3 or more, as WCAG 2.1 wants it of graphics (1.4.11).
        assert 1.05 / (luminance + 0.05) >= 3.0, color
