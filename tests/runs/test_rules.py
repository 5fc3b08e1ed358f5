"""WCH-5: rules over the checkpoints of a run."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from model_reports import model

from htsr_ref.reports.gates import GateError
from htsr_ref.runs.checkpoint import checkpoint_of, is_again, point_of
from htsr_ref.runs.rules import parse_rule

pytestmark = pytest.mark.spec("WCH-5")


def holds(text, *models, undefined=False):
    points = [point_of(checkpoint_of(report)) for report in models]
    return parse_rule(text).holds(models[-1], points, undefined=undefined)


def series(values, verdict="power law"):
    return [model(f"step-{i}", value, verdict=verdict) for i, value in enumerate(values)]


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=12), st.integers(0, 12))
def test_checkpoints_since_the_first_extreme(values, passed):
    floats = [float(value) for value in values]
    for word, best in (("least", min(values)), ("greatest", max(values))):
        since = 0
        for value in reversed(values[values.index(best) + 1 :]):
            since += value is not None
        found = holds(f"since-{word}:alpha_hat>={passed}", *series(floats))
        assert (found is not None) == (since >= passed)
        if found:
            assert f"since the {word} alpha_hat is {since}" in found


def test_noise_and_undefined_numbers_do_not_count_for_an_extreme():
    noise = series([0.1], "random-like")
    assert holds("since-least:alpha_hat>=2", *noise, *series([3.0, 2.0, 2.5])) is None
    assert holds("since-least:alpha_hat>=2", *noise, *series([2.0, None, 2.5])) is None
    assert holds("since-least:alpha_hat>=2", *noise, *series([2.0, 3.0, 2.5])) is not None
    assert holds("since-least:alpha_hat>=0", *noise) is None
    # The share of noise itself counts from the first checkpoint on.
    assert holds("since-greatest:random_like_share>=1", *noise, *series([3.0])) is not None


def test_gates():
    (one,) = series([2.0])
    assert holds("alpha_hat>1.5", one) == "alpha_hat > 1.5: alpha_hat is 2"
    assert holds("alpha_hat>2", one) is None
    assert holds("random_like_share<0.1", one).endswith("random_like_share is 0")
    assert holds("random_like_share>=1", *series([2.0], "random-like")) is not None
    assert holds("layers>=1", one) is not None
    assert holds("layer:alpha>1", one).startswith("layer:alpha > 1: fc is ")
    (unknown,) = series([None])
    assert holds("alpha_hat>1", unknown) is None
    assert holds("alpha_hat>1", unknown, undefined=True).endswith("alpha_hat is undefined")
    few = replace(unknown, layers=())
    assert holds("random_like_share<1", few) is None
    assert holds("random_like_share<1", few, undefined=True).endswith("is undefined")


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("since-least:alpha_hat", "'since-least:alpha_hat': 'alpha_hat' is not a gate"),
        ("since-least:alfa_hat>3", "Did you mean 'alpha_hat'"),
        ("since-last:alpha_hat>3", "is not a gate"),
        ("since-least:layer:alpha>3", "Name a number of the model"),
        ("layer:alpha>3", "Name a number of the model"),
        ("random_like>3", "Did you mean 'random_like_share'"),
    ],
)
def test_what_is_no_rule(text, answer):
    with pytest.raises(GateError, match=answer):
        parse_rule(text, layers=False)


@pytest.mark.spec("WCH-2")
@pytest.mark.parametrize(
    ("one", "other", "again"),
    [("step-1", "step-1", True), ("step-1", "step-2", False), ("last", "last", False)],
)
def test_a_name_with_a_step_is_one_checkpoint_however_often_it_is_written(one, other, again):
    points = [point_of(checkpoint_of(model(name))) for name in (one, other)]
    assert is_again(*points) == again
