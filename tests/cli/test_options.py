"""Options that several commands share: conventions, solvers, maps of layers."""

import json

import pytest

from htsr_ref import Report
from htsr_ref.conventions import SDM2020


@pytest.mark.spec("CNV-2")
@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ("min_dim", "write FIELD=VALUE"),
        ("nonsense=1", "no convention has a field 'nonsense'. Fields: layer_kinds"),
        ("=1", "no convention has a field ''"),
        ("conv=sliced", "conv = 'sliced' is not legal. Legal: slices, group-slices"),
        ("conv=operator", "conv = operator needs map_size. Give it, as with --set map_size="),
        ("min_dim=few", "min_dim = 'few' is not legal. Legal: a whole number"),
        ("min_dim=-1", "min_dim = '-1' is not legal. Legal: a whole number of at least 0"),
        ("alpha_range=6,2", "alpha_range = '6,2' is not legal. Legal: none, lo,hi"),
        ("layer_kinds=", "layer_kinds = '' is not legal. Legal: any of weight, embedding"),
    ],
)
def test_a_choice_that_does_not_exist(htsr, model, change, complaint):
    for command in ("analyze", "describe", "rank"):
        outcome = htsr(command, model, "--set", change)
        assert (outcome.code, outcome.out) == (2, "")
        assert complaint in outcome.err
        assert outcome.err.count("\n") == 1


@pytest.mark.spec("CNV-2")
def test_a_convention_that_does_not_exist(htsr, model):
    outcome = htsr("analyze", model, "--convention", "papre")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: no convention 'papre'. Shipped: sdm2020")


@pytest.mark.spec("CNV-1", "CNV-3")
def test_changed_choices_are_named_in_every_form(htsr, model):
    changes = ["--set", "min_dim=0", "--set", " ks = two-sided "]
    report = Report.from_json(htsr("analyze", model, "--json", *changes).out)
    assert report.convention == SDM2020.override({"min_dim": 0, "ks": "two-sided"})
    assert report.convention.overrides == ("min_dim", "ks")
    for flags in ([], ["--markdown"]):
        text = htsr("analyze", model, *changes, *flags).out
        assert "onvention sdm2020 with min_dim = 0, ks = two-sided" in text


@pytest.mark.spec("SPC-3")
@pytest.mark.parametrize(("solver", "used"), [("gram", "gram"), ("svd", "svd"), ("auto", "gram")])
def test_the_solver(htsr, model, solver, used):
    report = Report.from_json(htsr("analyze", model, "--solver", solver, "--json").out)
    assert report.solver == solver
    assert {matrix.solver for layer in report.analyzed() for matrix in layer.matrices} == {used}


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (b"{fc1}", "is not JSON"),
        (b"\xff", "is not JSON"),
        (b'{"fc1.weight": {}, "fc1.weight": {}}', "is not JSON (the key 'fc1.weight' appears"),
        (b"[" * 100_000, "is not JSON"),
        (b"[]", "a map of layers is an object of objects"),
        (b'{"fc1.weight": "linear"}', "a map of layers is an object of objects"),
        (b'{"fc9*": {"role": "weight"}}', "the override 'fc9*' matches no tensor"),
        (b'{"fc1*": {"knid": "linear"}}', "unknown key 'knid'"),
        (b'{"fc1.weight": {"role": "lineal"}}', "'lineal'"),
    ],
)
def test_a_map_of_layers_that_is_none(htsr, model, tmp_path, text, complaint):
    (tmp_path / "map.json").write_bytes(text)
    for command in ("analyze", "describe", "validate", "rank"):
        outcome = htsr(command, model, "--layers", tmp_path / "map.json")
        assert (outcome.code, outcome.out) == (2, "")
        assert complaint in outcome.err
        assert outcome.err.count("\n") == 1


def test_a_map_of_layers_that_is_missing(htsr, model, tmp_path):
    outcome = htsr("analyze", model, "--layers", tmp_path / "none.json")
    assert outcome.code == 2
    assert outcome.err == (
        f"htsr: error: {tmp_path / 'none.json'}: cannot be read (No such file or directory)\n"
    )


def test_a_map_of_layers_overrules_the_file(htsr, model, tmp_path):
    corrections = {"fc1.w*": {"role": "embedding"}, "fc2.weight": {"skip": "tried apart"}}
    corrections["fc1.bias"] = {"role": "bias"}
    (tmp_path / "map.json").write_text(json.dumps(corrections))
    options = ("--layers", tmp_path / "map.json", "--set", "min_dim=0")
    outcome = htsr("analyze", model, *options, "--json")
    assert outcome.code == 0
    layers = {layer.tensor: layer for layer in Report.from_json(outcome.out).layers}
    assert layers["fc1.weight"].skip_code == "convention"
    assert layers["fc1.weight"].decided == "override: fc1.w*"
    assert layers["fc2.weight"].skipped == "tried apart"
    assert layers["fc1.bias"].role == "bias"


@pytest.mark.parametrize("size", ["9" * 400, f"{'9' * 308}T", "0", "0.9"])
def test_a_size_that_no_machine_has(htsr, size):
    done = htsr("cache", "spectra", "--limit", size)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("htsr: error: --limit '") and ": give a size, such as" in done.err
