"""`htsr fit`: any positive sample, from any place."""

import json

import numpy as np
import pytest
from commands import spawn

from htsr_ref.powerlaw import fit_power_law

SAMPLE = np.random.default_rng(4).pareto(1.5, 120) + 1.0


@pytest.fixture
def data(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("\n".join(map(repr, map(float, SAMPLE))))
    return path


def test_the_text_names_the_fit(htsr, data):
    outcome = htsr("fit", data)
    fit = fit_power_law(SAMPLE)
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.out.startswith("x.txt: 120 values\n")
    assert f"alpha        {fit.alpha:.4f} ± {fit.stderr:.4f}" in outcome.out
    assert f"tail         {fit.tail_size} values" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100


def test_json_goes_to_standard_output_or_a_file(htsr, data, tmp_path):
    printed = htsr("fit", data, "--json").out
    assert json.loads(printed)["alpha"] == fit_power_law(SAMPLE).alpha
    assert htsr("fit", data, "-o", tmp_path / "fit.json").out == ""
    assert (tmp_path / "fit.json").read_text() == printed


def test_everything_that_can_be_asked_for(htsr, data):
    outcome = htsr("fit", data, "--gof", 20, "--bootstrap", 20, "--compare", "--ks", "one-sided")
    for words in (
        "(20 replicas, seed 0)",
        "bootstrap    alpha",
        "against lognormal",
        "(one-sided)",
    ):
        assert words in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= 100
    again = htsr("fit", data, "--gof", 20, "--bootstrap", 20, "--compare", "--ks", "one-sided")
    assert again == outcome


@pytest.mark.parametrize("rule", ["median", "grid", "1.5"])
def test_the_threshold_can_be_chosen(htsr, data, rule):
    found = json.loads(htsr("fit", data, "--json", "--xmin", rule).out)
    expected = fit_power_law(SAMPLE, xmin=float(rule) if rule == "1.5" else rule)
    assert (found["xmin"], found["tail_size"]) == (expected.xmin, expected.tail_size)


def test_standard_input_is_read():
    text = "\n".join(map(str, SAMPLE)).encode()
    found = spawn("fit", "-", "--json", input=text)
    assert found.returncode == 0
    assert json.loads(found.stdout)["name"] == "standard input"
    assert json.loads(found.stdout)["sample_size"] == 120


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
    outcome = htsr("fit", tmp_path / "x.txt")
    assert (outcome.code, outcome.out) == (2, "")
    assert words in outcome.err
    assert outcome.err.count("\n") == 1


def test_bad_options_are_refused(htsr, data, tmp_path):
    assert "give a number or one of ks" in htsr("fit", data, "--xmin", "least").err
    assert "text or JSON" in htsr("fit", data, "-o", tmp_path / "fit.csv").err
    assert htsr("fit", data, "--gof", "-1").code == 2
