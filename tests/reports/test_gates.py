"""Gates: every operator on both sides of its threshold, undefined numbers, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref import HtsrError, analyze
from htsr_ref.reports.gates import GATED, Gate, parse_gate
from htsr_ref.reports.report import ModelReport

pytestmark = pytest.mark.spec("RPT-7")

EMPTY = analyze({"fc": np.eye(3)}).model


def model(alpha_hat: float | None) -> ModelReport:
    return replace(EMPTY, alpha_hat=alpha_hat)


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
