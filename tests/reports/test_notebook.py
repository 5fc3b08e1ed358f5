"""What notebooks show of a report (FIG-9)."""

import sys
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from htsr_ref import HtsrError, analyze

W = np.random.default_rng(0).standard_t(2, (2, 80, 60))
WEIGHTS = {"<script>alert(1)</script>": W[0], "fc": W[1], "bias": np.ones(4)}


class Cells(HTMLParser):
    """Texts of the cells of all tables, and the tags that occur."""

    def __init__(self):
        super().__init__()
        self.tags, self.cells = set(), []

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        if tag in ("td", "th"):
            self.cells.append("")

    def handle_data(self, data):
        if self.cells:
            self.cells[-1] += data


@pytest.mark.spec("FIG-9")
def test_the_table_has_every_layer_and_no_tag_of_a_name():
    report = analyze(WEIGHTS)
    found = Cells()
    found.feed(report._repr_html_())
    assert found.tags == {"div", "p", "b", "table", "thead", "tbody", "tr", "th", "td"}
    assert {"<script>alert(1)</script>", "fc", "alpha_hat"} <= {c.strip() for c in found.cells}
    assert f"{report.layers[1].means['alpha']:.3f}" in found.cells
    assert {"verdict", report.layers[0].matrices[0].verdict.name} <= {
        c.strip() for c in found.cells
    }


@pytest.mark.spec("FIG-9")
def test_what_was_left_out_is_counted():
    tensors = {"fc": np.eye(3), "bias": np.ones(3)}
    assert "<p>1 tensor left out</p>" in analyze(tensors)._repr_html_()
    assert "left out" not in analyze({"fc": np.eye(3)})._repr_html_()


@pytest.mark.spec("FIG-9")
def test_a_long_table_is_cut():
    report = analyze({"fc": W[0]})
    layers = tuple(replace(report.layers[0], name=f"fc{i}") for i in range(200))
    found = Cells()
    found.feed(replace(report, layers=layers)._repr_html_())
    assert "… 140 more" in found.cells
    assert "fc29" in found.cells
    assert "fc30" not in found.cells
    assert "fc199" in found.cells


@pytest.mark.slow
@pytest.mark.spec("FIG-9")
@pytest.mark.parametrize("library", ["pandas", "polars"])
@pytest.mark.parametrize("per", ["matrix", "layer"])
def test_a_data_frame_has_the_rows(library, per):
    pytest.importorskip(library)
    report = analyze(WEIGHTS)
    rows, frame = report.to_rows(per), report.to_dataframe(per, library)
    assert list(frame.columns) == list(rows[0])
    assert list(frame["layer"]) == [row["layer"] for row in rows]
    if per == "matrix":
        assert list(frame["alpha"]) == [row["alpha"] for row in rows]


def test_a_missing_library_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "polars", None)
    report = analyze(WEIGHTS)
    with pytest.raises(HtsrError, match="pip install polars"):
        report.to_dataframe(library="polars")
    with pytest.raises(HtsrError, match="pandas or polars"):
        report.to_dataframe(library="excel")


@pytest.mark.spec("FIG-9")
def test_plot_draws_the_model_or_one_matrix():
    report = analyze(WEIGHTS)
    figure = report.plot()
    assert figure.axes[0].get_xlabel() == "exponent α"
    assert figure._repr_png_().startswith(b"\x89PNG")
    layer = report.plot("fc", WEIGHTS)
    assert [axes.get_ylabel() for axes in layer.axes][:2] == ["density", "share at or above λ"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("fc",), "give the weights as well"),
        (("nothing", WEIGHTS), "no layer 'nothing'"),
        (("fc", WEIGHTS, 3), "matrices 0 to 0"),
    ],
)
def test_what_cannot_be_drawn_is_said(arguments, words):
    with pytest.raises(HtsrError, match=words):
        analyze(WEIGHTS).plot(*arguments)
