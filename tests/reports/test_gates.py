"""Gates: every operator on both sides of its threshold, undefined numbers, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref import HtsrError, Report, analyze
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.gates import GATED, Gate, parse_gate

pytestmark = pytest.mark.spec("RPT-7")

EMPTY = analyze({"fc": np.eye(3)})
TWO = analyze({"flat": np.eye(24), "steep": np.diag(2.0 ** np.arange(24)), "bias": np.ones(3)})


def model(alpha_hat: float | None) -> Report:
    return replace(EMPTY, model=replace(EMPTY.model, alpha_hat=alpha_hat))


@pytest.mark.parametrize(
    ("op", "below", "at", "above"),
    [
        ("<", True, False, False),
        ("<=", True, True, False),
        (">", False, False, True),
        (">=", False, True, True),
    ],
)
def test_the_check_fails_where_the_comparison_holds(op, below, at, above):
    gate = parse_gate(f"alpha_hat{op}-2.5")
    failures = [gate.failure(model(value)) is not None for value in (-3.0, -2.5, -2.0)]
    assert failures == [below, at, above]


@pytest.mark.parametrize("op", ["<", "<=", ">", ">="])
def test_an_undefined_number_fails_every_gate(op):
    failure = parse_gate(f"alpha_hat {op} 3").failure(model(None))
    assert failure == f"alpha_hat {op} 3: alpha_hat is undefined"


def test_a_failure_names_the_number():
    assert parse_gate("alpha_hat>3").failure(model(3.25)) == "alpha_hat > 3: alpha_hat is 3.25"


@pytest.mark.parametrize(
    "text", ["alpha_hat>3", " alpha_hat > 3 ", "alpha_hat >3e0", "alpha_hat>+3."]
)
def test_blanks_and_forms_of_numbers(text):
    assert parse_gate(text) == Gate("alpha_hat", ">", 3.0)


@given(st.sampled_from(GATED), st.sampled_from(["<", "<=", ">", ">="]), st.floats(-1e300, 1e300))
def test_any_gate_is_read_as_it_is_written(name, op, threshold):
    assert parse_gate(f"{name} {op} {threshold!r}") == Gate(name, op, threshold)


def test_the_numbers_are_those_of_the_model():
    assert set(GATED) == {
        "layers",
        "matrices",
        "alpha_hat",
        "mean_alpha",
        "mean_log10_frobenius_norm",
        "mean_log10_spectral_norm",
        "mean_log10_alpha_norm",
        "mean_stable_rank",
    }
    assert parse_gate("matrices<2").failure(EMPTY) == "matrices < 2: matrices is 1"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "alpha_hat",
        "alpha_hat>",
        ">3",
        "alpha_hat=3",
        "alpha_hat==3",
        "alpha_hat!=3",
        "alpha_hat=>3",
        "alpha_hat>>3",
        "3<alpha_hat<4",
        "alpha_hat>3 and mean_alpha>2",
        "alpha_hat>three",
        "alpha_hat>nan",
        "alpha_hat>inf",
        "alpha_hat>1e999",
    ],
)
def test_text_that_is_no_gate(text):
    with pytest.raises(HtsrError, match="is not a gate NAME OP NUMBER, OP one of < <= > >="):
        parse_gate(text)


@pytest.mark.parametrize("name", ["beta", "counts", "pl_norm_relation", "__class__"])
def test_a_number_that_no_model_has(name):
    with pytest.raises(HtsrError, match=f"no such number '{name}'. Numbers: layers, matrices"):
        parse_gate(f"{name}>3")


def test_a_gate_on_layers_names_those_that_fail():
    assert parse_gate("layer:stable_rank > 20").failure(TWO) == (
        "layer:stable_rank > 20: flat is 24"
    )
    assert parse_gate("layer:stable_rank>24.5").failure(TWO) is None
    assert TWO.failures(["layer:stable_rank>=1", "alpha_hat>1e9"]) == (
        "layer:stable_rank >= 1: flat is 24, steep is 1.33333",
    )


def test_a_number_that_a_layer_lacks_fails():
    assert (
        parse_gate("layer:alpha<100")
        .failure(TWO)
        .startswith("layer:alpha < 100: flat is undefined, steep is ")
    )


def test_many_layers_are_counted():
    many = analyze({f"fc{i}": np.eye(4) for i in range(12)})
    failure = parse_gate("layer:rank>3").failure(many)
    assert failure.endswith("fc9 is 4 and 2 layers more")


@pytest.mark.parametrize("name", MEAN_FIELDS)
def test_every_mean_of_a_layer_can_be_gated(name):
    assert parse_gate(f" layer: {name} <= 3") == Gate(name, "<=", 3.0, of_layers=True)


def test_a_number_nearly_right_is_answered():
    with pytest.raises(HtsrError, match=r"'alpha_hut'\. Did you mean 'alpha_hat'"):
        parse_gate("alpha_hut>3")
    with pytest.raises(HtsrError, match=r"'alpha_hat'\. Did you mean .*Numbers of a layer: "):
        parse_gate("layer:alpha_hat>3")
