"""Figures of one spectrum or sample: every number in them is one of the data (FIG-5)."""

from dataclasses import replace

import numpy as np
import pytest
from figures import outside, overlaps, texts_of
from scipy import integrate

from htsr_ref.analysis.tail_view import TailView, view_sample
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.plots import (
    density_figure,
    shuffled_figure,
    survival_figure,
    tail_figure,
    threshold_figure,
)
from htsr_ref.plots.thinning import MOST_POINTS
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.scan import scan_thresholds

SAMPLE = np.sort(np.random.default_rng(4).pareto(1.5, 100) + 1.0)


def sample_view(sample=SAMPLE, compared=()):
    return view_sample(sample, fit_power_law(sample), SDM2020_TEXT, compared)


def lines_of(axes):
    return {str(line.get_label()): line.get_xydata() for line in axes.lines}


def line(axes, start):
    """Points of the line whose label begins so."""
    [found] = [points for label, points in lines_of(axes).items() if label.startswith(start)]
    return found


@pytest.mark.spec("PL-17", "FIG-5")
def test_the_survival_function_and_the_fit_are_drawn():
    view = sample_view()
    axes = survival_figure(view, "title").axes[0]
    x, share = line(axes, "100 values").T
    np.testing.assert_array_equal(x, SAMPLE)
    np.testing.assert_allclose(share, [np.mean(value <= SAMPLE) for value in x])
    x, law = line(axes, "power law").T
    fit = view.fit
    assert (x[0], x[-1]) == pytest.approx((fit.xmin, SAMPLE[-1]))
    assert law[0] == pytest.approx(fit.tail_size / 100)
    assert np.log(law[-1] / law[0]) / np.log(x[-1] / x[0]) == pytest.approx(1 - fit.alpha)
    assert set(line(axes, "xmin")[:, 0]) == {fit.xmin}


@pytest.mark.spec("FIG-5")
def test_compared_laws_begin_where_the_power_law_does(model):
    axes = survival_figure(model.views[0], "").axes[0]
    height = line(axes, "power law")[0, 1]
    for name in ("truncated power law", "lognormal", "stretched exponential", "exponential"):
        points = line(axes, name)
        assert points[0, 1] == pytest.approx(height)
        assert (np.diff(points[:, 1]) <= 0).all()


@pytest.mark.spec("FIG-5")
def test_a_large_sample_keeps_its_ends_and_few_points():
    sample = np.random.default_rng(1).pareto(2.0, 5000) + 1.0
    x, share = line(survival_figure(TailView(np.sort(sample)), "").axes[0], "5000 values").T
    assert x.size <= MOST_POINTS
    assert (x[0], x[-1]) == (sample.min(), sample.max())
    np.testing.assert_allclose(share, [np.mean(sample >= value) for value in x])


@pytest.mark.spec("FIG-5")
@pytest.mark.parametrize("log", [True, False])
def test_the_density_is_that_of_the_values_and_of_the_bulk(model, log):
    view = model.views[1]
    axes = density_figure(view, "", log=log).axes[0]
    x, density = line(axes, "Marchenko-Pastur").T
    # The bulk's share of the eigenvalues; the trapezoids miss some of the edges.
    share = view.bulk.bulk_size / view.values.size
    assert integrate.trapezoid(density, x) == pytest.approx(share, rel=0.02)
    assert view.bulk.lambda_minus <= x[0] <= x[-1] <= view.bulk.lambda_plus
    spikes = line(axes, f"{view.bulk.num_spikes} above")[:, 0]
    np.testing.assert_array_equal(spikes, view.values[-view.bulk.num_spikes :])
    x, law = line(axes, "power law").T
    slope = np.diff(np.log(law)) / np.diff(np.log(x))
    np.testing.assert_allclose(slope, -view.fit.alpha)


@pytest.mark.spec("FIG-5")
def test_bins_hold_all_values(model):
    view = model.views[0]
    axes = density_figure(view, "").axes[0]
    x, density = line(axes, "60 eigenvalues").T
    # Bins of equal ratio: r = x[i + 1]/x[i] where no bin between is empty.
    ratio = np.exp(np.diff(np.log(x)).min())
    widths = x * (np.sqrt(ratio) - 1 / np.sqrt(ratio))
    assert (density * widths).sum() == pytest.approx(1.0)
    linear = density_figure(view, "", log=False).axes[0].patches[0]
    counts, edges, _ = linear.get_data()
    assert (counts * np.diff(edges)).sum() == pytest.approx(1.0)


@pytest.mark.spec("FIG-2", "FIG-5")
def test_what_a_linear_axis_leaves_out_is_said(model):
    view = model.views[2]
    axes = density_figure(replace(view, num_zero=4), "", log=False).axes[0]
    end = axes.patches[0].get_data().edges[-1]
    beyond = int((view.values > end).sum())
    assert beyond > 0
    label = axes.get_legend().get_texts()[0].get_text()
    assert label.startswith(f"60 eigenvalues, 4 zeros left out, {beyond} above ")


@pytest.mark.spec("FIG-5")
def test_thresholds_are_scanned():
    view = sample_view()
    upper, lower = threshold_figure(view, "").axes
    curve, point = upper.lines[:2]
    # The fit is the least distance of all.
    assert point.get_xydata().tolist() == [[view.fit.xmin, view.fit.ks_distance]]
    assert curve.get_ydata().min() == view.fit.ks_distance
    x, alpha = lower.lines[0].get_xydata().T
    np.testing.assert_array_equal(x, SAMPLE[:-1])
    for i in (0, 50, 90):
        tail = SAMPLE[i:]
        assert alpha[i] == pytest.approx(1 + tail.size / np.log(tail / tail[0]).sum())


@pytest.mark.spec("FIG-5")
def test_the_scan_of_a_matrix_is_by_its_convention(model):
    for view in model.views:
        at = view.scan.xmin == view.fit.xmin
        assert view.scan.ks_distance[at] == pytest.approx([view.fit.ks_distance], rel=1e-12)


@pytest.mark.spec("FIG-5")
@pytest.mark.parametrize("sample", [(1.0, 1.0, 2.0), (1.0, 2.0, 2.0)])
def test_two_values_have_one_threshold(sample):
    assert sample_view(np.array(sample)).scan.xmin.tolist() == [1.0]


@pytest.mark.spec("FIG-5")
def test_a_scan_of_many_values_is_even_and_short():
    sample = np.arange(1.0, 1001.0)
    assert scan_thresholds(sample, renormalized=False).xmin.size == 200
    scan = scan_thresholds(sample, renormalized=False, most=11)
    np.testing.assert_allclose(scan.xmin, np.linspace(1, 999, 11), atol=1)
    np.testing.assert_allclose(scan.stderr, (scan.alpha - 1) / np.sqrt(1001 - scan.xmin))


@pytest.mark.spec("FIG-5", "RMT-61")
def test_the_band_is_that_of_the_shuffled_copies(model):
    view = model.views[1]
    assert view.shuffled.shape == (19, 60)
    # The copies that the report's p-values are of.
    found = model.report.layers[1].matrices[0].null_model
    assert np.median(view.shuffled[:, -1]) == found.lambda_max
    axes = shuffled_figure(view, "").axes[0]
    corners = axes.collections[0].get_paths()[0].vertices
    for ends in (view.shuffled.min(axis=0), view.shuffled.max(axis=0)):
        assert np.isin(ends[ends > 0], corners[:, 0]).all()


@pytest.mark.spec("FIG-2", "FIG-4", "FIG-5")
@pytest.mark.parametrize("scale", [1e-10, pytest.param(1e10, marks=pytest.mark.slow)])
def test_nothing_overlaps_at_any_scale(model, scale):
    sample = scale * SAMPLE
    figure = tail_figure(sample_view(sample, ["lognormal"]), "sample\nconvention")
    assert overlaps(figure) == []
    assert outside(figure) == []
    labels = {axes.get_xlabel() for axes in figure.axes} | {a.get_ylabel() for a in figure.axes}
    assert labels - {""} == {
        "value x",
        "density",
        "share at or above x",
        "KS distance D",
        "exponent α",
        "threshold xmin, value x",
    }


@pytest.mark.spec("FIG-2", "FIG-5")
def test_all_of_a_matrix_is_in_one_figure(model):
    figure = tail_figure(model.views[1], "a\nb\nc")
    assert len(figure.axes) == 5
    assert overlaps(figure) == []
    assert outside(figure) == []
    assert "a\nb\nc" in texts_of(figure)


@pytest.mark.slow
@pytest.mark.parametrize("values", [[2.0], [2.0, 2.0, 2.0], [1e-100, 1e100], [1.0, 1.0 + 1e-15]])
def test_samples_without_a_fit_are_drawn(values):
    figure = tail_figure(TailView(np.array(values)), "")
    assert overlaps(figure) == []
    density_figure(TailView(np.array(values)), "", log=False)
