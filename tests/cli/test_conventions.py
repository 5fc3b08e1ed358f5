"""`htsr conventions`: what is shipped, and every choice of one."""

import re

import pytest

from htsr_ref.conventions import CITATIONS, CONVENTIONS, FIELDS, get_convention
from htsr_ref.reports.columns import COLUMNS


@pytest.mark.spec("CNV-4")
def test_the_shipped_conventions_are_listed_with_their_source(htsr):
    outcome = htsr("conventions")
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    assert len(lines) == len(CONVENTIONS)
    for line, (name, source) in zip(lines, CITATIONS.items(), strict=True):
        assert line.split() == [name, *source.split()]


@pytest.mark.spec("CNV-1")
def test_every_choice_is_shown_as_set_reads_it(htsr):
    outcome = htsr("conventions", "show", "sdm2020-text")
    assert (outcome.code, outcome.err) == (0, "")
    shown = dict(re.findall(r"^(\w+) = (.+)$", outcome.out, re.M))
    assert list(shown) == list(FIELDS)
    assert shown["layer_kinds"] == "weight"
    assert shown["alpha_range"] == "none"
    restored = get_convention("sdm2020-text", shown)
    assert all(getattr(restored, n) == getattr(CONVENTIONS["sdm2020-text"], n) for n in FIELDS)
    for name, field in FIELDS.items():
        explained = field.explain(getattr(CONVENTIONS["sdm2020-text"], name))
        meaning = f"{field.meaning}: {explained}" if explained else field.meaning
        block = f"{name} = {shown[name]}\n    {meaning}\n    {field.spec}; legal: {field.legal}\n"
        assert block in outcome.out


@pytest.mark.spec("CNV-2")
def test_one_that_is_not_shipped(htsr):
    outcome = htsr("conventions", "show", "papre")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: no convention 'papre'. Shipped: sdm2020")


@pytest.mark.spec("CNV-3")
def test_the_choices_in_which_two_differ_stand_side_by_side(htsr, tmp_path):
    outcome = htsr("conventions", "diff", "tempbalance", "alphapruning")
    assert (outcome.code, outcome.err) == (0, "")
    header, _, *rows = outcome.out.splitlines()
    assert header.split()[:3] == ["field", "tempbalance", "alphapruning"]
    assert [row.split()[:3] for row in rows] == [
        ["min_eigenvalues", "50", "0"],
        ["xmin", "median", "peak-slip"],
        ["xmin_position", "2.0", "none"],
    ]
    long = htsr("conventions", "diff", "sdm2020-text", "weightwatcher").out
    assert "…" not in long
    assert max(map(len, long.splitlines())) <= 100
    words = " ".join(line.split("  ")[-1].strip() for line in long.splitlines())
    assert f"{FIELDS['orientation'].meaning} " in words
    (tmp_path / "mine.toml").write_text('name = "mine"\nbase = "sdm2020"\nmin_dim = 7')
    mine = htsr("conventions", "diff", "sdm2020-text", tmp_path / "mine.toml").out
    assert mine.splitlines()[2].split()[:3] == ["min_dim", "50", "7"]
    assert htsr("conventions", "diff", "sdm2020-text", "sdm2020-text").out == "no field differs\n"
    assert htsr("conventions", "diff", "sdm2020-text", "papre").code == 2


@pytest.mark.spec("CNV-20")
def test_a_file_of_ones_own_serves_every_command(htsr, model, tmp_path):
    mine = tmp_path / "mine.toml"
    mine.write_text('name = "mine"\nbase = "tempbalance"\nmin_eigenvalues = 3')
    assert "mine: read from" in htsr("conventions", "show", mine).out
    for command in ("analyze", "describe", "rank"):
        shown = htsr(command, model, "--convention", mine, "--set", "xmin_position=1.5").out
        assert "onvention mine with xmin_position = 1.5" in shown
    broken = htsr("analyze", model, "--convention", tmp_path / "none.json")
    assert (broken.code, broken.out) == (2, "")
    assert "none.json: it cannot be read" in broken.err


@pytest.mark.spec("RPT-8")
def test_a_table_under_weightwatchers_names(htsr, model):
    flags = ["--convention", "weightwatcher", "--columns", "weightwatcher"]
    outcome = htsr("analyze", model, *flags, "--csv")
    assert outcome.code == 0
    header, *rows = outcome.out.splitlines()
    assert tuple(header.split(",")) == COLUMNS
    assert rows
    refused = htsr("analyze", model, *flags)
    assert (refused.code, refused.out) == (2, "")
    assert "Add --csv" in refused.err
