"""`htsr analyze` of two models: their difference, or an adapter with its model."""

import json
from pathlib import Path

import pytest
from safetensors.numpy import load_file

from htsr_ref.reports.report import Report
from htsr_ref.weights import open_weights

FIXTURES = Path(__file__).parents[1] / "weights" / "derived" / "fixtures"
BASE = FIXTURES / "base"


@pytest.mark.spec("DER-11")
def test_a_model_without_the_modules_of_its_adapter_is_named(htsr):
    adapter, model = FIXTURES / "plain", FIXTURES / "conv1d.delta.safetensors"
    outcome = htsr("analyze", adapter, "--base", model, "--json", "--set", "min_dim=0")
    assert outcome.code == 1
    assert "layers.0.lora_A.weight" in outcome.err
    layers = json.loads(outcome.out)["layers"]
    lacking = [layer for layer in layers if layer["skip_code"] == "bad-data"]
    assert len(lacking) == 3
    assert all("conv1d.delta.safetensors has no such module" in x["skipped"] for x in lacking)


@pytest.mark.spec("DER-10", "DER-11", "RPT-4")
@pytest.mark.parametrize(
    ("file", "option", "other", "relation"),
    [
        ("plain.merged.safetensors", "--minus", "base", "minus"),
        ("plain", "--base", "base", "plus"),
    ],
)
def test_the_report_names_both_files(htsr, file, option, other, relation):
    arguments = ("analyze", FIXTURES / file, option, FIXTURES / other, "--set", "min_dim=0")
    outcome = htsr(*arguments, "--json")
    assert (outcome.code, outcome.err) == (0, "")
    source = Report.from_json(outcome.out).source
    assert (source.name, source.base.name, source.base.relation) == (file, other, relation)
    assert source.sha256 == open_weights(FIXTURES / file).sha256()
    assert source.base.sha256 == open_weights(FIXTURES / other).sha256()
    assert source.base.tensors == len(load_file(BASE / "model.safetensors"))
    assert f"{file} {relation} {other}" in htsr(*arguments).out


@pytest.mark.spec("DER-10")
def test_only_one_other_model_can_be_given(htsr):
    outcome = htsr("analyze", FIXTURES / "plain", "--base", BASE, "--minus", BASE)
    assert outcome.code == 2
    assert "Choose one" in outcome.err
