"""Conventions: the tables of spec/cnv.md against the code, refusals and overrides."""

import dataclasses
import re
from pathlib import Path

import pytest

from htsr_ref.conventions import (
    CITATIONS,
    CONVENTIONS,
    DEFAULT,
    FIELDS,
    SDM2020,
    SDM2020_TEXT,
    Convention,
    get_convention,
)
from htsr_ref.conventions.names import ALIASES, RENAMED
from htsr_ref.errors import ConventionError, HtsrError
from htsr_ref.reports.markdown import value_text

PAGE = (Path(__file__).parents[2] / "spec" / "cnv.md").read_text(encoding="utf-8")
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in PAGE.splitlines()
    if line.startswith("| `")
]
TABLE = {row[0].strip("`"): row[1:] for row in ROWS if len(row) == 4}
"""Rows of the page's table by field: values, meaning, value of `sdm2020`."""

NAMES = {name: list(field.values) for name, field in FIELDS.items() if field.values}
COMPANIONS = {
    "windows": {"windows": (4, 1.0, 2)},
    "fixed-windows": {"windows": (4, 1.0, 2)},
    "row-blocks": {"windows": (4, 1.0, 2)},
    "operator": {"map_size": 4},
    "toggled": {"conv": "pooled"},
    "median": {"xmin_position": 2.0},
    "largest": {"ks_model": "renormalized"},
    "renormalized": {"xmax": "largest"},
    "bounded-mle": {"xmax": "largest", "ks_model": "renormalized"},
}
"""What some values need beside them (CNV-2)."""


@pytest.mark.spec("CNV-1")
def test_the_fields_are_those_of_the_table_in_its_order():
    assert list(FIELDS) == list(TABLE)
    own = [field.name for field in dataclasses.fields(Convention)]
    assert own == ["name", *TABLE, "overrides"]


@pytest.mark.spec("CNV-1")
def test_no_field_has_a_default():
    # A default would be a choice that no one made.
    with pytest.raises(TypeError, match=f"missing {len(FIELDS)} required positional arguments"):
        Convention(name="sdm2020-text")


@pytest.mark.spec("CNV-1")
@pytest.mark.parametrize("name", FIELDS)
def test_the_table_names_every_value_and_the_requirement(name):
    values, meaning, _ = TABLE[name]
    assert re.findall(r"[A-Z]+-\d+", meaning)[0] == FIELDS[name].spec
    assert all(value in values for value in NAMES.get(name, ()))


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(("name", "value"), [(n, v) for n in NAMES for v in NAMES[n]])
def test_a_value_of_the_table_is_accepted(name, value):
    changed = SDM2020_TEXT.override({**COMPANIONS.get(value, {}), name: value})
    expected = (value,) if name == "layer_kinds" else None if value == "none" else value
    assert getattr(changed, name) in (expected, value)


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize("name", FIELDS)
def test_an_unknown_value_is_refused_with_the_legal_ones(name):
    with pytest.raises(ConventionError) as refusal:
        SDM2020_TEXT.override({name: "nonsense"})
    assert str(refusal.value) == f"{name} = 'nonsense' is not legal. Legal: {FIELDS[name].legal}"


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("min_dim", -1),
        ("min_dim", 2.5),
        ("min_dim", True),
        ("min_dim", None),
        ("drop_smallest", -1),
        ("max_rows", 0),
        ("map_size", "3.5"),
        ("eigenvalue_floor", 0.0),
        ("eigenvalue_floor", True),
        ("xmin", -1.0),
        ("xmin", "inf"),
        ("xmin_position", 0.5),
        ("layer_kinds", ()),
        ("layer_kinds", "weight,norm"),
        ("layer_kinds", 3),
        ("windows", "5,1"),
        ("windows", (5, 0.0, 2)),
        ("alpha_range", (6.0, 2.0)),
        ("alpha_range", (2.0, 2.0)),
        ("alpha_range", (2.0, 4.0, 6.0)),
        ("alpha_range", (float("nan"), 2.0)),
        ("alpha_range", "2,inf"),
        ("alpha_range", "low,high"),
    ],
)
def test_a_value_of_the_wrong_form_is_refused(name, value):
    with pytest.raises(ConventionError, match=f"^{name} = .* is not legal"):
        SDM2020_TEXT.override({name: value})


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"xmax": "largest"}, "xmax = largest needs ks_model = renormalized, which is unbounded"),
        ({"ks_model": "renormalized"}, "ks_model = renormalized needs xmax = largest"),
        ({"estimator": "bounded-mle"}, "estimator = bounded-mle needs xmax = largest"),
        (
            {"estimator": "truncated", "xmax": "largest", "ks_model": "renormalized"},
            "estimator = truncated needs xmax = none",
        ),
        ({"small_samples": "corrected", "xmin": "peak"}, "corrected needs xmin = ks"),
        ({"small_samples": "corrected", "estimator": "truncated"}, "needs estimator = mle"),
        ({"orientation": "toggled"}, "orientation = toggled needs conv = pooled"),
        ({"clip_fingers": 1}, "never drops exactly one"),
        ({"clip_fingers": 3, "small_samples": "corrected"}, "needs small_samples = alike"),
        ({"linear": "windows"}, "needs windows. Give it, as with --set windows="),
        ({"windows": (3, 1.0, 2)}, "is read only with linear = windows or linear = fixed-w"),
        ({"conv": "operator"}, "conv = operator needs map_size"),
        ({"map_size": 8}, "map_size = 8 is read only with conv = operator"),
        ({"xmin": "median"}, "xmin = median needs xmin_position"),
        ({"xmin_position": 2.0}, "xmin_position = 2.0 is read only with xmin = median"),
    ],
)
def test_values_that_make_no_sense_together_are_refused(changes, complaint):
    with pytest.raises(ConventionError) as refusal:
        SDM2020_TEXT.override(changes)
    assert complaint in str(refusal.value)


@pytest.mark.spec("CNV-2", "CNV-3")
def test_an_unknown_field_is_refused_with_the_known_ones():
    with pytest.raises(ConventionError, match=r"'min_dims'.*Fields: layer_kinds, fused"):
        SDM2020_TEXT.override({"min_dims": 50})


@pytest.mark.spec("CNV-2")
def test_a_convention_is_checked_however_it_is_made():
    with pytest.raises(ConventionError, match="ks = 'both' is not legal"):
        dataclasses.replace(SDM2020_TEXT, ks="both")


@pytest.mark.spec("CNV-3")
def test_an_override_is_a_new_convention_that_names_its_base_and_its_changes():
    changed = SDM2020_TEXT.override({"ks": "one-sided", "min_dim": "0"})
    assert (changed.name, changed.overrides) == ("sdm2020-text", ("min_dim", "ks"))
    assert (changed.min_dim, changed.ks) == (0, "one-sided")
    assert changed != SDM2020_TEXT
    assert (SDM2020_TEXT.min_dim, SDM2020_TEXT.ks, SDM2020_TEXT.overrides) == (50, "two-sided", ())
    assert changed.override({"conv": "group-slices"}).overrides == ("conv", "min_dim", "ks")
    assert changed.override({"ks": "two-sided", "min_dim": 50}) == SDM2020_TEXT


@pytest.mark.spec("CNV-3")
@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("layer_kinds", "embedding, weight", ("weight", "embedding")),
        ("min_dim", "8", 8),
        ("max_rows", "8", 8),
        ("max_rows", "none", None),
        ("eigenvalue_floor", "1e-5", 1e-5),
        ("failed_alpha", "-1", -1.0),
        ("xmin", "0.25", 0.25),
        ("alpha_range", "2,6.5", (2.0, 6.5)),
        ("alpha_range", "none", None),
        ("average", "layers", "layers"),
    ],
)
def test_text_is_read_as_on_the_command_line(name, text, value):
    read = getattr(SDM2020_TEXT.override({name: text}), name)
    assert (read, type(read)) == (value, type(value))


@pytest.mark.spec("CNV-4")
@pytest.mark.parametrize("name", TABLE)
def test_the_default_is_the_last_column_of_the_table(name):
    assert TABLE[name][2] == value_text(getattr(SDM2020, name)).replace(",", ", ")


SHIPPED = {
    "CNV-11": "sdm2020-text",
    "CNV-12": "weightwatcher-0.7.7",
    "CNV-13": "weightwatcher-0.2.7",
    "CNV-14": "tempbalance",
    "CNV-15": "alphapruning",
    "CNV-16": "farms-linear",
    "CNV-17": "farms-conv",
    "CNV-18": "deepdataprofiler",
    "CNV-19": "setol",
}


@pytest.mark.spec(
    "CNV-11", "CNV-12", "CNV-13", "CNV-14", "CNV-15", "CNV-16", "CNV-17", "CNV-18", "CNV-19"
)
@pytest.mark.parametrize(("requirement", "name"), SHIPPED.items())
def test_a_shipped_convention_is_the_default_with_the_changes_that_its_paragraph_lists(
    requirement, name
):
    paragraph = re.search(rf"### {requirement} .*?(?=\n### |\Z)", PAGE, re.S)[0]
    listed = dict(re.findall(r"`(\w+) = ([^`]*)`", paragraph))
    changed = {
        field: value_text(value)
        for field, value in CONVENTIONS[name].values().items()
        if value != getattr(SDM2020, field)
    }
    assert listed == changed


@pytest.mark.spec("CNV-4")
def test_conventions_are_shipped_under_their_names_with_their_sources():
    assert get_convention(DEFAULT) == CONVENTIONS["sdm2020"] == SDM2020
    assert get_convention("sdm2020-text") == CONVENTIONS["sdm2020-text"] == SDM2020_TEXT
    assert list(CITATIONS) == list(CONVENTIONS) == ["sdm2020", *SHIPPED.values()]
    assert all(convention.name == name for name, convention in CONVENTIONS.items())
    assert all(convention.overrides == () for convention in CONVENTIONS.values())
    assert "1901.08278" in CITATIONS["sdm2020-text"]


@pytest.mark.spec("CNV-2", "CNV-3")
def test_shipped_conventions_are_found_by_name():
    assert get_convention("sdm2020-text", {"min_dim": 0}) == SDM2020_TEXT.override({"min_dim": 0})
    with pytest.raises(ConventionError, match=r"'papper'\. Shipped: sdm2020"):
        get_convention("papper")


@pytest.mark.spec("CNV-22")
def test_the_name_of_a_program_is_its_newest_version():
    assert get_convention("weightwatcher") == CONVENTIONS["weightwatcher-0.7.7"]
    assert {**ALIASES} == {"weightwatcher": "weightwatcher-0.7.7"}


@pytest.mark.spec("CNV-22")
def test_earlier_names_are_refused_with_the_present_ones():
    table = dict(re.findall(r"^\| `([^`]+)` \| `([^`]+)` \|$", PAGE, re.M))
    assert table == {**RENAMED}
    for old, new in table.items():
        with pytest.raises(ConventionError, match=f"'{old}' is now called {new}$"):
            get_convention(old)
        assert new in CONVENTIONS


@pytest.mark.spec("CNV-22")
def test_conventions_that_follow_a_program_of_several_versions_name_one():
    for name in CONVENTIONS:
        assert re.fullmatch(r"weightwatcher-\d+\.\d+\.\d+|(?!weightwatcher).*", name)


def test_a_refusal_is_a_message_for_people():
    assert issubclass(ConventionError, HtsrError)
