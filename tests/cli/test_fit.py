"""`htsr fit`: any positive sample, from any place."""

import json

import numpy as np
import pytest
from commands import spawn

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.distributions import TruncatedPowerLaw
from htsr_ref.powerlaw.uncertainty import goodness_of_fit

TEXT = ("--convention", "sdm2020-text")
SAMPLE = np.random.default_rng(4).pareto(1.5, 120) + 1.0


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n".join(map(repr, map(float, SAMPLE))))
    return path


def test_the_text_names_the_fit(htsr, data):
    outcome = htsr("fit", data, *TEXT)
    fit = fit_power_law(SAMPLE)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("x.txt: 120 values; convention sdm2020-text\n")
    assert f"alpha        {fit.alpha:.4f} ± {fit.stderr:.4f}" in outcome.out
    assert f"tail         {fit.tail_size} values" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_json_goes_to_standard_output_or_a_file(htsr, data, tmp_path):
    printed = htsr("fit", data, *TEXT, "--json").out
    assert json.loads(printed)["alpha"] == fit_power_law(SAMPLE).alpha
    assert htsr("fit", data, *TEXT, "-o", tmp_path / "fit.json").out == ""
    assert (tmp_path / "fit.json").read_text() == printed


def test_everything_that_can_be_asked_for(htsr, data):
    outcome = htsr("fit", data, "--gof", 20, "--bootstrap", 20, "--compare", "--ks", "one-sided")
    for words in (
        "(20 replicas, seed 0)",
        "bootstrap    alpha",
        "against lognormal",
        "(one-sided-steps)",
    ):
        assert words in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    again = htsr("fit", data, "--gof", 20, "--bootstrap", 20, "--compare", "--ks", "one-sided")
    assert again == outcome


@pytest.mark.parametrize("rule", ["median", "grid", "1.5"])
def test_the_threshold_can_be_chosen(htsr, data, rule):
    found = json.loads(htsr("fit", data, *TEXT, "--json", "--xmin", rule).out)
    expected = fit_power_law(SAMPLE, xmin=float(rule) if rule == "1.5" else rule)
    assert (found["xmin"], found["tail_size"]) == (expected.xmin, expected.tail_size)


def test_standard_input_is_read():
    text = "\n".join(map(str, SAMPLE)).encode()
    found = spawn("fit", "-", "--json", input=text)
    assert found.returncode == 0
    assert json.loads(found.stdout)["name"] == "standard input"
    assert json.loads(found.stdout)["sample_size"] == 120


@pytest.mark.slow
def test_the_plot_is_written(htsr, data, tmp_path):
    assert htsr("fit", data, "--plot", tmp_path / "fit.svg").code == 0
    assert (tmp_path / "fit.svg").read_text().startswith("<?xml")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("1 2 -3", "value 2 of the sample is -3.0"),
        ("1 0 3", "value 1 of the sample is 0.0"),
        ("nan 1", "value 0 of the sample is nan"),
        ("1 inf", "value 1 of the sample is inf"),
        ("", "the sample is empty"),
        ("5", "one positive value"),
        ("5 5 5", "all 3 positive values are equal"),
        ("1 2j", "line 1: '2j' is not a number"),
    ],
)
def test_a_bad_sample_is_one_line_and_exit_code_2(htsr, tmp_path, text, words):
    (tmp_path / "x.txt").write_text(text)
    outcome = htsr("fit", tmp_path / "x.txt", *TEXT)
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert "x.txt: " in outcome.err
    assert outcome.err.count("\n") == 1
    if "not a number" not in words:
        for flags in (["--law", "exponential"], ["--set", "ks=one-sided"]):
            assert htsr("fit", tmp_path / "x.txt", *flags).err.startswith("htsr: error: x.txt: ")


def test_bad_options_are_refused(htsr, data, tmp_path):
    assert "give a number or one of ks" in htsr("fit", data, "--xmin", "least").err
    assert "text or JSON" in htsr("fit", data, "-o", tmp_path / "fit.csv").err
    assert htsr("fit", data, "--gof", "-1").code == 2
    assert "--key names an array of an .npz" in htsr("fit", "-", "--key", "x").err


@pytest.mark.spec("PL-18")
def test_a_law_that_cannot_be_compared_is_a_warning(htsr, tmp_path):
    (tmp_path / "x.txt").write_text("9 9 9 9")
    outcome = htsr("fit", tmp_path / "x.txt", *TEXT, "--xmin", 1, "--compare")
    assert (outcome.code, outcome.err) == (0, "")
    assert "against exponential: " in outcome.out
    assert "against lognormal" not in outcome.out
    assert "warning: no comparison with lognormal: all 4 values of the tail are" in outcome.out


@pytest.mark.spec("PL-53")
def test_above_a_given_threshold_the_replicas_are_tails(htsr, data):
    found = json.loads(htsr("fit", data, *TEXT, "--json", "--xmin", "2", "--gof", 50).out)
    fit = fit_power_law(SAMPLE, xmin=2.0)
    expected = goodness_of_fit(SAMPLE, fit, xmin="known", replicas=50).p_value
    assert (found["xmin"], found["p_value"]) == (2.0, expected)
    assert "repeats only the fit" in htsr("fit", data, "--xmin", "median", "--gof", 5).err


@pytest.mark.spec("PL-55")
def test_another_law_can_be_fitted(htsr, data):
    printed = htsr("fit", data, "--law", "truncated_power_law", "--xmin", "2").out
    found = json.loads(htsr("fit", data, "--law", "truncated_power_law", "--xmin", 2, "--json").out)
    law = TruncatedPowerLaw.fit(SAMPLE[SAMPLE >= 2], 2.0)
    assert found["parameters"] == pytest.approx({"alpha": law.alpha, "rate": law.rate})
    errors = law.stderr(found["tail_size"])
    assert found["stderr"] == pytest.approx({"alpha": errors[0], "rate": errors[1]})
    assert f"alpha        {law.alpha:.6g} ± " in printed
    short = htsr("fit", data, "--law", "exponential", "--xmin", float(np.sort(SAMPLE)[-3])).out
    assert "warning: the fit rests on a tail of 3 values" in short
    assert "there is no law 'zipf'" in htsr("fit", data, "--law", "zipf").err
    assert "leave out --gof" in htsr("fit", data, "--law", "exponential", "--gof", 5).err
