"""`htsr conventions`: what is shipped, and every choice of one."""

import re

import pytest

from htsr_ref.conventions import CITATIONS, CONVENTIONS, FIELDS, get_convention


@pytest.mark.spec("CNV-4")
def test_the_shipped_conventions_are_listed_with_their_source(htsr):
    outcome = htsr("conventions")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert len(lines) == len(CONVENTIONS)
    assert lines[0].split() == ["paper", *CITATIONS["paper"].split()]


@pytest.mark.spec("CNV-1")
def test_every_choice_is_shown_as_set_reads_it(htsr):
    outcome = htsr("conventions", "show", "paper")
    assert (outcome.code, outcome.err) == (0, "")
    shown = dict(re.findall(r"^(\w+) = (.+)$", outcome.out, re.M))
    assert list(shown) == list(FIELDS)
    assert shown["layer_kinds"] == "linear,conv"
    assert shown["alpha_range"] == "none"
    restored = get_convention("paper", shown)
    assert all(getattr(restored, n) == getattr(CONVENTIONS["paper"], n) for n in FIELDS)
    for name, field in FIELDS.items():
        assert f"{name} = {shown[name]}\n    {field.meaning} ({field.spec}); legal: " in outcome.out


@pytest.mark.spec("CNV-2")
def test_one_that_is_not_shipped(htsr):
    outcome = htsr("conventions", "show", "papre")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: no convention 'papre'. Shipped: paper")
