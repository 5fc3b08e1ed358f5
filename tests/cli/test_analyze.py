"""`htsr analyze`: its forms, its gates, and layers with bad data."""

import csv
import io
import json
import os
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from commands import rows_of_layers, tensors
from safetensors.numpy import save_file

from htsr_ref import Report, analyze
from htsr_ref.analysis import analyzing
from htsr_ref.conventions import SDM2020
from htsr_ref.reports.markdown import to_markdown

SCHEMA = Path(__file__).parents[2] / "spec" / "schemas" / "report.schema.json"
NAMED = ("--convention", "sdm2020")


# Forms


@pytest.mark.spec("RPT-1", "RPT-2")
def test_json_is_the_report(htsr, model):
    outcome = htsr("analyze", model, "--json", "--set", "min_dim=0")
    assert (outcome.code, outcome.err) == (0, "")
    validator = jsonschema.Draft202012Validator(json.loads(SCHEMA.read_text(encoding="utf-8")))
    validator.validate(json.loads(outcome.out, parse_constant=pytest.fail))
    assert Report.from_json(outcome.out) == analyze(model, SDM2020.override({"min_dim": 0}))
    assert Report.from_json(outcome.out).to_json() == outcome.out


@pytest.mark.spec("RPT-6")
def test_csv_by_matrix_and_by_layer(htsr, model):
    report = analyze(model, SDM2020.override({"min_dim": 0}))
    by_matrix = htsr("analyze", model, "--set", "min_dim=0", "--csv").out
    rows = list(csv.DictReader(io.StringIO(by_matrix)))
    assert [row["layer"] for row in rows] == ["conv"] * 9 + ["fc1", "fc2"]
    assert [float(row["alpha"]) for row in rows] == [
        matrix.alpha for layer in report.layers for matrix in layer.matrices
    ]
    by_layer = htsr("analyze", model, "--set", "min_dim=0", "--csv", "--per", "layer").out
    rows = list(csv.DictReader(io.StringIO(by_layer)))
    assert [row["layer"] for row in rows] == [layer.name for layer in report.layers]
    assert [float(row["alpha"]) for row in rows if row["skipped"] == ""] == [
        layer.means["alpha"] for layer in report.analyzed()
    ]


@pytest.mark.spec("RPT-6")
def test_markdown(htsr, model):
    assert htsr("analyze", model, "--markdown").out == to_markdown(analyze(model))


@pytest.mark.parametrize(
    ("name", "flag"),
    [
        ("a.json", "--json"),
        ("a.JSON", "--json"),
        ("a.csv", "--csv"),
        ("a.md", "--markdown"),
        ("a.txt", None),
    ],
)
def test_the_suffix_chooses_the_form(htsr, model, tmp_path, name, flag):
    outcome = htsr("analyze", model, "-o", tmp_path / name)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    expected = htsr("analyze", model, *filter(None, [flag])).out
    assert (tmp_path / name).read_text(encoding="utf-8") == expected


def test_a_file_of_text_holds_any_form(htsr, model, tmp_path):
    htsr("analyze", model, "--csv", "--output", tmp_path / "a.txt")
    assert (tmp_path / "a.txt").read_text(encoding="utf-8").startswith("layer,role,")


def test_per_is_for_a_csv_with_our_columns(htsr, model):
    for flags in ([], ["--json"], ["--csv", "--columns", "weightwatcher"]):
        outcome = htsr("analyze", model, "--per", "layer", *flags)
        assert (outcome.code, outcome.out) == (2, "")
        assert "--per chooses the rows of a CSV with our columns" in outcome.err


def test_two_forms_at_once_are_refused(htsr, model):
    outcome = htsr("analyze", model, "--json", "--markdown")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "htsr: error: choose one of --json and --markdown\n"


# Gates


@pytest.mark.spec("RPT-7")
def test_a_gate_that_holds_fails_the_check_after_the_output(htsr, model):
    table = htsr("analyze", model).out
    outcome = htsr("analyze", model, "--fail-if", "matrices>1", "--fail-if", "layers < 2")
    assert (outcome.code, outcome.out) == (1, table)
    assert outcome.err == "htsr: check failed: matrices > 1: matrices is 2\n"


@pytest.mark.spec("RPT-7")
def test_a_gate_that_does_not_hold_passes(htsr, model):
    outcome = htsr("analyze", model, "--fail-if", "matrices>2", "--fail-if", "mean_alpha<=1")
    assert (outcome.code, outcome.err) == (0, "")


@pytest.mark.spec("RPT-7")
@pytest.mark.parametrize(
    ("gate", "flags", "warned"),
    [
        ("alpha_hat>1e9", (), True),
        ("alpha_hat<=-1e9", ("--set", "min_dim=0"), True),
        ("alpha_hat>1e9", NAMED, False),
        ("mean_log10_frobenius_norm>1e9", (), False),
    ],
)
def test_a_gate_on_alpha_hat_without_a_convention_says_which_one_it_was(
    htsr, model, gate, flags, warned
):
    outcome = htsr("analyze", model, "--fail-if", gate, *flags)
    warning = (
        "htsr: warning: alpha_hat depends on the convention: the gate is for sdm2020. Say which "
        "one you mean with --convention\n"
    )
    assert (outcome.code, outcome.err) == (0, warning if warned else "")


@pytest.mark.spec("RPT-7")
def test_a_gate_on_an_undefined_number_fails(htsr, tmp_path):
    save_file({"i.weight": np.eye(5)}, tmp_path / "i.safetensors")
    outcome = htsr("analyze", tmp_path / "i.safetensors", *NAMED, "--fail-if", "alpha_hat>3")
    assert outcome.code == 1
    assert outcome.err == "htsr: check failed: alpha_hat > 3: alpha_hat is undefined\n"


@pytest.mark.spec("RPT-7")
@pytest.mark.parametrize("gate", ["alpha_hat", "beta>1", "alpha_hat=1", "alpha_hat>x"])
def test_a_gate_that_is_none_is_bad_input_before_the_work(htsr, tmp_path, gate):
    outcome = htsr("analyze", tmp_path / "not-even-there", "--fail-if", gate)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith(f"htsr: error: {gate!r}")
    assert outcome.err.count("\n") == 1


# Bad layers


@pytest.mark.spec("SPC-7", "RPT-3")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_bad_entry_costs_one_layer(htsr, tmp_path, value):
    good, bad = tensors(), tensors()
    bad["fc1.weight"][3, 7] = bad["fc1.weight"][5, 0] = value
    save_file(good, tmp_path / "good.safetensors")
    save_file(bad, tmp_path / "bad.safetensors")
    outcome = htsr("analyze", tmp_path / "bad.safetensors")
    assert outcome.code == 1
    assert outcome.err == (
        f"htsr: layer skipped: tensor 'fc1.weight': entry [3, 7] is {value}. "
        "Repair or re-export the checkpoint\n"
    )
    assert f"bad data: tensor 'fc1.weight': entry [3, 7] is {value}" in outcome.out
    fc2 = [line for line in rows_of_layers(outcome.out) if line.startswith("fc2")]
    whole = htsr("analyze", tmp_path / "good.safetensors").out
    assert [line.split() for line in fc2] == [
        line.split() for line in rows_of_layers(whole) if line.startswith("fc2")
    ]


def test_allow_skipped_accepts_bad_layers_but_not_failed_gates(htsr, broken):
    assert htsr("analyze", broken, "--allow-skipped").code == 0
    gated = htsr("analyze", broken, "--allow-skipped", "--fail-if", "matrices<2")
    assert (gated.code, gated.err.count("\n")) == (1, 1)
    assert htsr("analyze", broken, "--fail-if", "matrices<2").err.count("\n") == 2


def test_nothing_to_analyze_is_a_failure(htsr, model):
    outcome = htsr("analyze", model, "--set", "layer_kinds=embedding")
    assert outcome.code == 1
    assert "no weight matrix was analyzed" in outcome.err
    assert "skipped: fc1: role weight is not among layer_kinds" in outcome.out


@pytest.mark.spec("FMT-13")
def test_a_file_that_changes_under_the_analysis_ends_it_with_one_line(htsr, model, monkeypatch):
    plain = analyzing.analyze_layer

    def analyze_layer(*arguments, **options):
        os.utime(model, ns=(0, 0))
        return plain(*arguments, **options)

    monkeypatch.setattr(analyzing, "analyze_layer", analyze_layer)
    outcome = htsr("analyze", model, "--set", "min_dim=0")
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert "it has changed since it was opened. Run the command again" in outcome.err
