"""`htsr rank`: the order of models, and what is done with those that cannot be ranked."""

import csv
import io
import json
import re
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from commands import trained
from safetensors.numpy import save_file
from schemas import MODEL_MEANS, SPEC

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.models.standing import alpha_hat_stderr

RANKING = jsonschema.Draft202012Validator(
    json.loads((SPEC / "schemas" / "ranking.schema.json").read_text(encoding="utf-8"))
)
NUMBERS = [name for name in MODEL_MEANS if name != "mean_stable_rank"]


def ranked(table: str) -> list[str]:
    """Names in the first column of the table."""
    return [line.split()[0] for line in table.split("\n\n")[0].splitlines()[2:]]


def as_it_was(report):
    """A report as it was before there were verdicts."""
    for layer in report["layers"]:
        for matrix in layer["matrices"]:
            del matrix["verdict"]
    return report | {"spec_version": "0.2"}


@pytest.fixture
def series(tmp_path, monkeypatch):
    """Three files in their own folder; alpha-hat grows with the scale of the weights (MET-12)."""
    monkeypatch.chdir(tmp_path)
    for name, scale in (("a", 100.0), ("b", 1.0), ("c", 10.0)):
        save_file(trained(scale=scale), f"{name}.safetensors")
    return ["a.safetensors", "b.safetensors", "c.safetensors"]


@pytest.mark.spec("MET-13")
def test_the_smallest_alpha_hat_comes_first(htsr, series):
    outcome = htsr("rank", *series)
    assert (outcome.code, outcome.err) == (0, "")
    assert ranked(outcome.out) == ["b.safetensors", "c.safetensors", "a.safetensors"]
    model = analyze("b.safetensors").model
    row = next(line for line in outcome.out.splitlines() if line.startswith("b."))
    alpha_hat, *others = (f"{getattr(model, name):.3f}" for name in NUMBERS)
    error = f"{alpha_hat_stderr(analyze('b.safetensors')):.3f}"
    assert row.split()[1:] == [alpha_hat, error, *others]
    standing = outcome.out.split("\n\n")[1].splitlines()
    assert standing[2].split() == ["b.safetensors", "2", "0", "0", "0", "2", "0", "0"]
    assert outcome.out.endswith("Convention sdm2020.\n")


@pytest.mark.spec("MET-13")
def test_equal_models_keep_the_order_given_and_undefined_ones_come_last(htsr, series):
    save_file({"fc.weight": np.eye(9)}, "undefined.safetensors")
    save_file(trained(), "twin.safetensors")
    outcome = htsr("rank", "undefined.safetensors", "twin.safetensors", *series)
    assert ranked(outcome.out)[:2] == ["twin.safetensors", "b.safetensors"]
    assert ranked(outcome.out)[-1] == "undefined.safetensors"
    reverse = htsr("rank", *series, "twin.safetensors")
    assert ranked(reverse.out)[:2] == ["b.safetensors", "twin.safetensors"]


@pytest.mark.spec("MET-13", "CNV-3")
def test_csv(htsr, series):
    text = htsr("rank", *series, "--set", "min_dim=0", "--csv").out
    assert htsr("rank", *series, "--set", "min_dim=0", "-o", "ranking.csv").code == 0
    assert Path("ranking.csv").read_text(encoding="utf-8") == text
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["rank"], row["model"]) for row in rows] == [
        ("1", "b.safetensors"),
        ("2", "c.safetensors"),
        ("3", "a.safetensors"),
    ]
    for row in rows:
        model = analyze(row["model"], SDM2020.override({"min_dim": 0})).model
        assert [float(row[name]) for name in NUMBERS] == [getattr(model, name) for name in NUMBERS]
        assert (row["matrices"], row["convention"]) == ("11", "sdm2020 with min_dim = 0")


@pytest.mark.spec("MET-13")
def test_json(htsr, series):
    text = htsr("rank", *series, "--set", "min_dim=0", "--json").out
    assert htsr("rank", *series, "--set", "min_dim=0", "-o", "r.json").code == 0
    assert Path("r.json").read_text(encoding="utf-8") == text
    found = json.loads(text, parse_constant=pytest.fail)
    assert (found["convention"]["min_dim"], found["convention"]["overrides"]) == (0, ["min_dim"])
    assert [(row["rank"], row["model"]) for row in found["models"]] == [
        (1, "b.safetensors"),
        (2, "c.safetensors"),
        (3, "a.safetensors"),
    ]
    for row in found["models"]:
        model = analyze(row["model"], SDM2020.override({"min_dim": 0})).model
        assert [row[name] for name in NUMBERS] == [getattr(model, name) for name in NUMBERS]
        assert row["matrices"] == 11


def test_a_bad_file_does_not_stop_the_others(htsr, series):
    outcome = htsr("rank", "missing.safetensors", *series)
    assert outcome.code == 2
    assert len(ranked(outcome.out)) == 3
    assert outcome.err.startswith("htsr: error: missing.safetensors: it cannot be read")
    assert outcome.err.count("\n") == 1


def test_a_bad_layer_is_said_to_be_missing(htsr, series, broken):
    outcome = htsr("rank", *series, broken)
    assert outcome.code == 1
    assert len(ranked(outcome.out)) == 4
    assert outcome.err == (
        f"htsr: {broken}: layer skipped: tensor 'fc1.weight': entry [3, 7] is nan. "
        "Repair or re-export the checkpoint\n"
    )


@pytest.mark.spec("RPT-2", "MET-13")
def test_reports_are_ranked_as_they_are(htsr, series):
    directly = htsr("rank", *series, "--set", "min_dim=0").out
    for name in series:
        htsr("analyze", name, "--set", "min_dim=0", "-o", f"{name}.json")
    from_reports = htsr("rank", *(f"{name}.json" for name in series))
    assert from_reports.code == 0
    assert re.sub("[ ─]+", " ", from_reports.out).replace(".json", "") == re.sub(
        "[ ─]+", " ", directly
    )


@pytest.mark.spec("MET-13")
def test_different_conventions_are_not_ranked_together(htsr, series):
    htsr("analyze", "a.safetensors", "--set", "ks=two-sided", "-o", "a.json")
    outcome = htsr("rank", "a.json", "b.safetensors")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "htsr: error: b.safetensors and a.json follow different conventions. "
        "Analyze both under one\n"
    )


@pytest.mark.spec("MET-13")
def test_a_report_must_follow_what_is_asked_for(htsr, series):
    for name in series:
        htsr("analyze", name, "--set", "min_dim=0", "--solver", "svd", "-o", f"{name}.json")
    reports = [f"{name}.json" for name in series]
    same = htsr("rank", *reports, "--set", "min_dim=0", "--solver", "svd")
    assert (same.code, same.err) == (0, "")
    for options, made_by, cure in [
        (
            ["--set", "min_dim=7"],
            "it follows sdm2020 with min_dim = 0, not sdm2020 with",
            "the convention",
        ),
        (
            ["--convention", "alphapruning"],
            "it follows sdm2020 with min_dim = 0, not alpha",
            "the convention",
        ),
        (
            ["--convention", "sdm2020"],
            "it follows sdm2020 with min_dim = 0, not sdm2020.",
            "the convention",
        ),
        (["--solver", "gram"], "its solver was svd, not gram. Give its", "out the solver"),
    ]:
        outcome = htsr("rank", *reports, *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"htsr: error: a.safetensors.json: {made_by}")
        assert outcome.err.endswith(f"{cure}\n")
        assert outcome.err.count("\n") == 3
    Path("map.txt").write_text('{"fc1.weight": {"role": "weight"}}')
    outcome = htsr("rank", *reports, "--layers", "map.txt")
    assert (outcome.code, outcome.out) == (2, "")
    assert "--layers describes weight files, and only reports are given" in outcome.err


def test_the_index_of_a_folder_is_no_report(htsr, series):
    text = '{"weight_map": {"fc1.weight": "a.safetensors", "fc2.weight": "b.safetensors"}}'
    Path("m.safetensors.index.json").write_text(text)
    outcome = htsr("rank", "m.safetensors.index.json", "c.safetensors")
    assert (outcome.code, outcome.err) == (0, "")
    assert set(ranked(outcome.out)) == {"m.safetensors.index.json", "c.safetensors"}


def test_a_model_of_which_nothing_was_analysed_is_named(htsr, series):
    np.save("vector.npy", np.ones(3))
    outcome = htsr("rank", *series, "vector.npy")
    assert outcome.code == 1
    assert ranked(outcome.out)[-1] == "vector.npy"
    assert outcome.err.startswith("htsr: vector.npy: no weight matrix was analyzed")


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", '{"spec_version": "99.0"}'])
def test_a_report_that_is_none(htsr, series, tmp_path, text):
    (tmp_path / "r.json").write_text(text)
    outcome = htsr("rank", "r.json", *series)
    assert outcome.code == 2
    assert len(ranked(outcome.out)) == 3
    assert outcome.err.startswith("htsr: error: r.json: not a report")
    assert outcome.err.count("\n") == 1


def test_files_of_one_name_are_told_apart_by_their_folders(htsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for step in (100, 200):
        (tmp_path / f"step-{step}").mkdir()
        save_file(trained(step), f"step-{step}/model.safetensors")
    outcome = htsr("rank", "step-100/model.safetensors", "step-200/model.safetensors")
    assert set(ranked(outcome.out)) == {"step-100/model.safetensors", "step-200/model.safetensors"}


def test_a_shared_folder_is_not_repeated(htsr, tmp_path, series):
    shown = ranked(htsr("rank", *(tmp_path / name for name in series)).out)
    assert shown == ["b.safetensors", "c.safetensors", "a.safetensors"]
    mixed = htsr("rank", tmp_path / "a.safetensors", "b.safetensors").out
    assert ranked(mixed)[0] == "b.safetensors"


def test_long_paths_fit_and_keep_their_numbers(htsr, terminal, tmp_path):
    files = [
        tmp_path / "experiments" / "language" / "pretraining" / f"step-{i}" / "model.safetensors"
        for i in (1000, 2000)
    ]
    for seed, path in enumerate(files):
        path.parent.mkdir(parents=True)
        save_file(trained(seed), path)
    table = htsr("rank", *files).out
    assert max(map(len, table.splitlines())) <= terminal
    assert {re.search(r"step-\d+", name)[0] for name in ranked(table)} == {"step-1000", "step-2000"}


def test_models_of_different_architectures_are_no_series(htsr, series):
    note = "differ in the kind of their layers, not only in size"
    assert note not in htsr("rank", *series).out
    save_file({"blocks.0.weight": np.diag([1.0, 2.0, 4.0, 8.0])}, "other.safetensors")
    assert note in htsr("rank", *series, "other.safetensors").out


@pytest.fixture
def with_noise(series):
    """The series, a Gaussian net of tiny weights, and orthogonal and uniform beginnings."""
    rng = np.random.default_rng(0)
    shapes = {"fc1.weight": (64, 32), "fc2.weight": (40, 64)}
    gaussian = {name: 1e-3 * rng.standard_normal(shape) for name, shape in shapes.items()}
    uniform = {name: rng.uniform(-0.1, 0.1, shape) for name, shape in shapes.items()}
    orthogonal = {
        name: np.ascontiguousarray(np.linalg.svd(array, full_matrices=False)[2])
        for name, array in gaussian.items()
    }
    beginnings = {"noise": gaussian, "uniform": uniform, "orthogonal": orthogonal}
    for name, arrays in beginnings.items():
        save_file(arrays, f"{name}.safetensors")
    return [*series, *(f"{name}.safetensors" for name in beginnings)]


@pytest.mark.spec("VRD-13")
def test_noise_and_untrained_models_stand_apart_first(htsr, with_noise):
    outcome = htsr("rank", *with_noise)
    assert (outcome.code, outcome.err) == (0, "")
    apart, table, _, _ = outcome.out.split("\n\n")
    assert apart.splitlines() == [
        f"not ranked: {name}: 2 of 2 matrices are random-like" for name in with_noise[3:]
    ]
    assert ranked(table) == ["b.safetensors", "c.safetensors", "a.safetensors"]
    everyone = htsr("rank", *with_noise, "--all").out
    assert "not ranked" not in everyone
    assert ranked(everyone)[0] == "noise.safetensors"


@pytest.mark.spec("VRD-8", "VRD-9", "VRD-13", "RPT-1")
def test_every_form_has_the_models_apart(htsr, with_noise):
    text = htsr("rank", *with_noise, "--json").out
    found = json.loads(text, parse_constant=pytest.fail)
    RANKING.validate(found)
    assert [row["model"] for row in found["apart"]] == with_noise[3:]
    assert {row["apart"] for row in found["apart"]} == {"2 of 2 matrices are random-like"}
    assert found["models"][0]["standing"]["coverage"][0] == {
        "kind": "convolution",
        "analyzed": 0,
        "total": 1,
        "left_out": ["below 50"],
    }
    rows = list(csv.DictReader(io.StringIO(htsr("rank", *with_noise, "--csv").out)))
    assert [(row["model"], row["rank"]) for row in rows[:4]] == [
        *((name, "") for name in with_noise[3:]),
        ("b.safetensors", "1"),
    ]
    assert (rows[0]["random-like"], rows[0]["random_like"]) == ("2", "True")
    assert (rows[3]["layers_analyzed"], rows[3]["layers"]) == ("2", "3")
    assert htsr("rank", *with_noise, "-o", "ranking.md").code == 0
    markdown = Path("ranking.md").read_text(encoding="utf-8")
    assert "- not ranked: noise.safetensors: 2 of 2 matrices are random-like\n" in markdown
    alpha_hat = analyze("b.safetensors").model.alpha_hat
    assert f"| b.safetensors | {alpha_hat:.3f} |" in markdown
    assert "0 of 1 convolutions analyzed: the others are below 50" in markdown


@pytest.mark.spec("VRD-17", "RPT-9")
def test_an_earlier_report_without_verdicts_is_ranked(htsr, with_noise):
    for name in with_noise:
        report = json.loads(analyze(name).to_json())
        Path(f"{name}.json").write_text(json.dumps(as_it_was(report)))
    outcome = htsr("rank", *(f"{name}.json" for name in with_noise), "--json")
    assert outcome.code == 0
    found, today = json.loads(outcome.out), json.loads(htsr("rank", *with_noise, "--json").out)
    for part in ("apart", "models"):
        assert [row["standing"] for row in found[part]] == [row["standing"] for row in today[part]]


def test_a_name_that_no_file_can_have_is_named(htsr, series):
    done = htsr("rank", *series, "a\0b")
    assert done.code == 2
    assert "no file can have this name" in done.err


@pytest.mark.spec("VRD-16")
def test_a_file_that_is_given_twice_is_counted_once(htsr, series, tmp_path):
    outcome = htsr("rank", *series, tmp_path / "a.safetensors")
    assert outcome.code == 0
    assert outcome.err == f"htsr: {tmp_path / 'a.safetensors'}: given twice; it is counted once\n"
    assert len(ranked(outcome.out)) == 3


@pytest.mark.spec("VRD-16")
def test_one_model_is_no_series(htsr, series):
    outcome = htsr("rank", series[0])
    assert (outcome.code, outcome.err) == (0, "")
    assert "\nan order needs at least two models that can be compared\n" in outcome.out
