"""Different names stay different, however short."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.text.apart import told_apart
from htsr_ref.text.cells import cell_width

pytestmark = pytest.mark.spec("RPT-12")

WORDS = st.sampled_from(["model", "layers", "h", "10", "2", "attn_q", "層", "e\u0301", "a\n", "#1"])
DOTTED = st.lists(WORDS, min_size=1, max_size=8).map(".".join)
NAMES = st.lists(st.one_of(DOTTED, st.text("ab…# 1", max_size=30)), min_size=1, max_size=12)


@given(NAMES, st.integers(8, 40))
def test_shown_names_are_equal_only_if_the_names_are(names, width):
    shown = told_apart(names, width)
    assert len(set(zip(names, shown, strict=True))) == len(set(names)) == len(set(shown))
    assert all(text.isprintable() for text in shown)


@given(st.text(min_size=50, max_size=80), st.text(max_size=80), st.integers(8, 40))
def test_names_that_differ_in_one_character_in_the_middle_or_at_the_end(before, after, width):
    names = [f"{before}{character}{after}" for character in "ab"]
    first, second = told_apart(names, width)
    assert first != second
    assert max(cell_width(first), cell_width(second)) <= width


@given(st.lists(DOTTED, min_size=2, max_size=12, unique=True), st.integers(60, 90))
def test_shared_words_become_initials_and_numbers_stay(ends, width):
    names = [f"transformer.decoder_blocks.{'x' * 30}.{i}.{end}" for i, end in enumerate(ends)]
    for i, text in enumerate(told_apart(names, width)):
        assert re.match(rf"(transformer|t)\.(decoder_blocks|d_b)\.(x+)\.{i}\.", text) or "…" in text


def test_names_that_fit_are_left_alone():
    names = ["model.layers.0.q", "model.layers.1.q", "lm_head"]
    assert told_apart(names, 16) == told_apart(names) == names


def test_a_word_of_one_name_alone_is_not_shortened():
    names = ["model.layers.10.mlp", "model.layers.11.mlp", "vision_tower.stem"]
    assert told_apart(names, 17) == ["m.layers.10.mlp", "m.layers.11.mlp", "vision_tower.stem"]


def test_escapes_do_not_make_names_equal():
    assert len(set(told_apart(["a\n", r"a\n"]))) == 2
