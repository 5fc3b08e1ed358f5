"""The faults that an audit names are those of the list of known faults."""

import json
from pathlib import Path

import pytest

from htsr_ref.audits.dialects import OURS, WEIGHTWATCHER, WEIGHTWATCHER_2020
from htsr_ref.audits.faults import CHOICES, RETURNED, TITLES, faulty_choices
from htsr_ref.conventions import CONVENTIONS, FIELDS

LIST = Path(__file__).parents[2] / "spec" / "known-faults.json"
FAULTS = {fault["id"]: fault for fault in json.loads(LIST.read_text(encoding="utf-8"))["faults"]}
REPRODUCERS = {
    "F-WW-2": "ww_fit.zero_layer",
    "F-WW-4": "ww_fit.identity",
    "F-WW-5": "ww_fit.few_above_the_floor",
    "F-WW-6": "ww_fit.absolute_floor",
    "F-WW-15": "ww_spectrum.rank_of_rounded_matrix",
    "F-WW-16": "ww_spectrum.narrowing_convolution",
    "F-WW-17": "ww_spectrum.least_singular_value",
    "F-WW-41": "ww_randomized.largest_eigenvalue",
}
"""What reproduces each fault that an audit knows."""


@pytest.mark.spec("AUD-8", "AUD-30")
def test_numbers_mean_the_faults_that_the_list_says():
    assert set(RETURNED) | set(CHOICES) | {"F-WW-41"} == set(REPRODUCERS) == set(TITLES)
    assert {fault: FAULTS[fault]["reproducer"] for fault in REPRODUCERS} == REPRODUCERS
    assert {FAULTS[fault]["tool"] for fault in REPRODUCERS} == {"weightwatcher"}


@pytest.mark.spec("AUD-8")
def test_the_columns_are_among_those_of_the_list():
    for fault, choice in CHOICES.items():
        columns = {c for c, q in WEIGHTWATCHER.quantities.items() if q in choice.quantities}
        assert columns <= set(FAULTS[fault]["columns"])
        field = FIELDS[choice.field]
        assert field.checked(choice.field, choice.faulty) == choice.faulty
        assert field.checked(choice.field, choice.right) == choice.right


@pytest.mark.spec("AUD-8")
def test_only_faulty_choices_are_put_right():
    assert faulty_choices(CONVENTIONS["sdm2020-text"], WEIGHTWATCHER) == {}
    assert faulty_choices(CONVENTIONS["weightwatcher-0.7.7"], OURS) == {}
    assert faulty_choices(CONVENTIONS["weightwatcher-0.7.7"], WEIGHTWATCHER_2020) == {}
    repaired = faulty_choices(CONVENTIONS["weightwatcher-0.7.7"], WEIGHTWATCHER)
    assert set(repaired) == set(CHOICES)
    assert repaired["F-WW-16"].overrides == ("orientation",)
