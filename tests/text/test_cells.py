"""Cells of a terminal, held to rich's tables of widths."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from htsr_ref.text.cells import cell_width, filled, middle_cut, printed, wrapped

pytestmark = pytest.mark.spec("RPT-12")

LETTERS = st.sampled_from("abcXYZ0189 ./_-äßλ‖√層卷積한글カッﾊﾝ，e\u0301a\u0308\u202e\n\x1b😀")
TEXTS = st.text(LETTERS, max_size=60)


@given(TEXTS.map(printed))
def test_widths_are_those_of_rich(text):
    assert cell_width(text) == cell_len(text)


@pytest.mark.parametrize("character", "\u02ff\u0300\u036f\u0370\u115f\u1160\u11ff\u1200")
def test_the_ends_of_what_has_a_width_of_its_own(character):
    assert cell_width(character) == cell_len(character)


@given(st.text(max_size=60))
def test_what_is_printed_is_one_line_that_no_mark_leaves(text):
    shown = printed(text)
    assert shown.isprintable()
    assert not text or cell_width(shown) > 0
    assert cell_width(shown) >= len(shown) / 4


@given(TEXTS.map(printed), st.integers(1, 40))
def test_a_text_is_cut_to_its_width_and_no_mark_loses_its_letter(text, width):
    cut = middle_cut(text, width)
    assert cell_width(cut) <= width
    assert cell_width(cut) >= min(width - 2, cell_width(text))  # A wide letter may not fit.
    if cut != text:
        start, end = cut.split("…")
        assert text.startswith(start)
        assert text.endswith(end)
        assert end[:1] not in ("\u0301", "\u0308")


@given(TEXTS.map(printed), st.integers(2, 40))
def test_wrapping_loses_no_character_but_blanks(text, width):
    lines = wrapped(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(cell_width, lines)) <= width


@given(TEXTS.map(printed), st.booleans())
def test_filled_cells_are_equally_wide(text, right):
    assert cell_width(filled(text, 130, right)) == 130


def test_a_mark_without_a_letter_does_not_reach_its_neighbor():
    assert printed("\u0301x") == r"\u0301x"
    assert printed("a" + "\u0300" * 5000).count("\u0300") == 3
