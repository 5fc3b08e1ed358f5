"""The path from one convention to another, and what each step contributes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.audits.path import along, changes_between, trace
from htsr_ref.conventions import CONVENTIONS, FIELDS, SDM2020_TEXT

values = st.lists(st.one_of(st.none(), st.floats(-1e3, 1e3)), min_size=1, max_size=9)


@pytest.mark.spec("AUD-10")
@pytest.mark.parametrize("start", CONVENTIONS)
@pytest.mark.parametrize("end", CONVENTIONS)
def test_every_convention_is_reached_by_changing_every_differing_field_once(start, end):
    first, last = CONVENTIONS[start], CONVENTIONS[end]
    changes = changes_between(first, last)
    fields = [name for change in changes for name in change]
    differing = [name for name in FIELDS if getattr(first, name) != getattr(last, name)]
    assert sorted(fields) == sorted(differing)
    assert along(first, changes)[-1].values() == last.values()
    # The first field of each step is the first that is left, in the table's order.
    for place, change in enumerate(changes):
        left = {name for later in changes[place:] for name in later}
        assert next(iter(change)) == next(name for name in FIELDS if name in left)


@pytest.mark.spec("AUD-10")
def test_choices_that_need_one_another_are_taken_together():
    steps = [set(change) for change in changes_between(SDM2020_TEXT, CONVENTIONS["farms-conv"])]
    assert {"linear", "windows"} in steps
    assert {"conv"} in steps
    assert {"xmin", "xmin_position"} in steps
    bounded = SDM2020_TEXT.override(
        {"estimator": "bounded-mle", "xmax": "largest", "ks_model": "renormalized"}
    )
    (step,) = changes_between(SDM2020_TEXT, bounded)
    assert set(step) == {"estimator", "xmax", "ks_model"}
    back = [set(change) for change in changes_between(bounded, SDM2020_TEXT)]
    assert back == [{"estimator"}, {"xmax", "ks_model"}]


@pytest.mark.spec("AUD-11")
@given(values)
def test_a_trace_adds_up(path):
    found = trace(path)
    assert len(found.contributions) == len(path) - 1
    assert found.end == path[-1]
    if path[-1] is None:
        assert found.start is None
        assert set(found.contributions) <= {None}
    else:
        total = found.start + sum(step for step in found.contributions if step is not None)
        assert total == pytest.approx(path[-1], rel=1e-12, abs=1e-9)


@pytest.mark.spec("AUD-11")
def test_what_precedes_an_undefined_number_does_not_count():
    found = trace([1.0, 2.0, None, 4.0, 7.0])
    assert (found.start, found.contributions, found.end) == (4.0, (None, None, None, 3.0), 7.0)
