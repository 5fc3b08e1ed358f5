"""What the search believes of fields: they change the numbers it says, and no others."""

import pytest
from audit_tables import report, small_model

from htsr_ref.audits.affected import AFFECTED
from htsr_ref.audits.dialects import OURS
from htsr_ref.audits.searching import changes_of
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT
from htsr_ref.weights import open_weights

WEIGHTS = open_weights(small_model())
QUANTITIES = frozenset(OURS.quantities.values())
CHANGES = [
    (base, change)
    for base in (SDM2020_TEXT, CONVENTIONS["weightwatcher-0.7.7"])
    for change in changes_of(base, QUANTITIES)
    if set(change) <= set(AFFECTED)
]


def matrices(convention):
    """Columns of every matrix, by layer and label."""
    made = report(WEIGHTS, convention)
    return {
        (layer.name, matrix.label): OURS.numbers(layer, matrix, None)
        for layer in made.analyzed()
        for matrix in layer.matrices
    }


@pytest.fixture(scope="module")
def unchanged():
    return {base.name: matrices(base) for base in {base.name: base for base, _ in CHANGES}.values()}


@pytest.mark.slow
@pytest.mark.spec("AUD-12")
@pytest.mark.parametrize(("base", "change"), CHANGES, ids=lambda x: getattr(x, "name", str(x)))
def test_a_field_changes_only_what_it_is_said_to(unchanged, base, change):
    allowed = frozenset().union(*(AFFECTED[name] for name in change))
    before, after = unchanged[base.name], matrices(base.override(change))
    assert before.keys() == after.keys()
    for key, numbers in before.items():
        changed = {name for name, value in numbers.items() if after[key][name] != value}
        assert {OURS.quantities[name] for name in changed} <= allowed, key
