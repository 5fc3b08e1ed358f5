"""Functions of the interface do what their commands do, with files, arrays and reports."""

import json
from pathlib import Path

import numpy as np
import pytest
from commands import tensors

import htsr_ref
from htsr_ref import HtsrError, Ranking, Report

EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"


@pytest.fixture(scope="module")
def models() -> list[Path]:
    return sorted(EXAMPLES.glob("mlp_b*_e050.safetensors"))[:3]


REPLICAS = {"gof": 10, "bootstrap": 10, "seed": 4}


def as_json(htsr, *arguments: object) -> object:
    return json.loads(htsr(*arguments, "--json").out)


def test_describe_spectrum_and_validate(htsr, models):
    described = htsr_ref.describe(models[0])
    assert as_json(htsr, "describe", models[0]) == json.loads(described.to_json())
    assert htsr("describe", models[0]).out == str(described)
    found = htsr_ref.spectrum(models[0], "fc2")
    printed = htsr("spectrum", models[0], "fc2").out.splitlines()[1:]
    assert [float(line) for line in printed] == found.positive.tolist()
    assert htsr_ref.validate(models[0]).faults == ()
    with pytest.raises(HtsrError, match=r"4 layers have matrices. Name one"):
        htsr_ref.spectrum(models[0])
    with pytest.raises(HtsrError, match=r"has no matrix 1\. It has matrices 0 to 0"):
        htsr_ref.spectrum(models[0], "fc2", 1)


def test_rank_takes_files_arrays_and_reports(htsr, models, tmp_path):
    saved = tmp_path / "r.json"
    saved.write_text(htsr_ref.analyze(models[1]).to_json())
    given = {
        "file": models[0],
        "saved": str(saved),
        "report": htsr_ref.analyze(models[2]),
        "arrays": tensors(),
    }
    assert {report.source.name for report in ranked(htsr_ref.rank(given))} == set(given)
    found = htsr_ref.rank(models)
    assert json.loads(found.to_json()) == as_json(htsr, "rank", *models)
    assert htsr("rank", *models).out == str(found)
    assert repr(found).startswith("<Ranking of ")
    for nothing in ([], {}):
        with pytest.raises(HtsrError, match="no model to compare"):
            htsr_ref.rank(nothing)
    with pytest.raises(HtsrError, match="not one path"):
        htsr_ref.rank(str(models[0]))
    with pytest.raises(HtsrError, match="it follows sdm2020, not weightwatcher"):
        htsr_ref.rank([given["report"]], "weightwatcher")


def ranked(found: Ranking) -> list[Report]:
    return [model.report for model in (*found.apart, *found.models)]


def test_trend_takes_accuracies_by_name_or_as_a_file(htsr, models):
    table = EXAMPLES / "accuracy.csv"
    command = as_json(htsr, "trend", *models, "--accuracy", table)
    found = htsr_ref.trend(models, table)
    assert json.loads(found.to_json()) == command
    assert htsr("trend", *models, "--accuracy", table).out == str(found)
    assert repr(found) == "<TrendReport of 3 models in 1 series>"
    by_name = dict(zip("abc", models, strict=True))
    found = htsr_ref.trend(by_name, {"a": 0.9, "b": 0.8, "c": 0.7})
    assert found.series[0].trends["alpha_hat"].models == 3
    with pytest.raises(HtsrError, match="c: it has no accuracy"):
        htsr_ref.trend(by_name, {"a": 0.9, "b": 0.8})


def test_diff_follows_the_report_that_is_given(htsr, models):
    command = as_json(htsr, "diff", models[0], models[1])
    found = htsr_ref.diff(models[0], models[1])
    assert json.loads(found.to_json()) == command
    assert htsr("diff", models[0], models[1]).out == str(found)
    assert repr(found).endswith(": 4 layers>")
    theirs = htsr_ref.analyze(models[0], "weightwatcher")
    assert htsr_ref.diff(theirs, models[0]).identical
    assert htsr_ref.diff(models[0], theirs).convention.name == "weightwatcher-0.7.7"


def test_audit(htsr):
    weights = EXAMPLES / "conv_b008_e020.safetensors"
    table = EXAMPLES / "conv_b008_e020_weightwatcher.csv"
    command = as_json(htsr, "audit", weights, table)
    found = htsr_ref.audit(weights, table)
    assert json.loads(found.to_json()) == command
    assert htsr("audit", weights, table).out == str(found)
    assert repr(found).endswith(": 0 unexplained, 2 known fault, 0 explained, 94 reproduced>")


def test_fit_sample_is_what_the_command_does(htsr, tmp_path):
    sample = np.random.default_rng(3).pareto(1.7, 200) + 1
    np.save(tmp_path / "x.npy", sample)
    for options, arguments in [
        ([], {}),
        (["--ks", "one-sided", "--xmin", "2"], {"ks": "one-sided", "xmin": 2.0}),
        (["--law", "lognormal"], {"law": "lognormal"}),
        (["--convention", "tempbalance"], {"convention": "tempbalance"}),
        (["--gof", "10", "--bootstrap", "10", "--seed", "4"], REPLICAS),
    ]:
        found = htsr_ref.fit_sample(sample, name="x.npy", **arguments)
        assert as_json(htsr, "fit", tmp_path / "x.npy", *options) == json.loads(found.to_json())
        assert htsr_ref.fit_sample(tmp_path / "x.npy", **arguments).fit == found.fit
    with pytest.raises(HtsrError, match="law gives a fit alone"):
        htsr_ref.fit_sample(sample, law="lognormal", gof=5)
    with pytest.raises(HtsrError, match=r"key names an array of an \.npz"):
        htsr_ref.fit_sample(sample, key="x")


@pytest.mark.usefixtures("scripts_here")
def test_what_is_known_of_synthetic_weights(tmp_path):
    path = tmp_path / "known.h5"
    htsr_ref.synth(path, "pareto", (64, 32), layers=4, seed=1, mu=1.5)
    check = htsr_ref.check_expected(htsr_ref.analyze(path), path)
    assert (check.met, check.misses) == (4, ()) or check.met > 4
    before = path.read_bytes()
    htsr_ref.synth(path, "pareto", (64, 32), layers=4, seed=1, mu=1.5)
    assert path.read_bytes() == before
    np.save(tmp_path / "mine.npy", np.eye(3))
    with pytest.raises(HtsrError, match="it exists, and `htsr synth` did not write it"):
        htsr_ref.synth(tmp_path / "mine.npy", "gaussian", (9, 9))


def test_two_models_in_one(tmp_path):
    first, second = tensors(0), tensors(1)
    change = {name: first[name].astype(float) - second[name] for name in first}
    found = htsr_ref.analyze(first, "sdm2020-text", minus=second)
    expected = htsr_ref.analyze(change, "sdm2020-text")
    assert found.source.base.relation == "minus"
    for one, other in zip(found.analyzed(), expected.analyzed(), strict=True):
        assert one.means["lambda_max"] == pytest.approx(other.means["lambda_max"], rel=1e-12)
    with pytest.raises(HtsrError, match="Choose one"):
        htsr_ref.analyze(first, minus=second, base=second)
    opened = htsr_ref.open_weights(first)
    with pytest.raises(HtsrError, match="corrections come too late"):
        htsr_ref.analyze(opened, layers={"fc1": {"skip": "no"}})
