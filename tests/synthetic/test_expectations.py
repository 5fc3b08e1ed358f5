"""Expectations: their form, and what counts as a miss."""

import json

import numpy as np
import pytest

from htsr_ref.analysis.analyzing import analyze
from htsr_ref.conventions import FIELDS, SDM2020, SDM2020_TEXT, get_convention
from htsr_ref.errors import ExpectationError
from htsr_ref.synthetic.expectations import (
    FREE_FIELDS,
    Expectation,
    compare,
    from_json,
    require_comparable,
    to_json,
)

# X = diag(1, 4, 9, 16)/4.
W = np.diag([1.0, 2.0, 3.0, 4.0])


def one(metric, low, high, *, false_alarm=0.0):
    return Expectation(metric, None, low, high, false_alarm, "why")


@pytest.mark.spec("RMT-12")
def test_the_ends_of_an_interval_are_inside():
    report = analyze({"fc": W}, SDM2020_TEXT)
    inside = [one("lambda_max", *ends) for ends in ((4.0, 4.0), (None, 4.0), (4.0, None))]
    outside = [one("lambda_min", *ends) for ends in ((0.0, 0.249), (None, 0.249), (0.251, None))]
    outcome = compare(report, {"fc": (*inside, *outside)})
    assert outcome.met == 3
    assert outcome.misses == (
        "layer fc: lambda_min is 0.25, expected at least 0 and at most 0.249: why",
        "layer fc: lambda_min is 0.25, expected at most 0.249: why",
        "layer fc: lambda_min is 0.25, expected at least 0.251: why",
    )


@pytest.mark.spec("RMT-12")
def test_an_undefined_number_or_a_missing_layer_is_a_miss():
    report = analyze({"fc": np.zeros((4, 4)), "bad": np.full((2, 2), np.nan)}, SDM2020_TEXT)
    alpha = one("alpha", 1.0, 9.0)
    outcome = compare(report, {"fc": (alpha,), "bad": (alpha,), "gone": ()})
    assert outcome.met == 0
    beginnings = (
        "layer bad: not analyzed: tensor 'bad'",
        "layer gone: not analyzed: there is no such layer",
        "layer fc: alpha is undefined, expected at least 1 and at most 9",
    )
    assert len(outcome.misses) == 3
    assert all(map(str.startswith, outcome.misses, beginnings))


@pytest.mark.spec("RMT-12")
@pytest.mark.parametrize(
    ("numbers", "rate", "missed", "fails"),
    [
        # 0.05⁴ = 6e-6, and 4·0.05³ = 5e-4.
        (4, 0.05, 4, True),
        (4, 0.05, 3, False),
        # By the binomial law, P(≥ 6 of 10) = 2.8e-6 and P(≥ 5 of 10) = 6.4e-5.
        (10, 0.05, 6, True),
        (10, 0.05, 5, False),
        (3, 0.05, 3, False),
        (4, 1e-8, 1, True),
        (4, 0.0, 1, True),
    ],
)
def test_as_many_may_miss_as_chance_allows(numbers, rate, missed, fails):
    report = analyze({"fc": W}, SDM2020_TEXT)
    expected = [one("rank", 4, 4, false_alarm=rate)] * (numbers - missed)
    expected += [one("rank", 5, 5, false_alarm=rate)] * missed
    # A number of another rate changes nothing.
    outcome = compare(report, {"fc": (*expected, one("lambda_max", 4, 4, false_alarm=0.5))})
    assert outcome.met == numbers - missed + 1
    assert (len(outcome.misses), len(outcome.by_chance)) == (missed * fails, missed * (not fails))


@pytest.mark.spec("RMT-12")
def test_what_is_written_is_read():
    expected = {"a": (one("rank", 1, 2), one("alpha", None, 2.5, false_alarm=0.05)), "b": ()}
    assert from_json(json.loads(json.dumps(to_json(expected))), "file") == expected


GOOD = to_json({"fc": (one("rank", 0, 1.5),)})["fc"][0]


@pytest.mark.spec("RMT-12")
@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "carries no expectations"),
        ({}, "carries no expectations"),
        ({"fc": [], "fc2": []}, "carries no expectations"),
        ([1], "not an object of layers"),
        ({"fc": 1}, "not valid"),
        ({"fc": ["x"]}, "has the keys"),
        ({"fc": [{**GOOD, "more": 1}]}, "has the keys"),
        ({"fc": [{**GOOD, "metric": "__class__"}]}, "not a metric of a matrix"),
        ({"fc": [{**GOOD, "metric": "warnings"}]}, "not a metric of a matrix"),
        ({"fc": [{**GOOD, "metric": ["rank"]}]}, "not valid"),
        ({"fc": [{**GOOD, "why": 1}]}, "a reason that is not text"),
        ({"fc": [{**GOOD, "value": "0"}]}, "false_alarm that is not valid"),
        ({"fc": [{**GOOD, "low": "0"}]}, "false_alarm that is not valid"),
        ({"fc": [{**GOOD, "high": float("inf")}]}, "false_alarm that is not valid"),
        ({"fc": [{**GOOD, "high": True}]}, "false_alarm that is not valid"),
        ({"fc": [{**GOOD, "false_alarm": None}]}, "false_alarm that is not valid"),
        ({"fc": [{**GOOD, "false_alarm": 1.0}]}, "false_alarm that is not valid"),
    ],
)
def test_a_manifest_can_hold_anything(value, words):
    with pytest.raises(ExpectationError, match=f"^m.h5: .*{words}"):
        from_json(value, "m.h5")


@pytest.mark.spec("RMT-12")
def test_only_choices_that_change_no_number_of_a_matrix_are_free():
    require_comparable(
        SDM2020_TEXT.override({"min_dim": 0, "average": "layers", "layer_kinds": ("weight",)})
    )
    changes = {
        "layer_kinds": ("weight", "embedding"),
        "fused": "split",
        "experts": "skip",
        "tied": "each",
        "parameters": "module-weights",
        "conv1d": "skip",
        "transposed": "skip",
        "min_dim": 3,
        "min_dim_applies_to": "all",
        "min_eigenvalues": 5,
        "max_eigenvalues": 100,
        "max_rows": 100,
        "average": "layers",
        "alpha_range": (2.0, 3.0),
    }
    assert set(FREE_FIELDS) == changes.keys() < set(FIELDS)
    weights = {"fc": np.random.default_rng(0).standard_t(3, (90, 60))}
    plain = analyze(weights, SDM2020_TEXT).layers[0].matrices
    for name, value in changes.items():
        convention = SDM2020_TEXT.override({name: value})
        assert getattr(convention, name) != getattr(SDM2020_TEXT, name)
        require_comparable(convention)
        assert analyze(weights, convention).layers[0].matrices == plain
    with pytest.raises(ExpectationError, match="and normalization differs"):
        require_comparable(SDM2020_TEXT.override({"normalization": "glorot"}))
    with pytest.raises(ExpectationError, match="those of the convention sdm2020-text"):
        require_comparable(get_convention("weightwatcher"))


@pytest.mark.spec("RMT-12")
def test_eigenvalues_are_compared_in_any_units_and_the_fit_only_if_it_is_the_one_known():
    # Of X = WᵀW, N = 4: λ_max = 16 and λ_min = 1, known as 4 and 1/4.
    expected = {
        "fc": (
            one("lambda_max", 4.0, 4.0),
            one("lambda_min", 0.25, 0.25),
            one("lambda_max", 16.0, 16.0),
            one("rank", 4, 4),
            one("alpha", 1e6, None),
        )
    }
    outcome = compare(analyze({"fc": W}, SDM2020), expected)
    assert (outcome.met, outcome.not_compared) == (3, 1)
    (miss,) = outcome.misses
    assert miss.startswith("layer fc: lambda_max is 4, expected at least 16")
    text = compare(analyze({"fc": W}, SDM2020_TEXT.override({"normalization": "none"})), expected)
    assert (text.met, text.not_compared, len(text.misses)) == (3, 0, 2)
