"""A table made with one choice changed is explained by exactly that choice: every one."""

from typing import Any

import pytest
from audit_tables import report, small_model, verdicts, written

from htsr_ref.audits import SharedSpectra, audit_table, read_table
from htsr_ref.audits.dialects import OURS
from htsr_ref.audits.searching import changes_of
from htsr_ref.conventions import CONVENTIONS, DEFAULT, FIELDS, SDM2020_TEXT, get_convention
from htsr_ref.weights import open_weights

WEIGHTS = open_weights(small_model())
QUANTITIES = frozenset(OURS.quantities.values())
CHANGES = [
    change
    for change in changes_of(SDM2020_TEXT, QUANTITIES)
    if change.get("layer_kinds") != ("recurrent",)  # The model has no such layer.
]
SAME_HERE = {
    "group-slices": "no convolution has groups",
    "min_eigenvalues": "leaves out layers or does nothing",
    "max_eigenvalues": "leaves out layers or does nothing",
    "max_rows": "leaves out layers or does nothing",
    "min_dim_applies_to": "leaves out layers",
    "greatest": "matters for pools alone",
    "fused": "no layer is fused",
    "experts": "no layer is a stack",
    "tied": "no layer is tied",
    "parameters": "every weight is a module's",
    "conv1d": "no convolution has one dimension",
    "transposed": "no convolution is transposed",
    "equal_eigenvalues": "matters for repeated eigenvalues alone",
    "shifted": "moves no entropy by 1e-6",
}
"""Fields or values that change no number of this model's layers under sdm2020-text; nor does
leaving out layers, as no convolution or one kind of layer, change those of the others."""


def matters(change: dict[str, Any]) -> bool:
    names = {str(part) for item in change.items() for part in item}
    fewer = set(change.get("layer_kinds", ())) <= {"weight"} and "layer_kinds" in change
    # A window at least twice as long as a side takes all of it (MAT-13).
    all_of_it = change.get("linear") == "fixed-windows" and change["windows"][0] == 2000
    left = fewer or all_of_it or change.get("conv") == "skip"
    return not names & set(SAME_HERE) and not left


def fast_first(changes: list[dict[str, Any]]) -> list[Any]:
    """Mark as slow all but the first change of each stage that changes anything."""
    firsts = {stage_of(change): change for change in reversed(changes) if matters(change)}
    return [
        change
        if change is firsts.get(stage_of(change))
        else pytest.param(change, marks=pytest.mark.slow)
        for change in changes
    ]


def stage_of(change: dict[str, Any]) -> str:
    return FIELDS[min(change)].stage


@pytest.fixture(scope="module")
def spectra() -> SharedSpectra:
    return SharedSpectra(WEIGHTS, "svd")


def text_of(change: dict[str, Any]) -> str:
    return ",".join(f"{name}={value}" for name, value in change.items())


def test_every_field_and_value_is_among_the_changes():
    changed = {(name, str(value)) for change in CHANGES for name, value in change.items()}
    never = {"map_size", "average", "alpha_range"}  # No number to try; not about matrices.
    assert {name for name, _ in changed} == set(FIELDS) - never
    for name, field in FIELDS.items():
        for value in set(field.values) - {"operator", "weight", "recurrent"}:
            if name not in never and value not in ("none", str(getattr(SDM2020_TEXT, name))):
                assert any(n == name and value in text for n, text in changed), (name, value)


@pytest.mark.spec("AUD-8", "AUD-12", "AUD-13")
@pytest.mark.parametrize("change", fast_first(CHANGES), ids=text_of)
def test_a_table_with_one_choice_changed_names_that_choice(spectra, tmp_path, change):
    path = written(tmp_path, report(WEIGHTS, SDM2020_TEXT.override(change)).to_csv())
    found = audit_table(spectra, read_table(path), SDM2020_TEXT, most=1)
    if not matters(change):
        assert set(verdicts(found)) == {"reproduced"}
        assert found.explanation.changes == {}
        return
    assert set(verdicts(found)) <= {"explained", "reproduced"}
    assert found.counts["explained"] > 0
    named = [found.explanation.changes, *(tie.changes for tie in found.ties)]
    assert change in named
    # Blocks of rows take the aspect alone from `windows`; embeddings are in two lists of kinds.
    alike = "row-blocks" in change.values() or change.get("layer_kinds") == ("embedding",)
    assert len(named) == (2 if alike else 1)


@pytest.mark.slow
@pytest.mark.spec("AUD-10", "AUD-11")
@pytest.mark.parametrize("change", fast_first(CHANGES), ids=text_of)
def test_a_path_leads_from_the_default_by_the_choices_that_differ(spectra, tmp_path, change):
    made = report(WEIGHTS, SDM2020_TEXT.override(change))
    table = read_table(written(tmp_path, made.to_json(), "theirs.json"))
    found = audit_table(spectra, table, table.convention)
    assert set(verdicts(found)) == {"reproduced"}
    assert found.digits == 15
    default = get_convention(DEFAULT).values()
    differing = {name for name, value in made.convention.values().items() if value != default[name]}
    assert differing
    assert {name for step in found.path for name in step} == differing


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
@pytest.mark.parametrize("name", CONVENTIONS)
def test_an_unknown_convention_is_found(spectra, tmp_path, name):
    made = report(WEIGHTS, CONVENTIONS[name])
    found = audit_table(spectra, read_table(written(tmp_path, made.to_csv())), None)
    assert set(verdicts(found)) == {"reproduced"}
    assert found.explanation.changes == {}
    assert name in [found.explanation.base, *(tie.base for tie in found.ties)]
    assert found.ties == ()


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
def test_two_choices_are_found_together(spectra, tmp_path):
    changes = {"normalization": "none", "ks": "one-sided"}
    made = report(WEIGHTS, SDM2020_TEXT.override(changes))
    found = audit_table(spectra, read_table(written(tmp_path, made.to_csv())), SDM2020_TEXT)
    assert found.explanation.changes == changes
    assert found.counts["unexplained"] == 0
