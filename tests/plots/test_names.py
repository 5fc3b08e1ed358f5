"""Names of strangers: drawn as text, within their place, different ones different (FIG-3)."""

import warnings

import pytest
from figures import HOSTILE, outside, texts_of
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from htsr_ref.plots import alpha_by_depth
from htsr_ref.plots.names import drawn, fitted, plain, text_width, title_lines, told_apart


@pytest.mark.spec("FIG-3")
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_is_plain_text_that_fits(name):
    text = fitted(name, 100.0)
    assert text.isprintable()
    assert text_width(text) <= 100.0
    figure = Figure()
    FigureCanvasAgg(figure)
    artist = figure.text(0.5, 0.5, drawn(text), fontsize=7)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure.canvas.draw()  # A formula would be parsed here, a missing glyph warned of.
    assert artist._preprocess_math(artist.get_text()) in (
        (text, False),
        (f"\u200a{text}", False),
    )


@given(st.text(max_size=30))
def test_any_name_is_plain(name):
    text = plain(name)
    assert text.isprintable()
    assert plain(text) == text
    if name.isascii() and name.isprintable():
        assert text == name


@given(st.lists(st.text("abcdefgh._/-", min_size=1, max_size=60), min_size=1, max_size=20))
def test_different_names_stay_different(names):
    short = told_apart(names, 60.0)
    assert len(set(short)) >= len(set(names))
    assert all(text_width(text) <= 60.0 for text in short)


def test_what_layers_share_is_left_out_by_words():
    names = ["model.layers.0.mlp.up", "model.layers.1.mlp.up", "model.layers.10.mlp.up"]
    assert told_apart(names, 200.0) == ["0.mlp.up", "1.mlp.up", "10.mlp.up"]


def test_a_title_leaves_out_empty_lines():
    assert title_lines("a", "", "b$") == "a\nb\\$"


@pytest.mark.spec("FIG-2")
def test_a_report_full_of_hostile_names_is_drawn(hostile_report):
    figure = alpha_by_depth(hostile_report, ["power law"] * len(HOSTILE))
    assert outside(figure) == []
    assert not any("\n" in text for text in texts_of(figure) if "by depth" not in text)
