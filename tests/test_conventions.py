"""Conventions: the table of spec/cnv.md against the code, refusals and overrides."""

import dataclasses
import re
from pathlib import Path

import pytest

from htsr_ref.conventions import (
    CITATIONS,
    CONVENTIONS,
    FIELDS,
    PAPER,
    Convention,
    get_convention,
)
from htsr_ref.errors import ConventionError, HtsrError

PAGE = (Path(__file__).parents[1] / "spec" / "cnv.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
TABLE = {row[0].strip("`"): row[1:] for row in ROWS}
"""Rows of the page's table by field: values, meaning, value of `paper`."""

NAMES = {
    name: values.removeprefix("any of ").split(", ")
    for name, (values, *_) in TABLE.items()
    if name not in ("min_dim", "drop_smallest", "clip_fingers", "alpha_range")
}
"""Values of the fields that take names, the planned ones in asterisks."""

ACCEPTED = [(name, value) for name in NAMES for value in NAMES[name] if "*" not in value]
PLANNED = [(name, value.strip("*")) for name in NAMES for value in NAMES[name] if "*" in value]


@pytest.mark.spec("CNV-1")
def test_the_fields_are_those_of_the_table_in_its_order():
    assert list(FIELDS) == list(TABLE)
    own = [field.name for field in dataclasses.fields(Convention)]
    assert sorted(own) == sorted([*TABLE, "name", "overrides"])


@pytest.mark.spec("CNV-1")
def test_no_field_has_a_default():
    # A default would be a choice that nobody made.
    with pytest.raises(TypeError, match="missing 15 required positional arguments"):
        Convention(name="paper")


@pytest.mark.spec("CNV-1")
@pytest.mark.parametrize("name", FIELDS)
def test_every_field_names_the_requirement_that_the_table_names(name):
    cited = re.findall(r"[A-Z]+-\d+", TABLE[name][1])
    assert FIELDS[name].spec in (cited or ["CNV-4"])


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(("name", "value"), ACCEPTED)
def test_a_value_of_the_table_is_accepted(name, value):
    changed = PAPER.override({name: value})
    assert getattr(changed, name) == ((value,) if name == "layer_kinds" else value)


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(("name", "value"), PLANNED)
def test_a_planned_value_is_refused_by_name(name, value):
    with pytest.raises(ConventionError, match=f"^{name} = {value} is specified but not implem"):
        PAPER.override({name: value})


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize("name", NAMES)
def test_the_values_shown_to_people_are_those_that_work(name):
    shown = FIELDS[name].values.removeprefix("any of ").split(", ")
    assert shown == [value for value in NAMES[name] if "*" not in value]


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize("name", NAMES)
def test_an_unknown_value_is_refused_with_the_legal_ones(name):
    legal = ", ".join(value for value in NAMES[name] if "*" not in value)
    with pytest.raises(ConventionError) as refusal:
        PAPER.override({name: "nonsense"})
    assert str(refusal.value).startswith(f"{name} = ")
    assert str(refusal.value).endswith(legal)


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(("name", "planned"), [("drop_smallest", 1), ("clip_fingers", 3)])
def test_planned_counts_are_refused_by_name(name, planned):
    assert re.fullmatch(r"0, \*(1|k > 0)\*", TABLE[name][0])
    assert getattr(PAPER.override({name: 0}), name) == 0
    with pytest.raises(ConventionError, match=f"{name} = {planned} is specified but not implem"):
        PAPER.override({name: planned})


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_dim", -1),
        ("min_dim", 2.5),
        ("min_dim", True),
        ("min_dim", "many"),
        ("drop_smallest", -1),
        ("layer_kinds", ()),
        ("layer_kinds", "linear,norm"),
        ("layer_kinds", ""),
        ("alpha_range", (6.0, 2.0)),
        ("alpha_range", (2.0, 2.0)),
        ("alpha_range", (2.0, 4.0, 6.0)),
        ("alpha_range", (float("nan"), 2.0)),
        ("alpha_range", "2"),
        ("alpha_range", "low,high"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(name, value):
    with pytest.raises(ConventionError, match=f"^{name} = "):
        PAPER.override({name: value})


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize("value", ["2,inf", (2.0, float("inf")), ("a", "b"), (1.0, "b")])
def test_a_range_consists_of_two_finite_numbers(value):
    with pytest.raises(ConventionError, match=r"^alpha_range = "):
        PAPER.override({"alpha_range": value})


@pytest.mark.spec("CNV-2", "CNV-3")
def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(ConventionError, match=r"'min_dims'\. Fields: layer_kinds, conv, min_dim"):
        PAPER.override({"min_dims": 50})


@pytest.mark.spec("CNV-2")
def test_a_convention_is_checked_however_it_is_made():
    with pytest.raises(ConventionError, match="ks = 'both' is unknown"):
        dataclasses.replace(PAPER, ks="both")


@pytest.mark.spec("CNV-3")
def test_an_override_is_a_new_convention_that_names_its_base_and_its_changes():
    changed = PAPER.override({"ks": "one-sided", "min_dim": "0"})
    assert (changed.name, changed.overrides) == ("paper", ("min_dim", "ks"))
    assert (changed.min_dim, changed.ks) == (0, "one-sided")
    assert changed != PAPER
    assert (PAPER.min_dim, PAPER.ks, PAPER.overrides) == (50, "two-sided", ())
    assert changed.override({"conv": "group-slices"}).overrides == ("conv", "min_dim", "ks")


@pytest.mark.spec("CNV-3")
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("layer_kinds", "linear, embedding", ("linear", "embedding")),
        ("min_dim", "8", 8),
        ("alpha_range", "2,6.5", (2.0, 6.5)),
        ("alpha_range", "none", None),
        ("average", "layers", "layers"),
    ],
)
def test_text_is_read_as_on_the_command_line(name, text, value):
    assert getattr(PAPER.override({name: text}), name) == value


@pytest.mark.spec("CNV-4")
@pytest.mark.parametrize("name", TABLE)
def test_paper_is_the_last_column_of_the_table(name):
    value = getattr(PAPER, name)
    text = ", ".join(value) if isinstance(value, tuple) else value
    assert TABLE[name][2] == ("null" if value is None else str(text))


@pytest.mark.spec("CNV-4")
def test_paper_is_shipped_under_its_name_with_its_source():
    assert get_convention("paper") == CONVENTIONS["paper"] == PAPER
    assert list(CITATIONS) == list(CONVENTIONS)
    assert "1901.08278" in CITATIONS["paper"]


@pytest.mark.spec("CNV-2", "CNV-3")
def test_shipped_conventions_are_found_by_name():
    assert get_convention("paper", {"min_dim": 0}) == PAPER.override({"min_dim": 0})
    with pytest.raises(ConventionError, match=r"'papper'\. Shipped: paper"):
        get_convention("papper")


def test_a_refusal_is_a_message_for_people():
    assert issubclass(ConventionError, HtsrError)
