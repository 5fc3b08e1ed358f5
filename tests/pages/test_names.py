"""Text that strangers wrote, as pages show it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.pages.embedding import safe_json
from htsr_ref.text.lines import one_line

texts = st.text(st.characters(codec=None))


@pytest.mark.spec("PAG-2")
@given(texts)
def test_everything_that_is_shown_prints_and_can_be_written(text):
    shown = one_line(text)
    assert shown.isprintable()
    assert shown.encode("utf-8").decode("utf-8") == shown
    assert shown == text or not text.isprintable()


@pytest.mark.spec("PAG-2")
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("fc1.weight", "fc1.weight"),
        ("\x00", r"\x00"),
        ("a\u202eb", r"a\u202eb"),
        ("\ud800", r"\ud800"),
        ("עברית", "עברית"),
        ("\n", r"\n"),
    ],
)
def test_characters_that_do_not_print_are_escaped(text, shown):
    assert one_line(text) == shown


@pytest.mark.spec("PAG-2")
@given(st.recursive(texts, lambda inner: st.lists(inner) | st.dictionaries(texts, inner)))
def test_embedded_data_are_json_without_what_html_reads(value):
    text = safe_json(value)
    assert not set(text) & set("<>&")
    assert text.isascii()
    assert json.loads(text) == value
