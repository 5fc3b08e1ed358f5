"""Expectations: their form, and what counts as a miss."""

import numpy as np
import pytest

from htsr_ref.analysis import analyze
from htsr_ref.conventions import FIELDS, PAPER, get_convention
from htsr_ref.errors import ExpectationError
from htsr_ref.expectations import (
    FREE_FIELDS,
    Expectation,
    compare,
    from_json,
    require_comparable,
    to_json,
)

# X = diag(1, 4, 9, 16)/4.
W = np.diag([1.0, 2.0, 3.0, 4.0])


@pytest.mark.spec("RMT-12")
def test_the_ends_of_an_interval_are_inside():
    inside = Expectation("lambda_max", 4.0, 4.0, "16/4")
    outside = Expectation("lambda_min", 0.0, 0.249, "1/4 is more")
    outcome = compare(analyze({"fc": W}), {"fc": (inside, outside)})
    assert outcome.met == 1
    assert outcome.misses == ("layer fc: lambda_min is 0.25, expected 0 to 0.249 (1/4 is more)",)


@pytest.mark.spec("RMT-12")
def test_an_undefined_number_or_a_missing_layer_is_a_miss():
    report = analyze({"fc": np.zeros((4, 4)), "bad": np.full((2, 2), np.nan)})
    one = Expectation("alpha", 1.0, 9.0, "")
    outcome = compare(report, {"fc": (one,), "bad": (one,), "gone": ()})
    assert outcome.met == 0
    assert [text.split(":")[1][:30] for text in outcome.misses] == [
        " alpha is undefined, expected ",
        " tensor 'bad'",
        " there is no such layer",
    ]


@pytest.mark.spec("RMT-12")
def test_what_is_written_is_read():
    expected = {"a": (Expectation("rank", 1, 2, "x"),), "b": ()}
    assert from_json(to_json(expected)) == expected


GOOD = {"metric": "rank", "low": 0, "high": 1.5, "why": ""}


@pytest.mark.spec("RMT-12")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "carries no expectations"),
        ({}, "carries no expectations"),
        ([1], "carries no expectations"),
        ({"fc": 1}, "not valid"),
        ({"fc": ["x"]}, "has the keys"),
        ({"fc": [{**GOOD, "more": 1}]}, "has the keys"),
        ({"fc": [{**GOOD, "metric": "__class__"}]}, "no number of a matrix"),
        ({"fc": [{**GOOD, "metric": ["rank"]}]}, "not valid"),
        ({"fc": [{**GOOD, "low": "0"}]}, "an end that is no number"),
        ({"fc": [{**GOOD, "high": float("inf")}]}, "an end that is no number"),
        ({"fc": [{**GOOD, "high": True}]}, "an end that is no number"),
    ],
)
def test_a_manifest_can_hold_anything(value, words):
    with pytest.raises(ExpectationError, match=words):
        from_json(value)


@pytest.mark.spec("RMT-12")
def test_only_choices_that_change_no_number_of_a_matrix_are_free():
    require_comparable(
        PAPER.override({"min_dim": 0, "average": "layers", "layer_kinds": ("linear",)})
    )
    assert set(FREE_FIELDS) < set(FIELDS)
    with pytest.raises(ExpectationError, match="normalization differs"):
        require_comparable(PAPER.override({"normalization": "none"}))
    with pytest.raises(ExpectationError, match="those of the convention paper"):
        require_comparable(get_convention("weightwatcher"))
