"""`htsr trend`: numbers, forms, and what is said of files and rows without a partner."""

import csv
import io
import json
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest
from commands import tensors, trained
from safetensors.numpy import save_file

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.models.trends import METRICS, fit_trend

EXAMPLES = Path(__file__).parents[2] / "spec" / "examples"


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Six files and their accuracies in two series, 4 + 2."""
    monkeypatch.chdir(tmp_path)
    names = list("abcdef")
    for seed, name in enumerate(names):
        save_file(trained(seed, scale=1.0 + seed), f"{name}.safetensors")
    rows = [f"{name},{60 + 3 * seed},{'T' if seed > 3 else 'S'}" for seed, name in enumerate(names)]
    Path("acc.csv").write_text("model,accuracy,series\n" + "\n".join(rows) + "\n")
    return [f"{name}.safetensors" for name in names]


@pytest.mark.spec("TRD-9", "TRD-10", "TRD-11")
def test_the_example_of_the_help_works_as_it_is(htsr, terminal):
    files = sorted(EXAMPLES.glob("mlp_*.safetensors"))
    outcome = htsr("trend", *files, "--accuracy", EXAMPLES / "accuracy.csv")
    assert outcome.code == 0
    assert outcome.out.startswith("all: 7 models ")
    apart = "mlp_b016_e002.safetensors: 3 of 3 matrices are random-like"
    assert f"\nnot compared: {apart}\n" in outcome.out
    assert max(map(len, outcome.out.splitlines())) <= terminal
    assert outcome.err == (
        f"htsr: left out: row conv_b008_e020.safetensors of {EXAMPLES / 'accuracy.csv'}: "
        "no given file has this name\n"
    )
    lines = {line[:16].strip(): line[16:].split() for line in outcome.out.splitlines()[2:15]}
    with (EXAMPLES / "accuracy.csv").open() as file:
        accuracy = {row["file"]: float(row["test_accuracy"]) for row in csv.DictReader(file)}
    files = [path for path in files if path.name != "mlp_b016_e002.safetensors"]
    alphas = [analyze(path).model.mean_alpha for path in files]
    trend = fit_trend(alphas, [accuracy[path.name] for path in files])
    assert lines["slope"][1] == f"{trend.slope:.3g}"
    assert lines["R²"][1] == f"{trend.r_squared:.3g}"
    assert lines["Kendall τ-b"][1] == f"{trend.kendall.value:.3g}"
    assert lines["below 0"] == ["no", "yes", "no", "no", "no"]


@pytest.mark.spec("TRD-9")
def test_json_holds_models_and_trends_of_every_series(htsr, models):
    outcome = htsr("trend", *models, "--accuracy", "acc.csv", "--set", "min_dim=0", "--json")
    assert (outcome.code, outcome.err) == (0, "")
    data = json.loads(outcome.out)
    assert (data["convention"]["min_dim"], data["resamples"], data["seed"]) == (0, 2000, 0)
    first, second = data["series"]
    assert [model["name"] for model in first["models"] + second["models"]] == list("abcdef")
    convention = SDM2020.override({"min_dim": 0})
    reports = [analyze(name, convention).model for name in models[:4]]
    for metric in METRICS:
        values = [getattr(report, metric) for report in reports]
        assert [model["metrics"][metric] for model in first["models"]] == values
        expected = asdict(fit_trend(values, [60, 63, 66, 69]))
        assert first["trends"][metric] == json.loads(json.dumps(expected))
    assert second["trends"]["alpha_hat"]["null_reasons"]["slope"] == "fewer than 3 models"


@pytest.mark.spec("TRD-9")
def test_csv_holds_the_same_numbers(htsr, models):
    arguments = ("trend", *models, "--accuracy", "acc.csv", "--bootstrap", "100", "--seed", "5")
    data = json.loads(htsr(*arguments, "--json").out)
    assert htsr(*arguments, "-o", "trend.csv").code == 0
    rows = list(csv.DictReader(io.StringIO(Path("trend.csv").read_text())))
    assert [(row["series"], row["metric"]) for row in rows] == [
        (name, metric) for name in "ST" for metric in METRICS
    ]
    for row in rows:
        (series,) = (s for s in data["series"] if s["name"] == row["series"])
        trend = series["trends"][row["metric"]]
        assert row["slope"] == ("" if trend["slope"] is None else repr(trend["slope"]))
        kendall = trend["kendall"] or dict.fromkeys(("value", "p_value", "method"), "")
        found = [row[f"kendall_{part}"] for part in kendall]
        assert found == list(map(str, kendall.values()))
        low, high = trend["slope_range"] or ("", "")
        assert (row["slope_range_low"], row["slope_range_high"]) == (str(low), str(high))
        assert row["convention"] == "sdm2020"


@pytest.mark.spec("TRD-9")
def test_a_dash_has_its_reason(htsr, models):
    table = htsr("trend", *models, "--accuracy", "acc.csv").out
    _, first, _, second, below, *_ = table.split("\n\n")
    assert first.startswith("–: fewer than 5 models")
    assert second.startswith("T: 2 models")
    assert below.splitlines()[0] == "–: fewer than 3 models"


@pytest.mark.spec("TRD-11")
def test_reports_are_taken_as_they_are_and_known_by_their_source(htsr, models):
    directly = htsr("trend", *models, "--accuracy", "acc.csv", "--json").out
    for place, name in enumerate(models):
        htsr("analyze", name, "-o", f"report{place}.json")
    reports = [f"report{place}.json" for place in range(len(models))]
    assert htsr("trend", *reports, "--accuracy", "acc.csv", "--json").out == directly


@pytest.mark.spec("TRD-11")
def test_what_has_no_partner_is_named(htsr, models):
    outcome = htsr("trend", *models[:3], "--accuracy", "acc.csv")
    assert outcome.code == 0
    assert [line.split()[3:7] for line in outcome.err.splitlines()] == [
        ["row", name, "of", "acc.csv:"] for name in "def"
    ]
    save_file(tensors(), "stranger.safetensors")
    outcome = htsr("trend", *models, "stranger.safetensors", "--accuracy", "acc.csv")
    assert outcome.code == 0
    assert outcome.err == "htsr: left out: stranger.safetensors: no row of acc.csv has this name\n"
    outcome = htsr("trend", "stranger.safetensors", "--accuracy", "acc.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith(
        "error: acc.csv: no row has the name of a file. Name rows after the files\n"
    )


@pytest.mark.spec("TRD-9")
def test_different_conventions_are_refused(htsr, models):
    htsr("analyze", models[0], "--set", "ks=two-sided", "-o", "a.json")
    outcome = htsr("trend", "a.json", *models[1:], "--accuracy", "acc.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert "follow different conventions" in outcome.err


def test_bad_files_and_layers_are_said_and_do_not_stop_the_others(htsr, models, broken):
    outcome = htsr("trend", "missing.npz", *models, "--accuracy", "acc.csv")
    assert outcome.code == 2
    assert outcome.err.startswith("htsr: error: missing.npz: it cannot be read")
    assert outcome.out.startswith("S: 4 models")
    outcome = htsr("trend", "missing.npz", "--accuracy", "acc.csv")
    assert (outcome.code, outcome.out) == (2, "")
    Path("acc.csv").write_text(f"model,accuracy\n{Path(broken).stem},1\n")
    outcome = htsr("trend", broken, "--accuracy", "acc.csv")
    assert outcome.code == 1
    assert "layer skipped" in outcome.err


def test_a_bad_table_is_found_before_any_weight_is_read(htsr, models):
    Path("acc.csv").write_text("model,loss\na,1\n")
    outcome = htsr("trend", "missing.npz", "--accuracy", "acc.csv")
    assert outcome.code == 2
    assert outcome.err.startswith("htsr: error: acc.csv: has no column")
    assert outcome.err.count("\n") == 1


@pytest.mark.spec("VRD-8", "VRD-13")
def test_noise_enters_no_trend_in_any_form(htsr, models):
    save_file(tensors(0, scale=1e-3), "a.safetensors")
    arguments = ("trend", *models, "--accuracy", "acc.csv")
    reason = "1 of 1 matrix is random-like"
    data = json.loads(htsr(*arguments, "--json").out)
    (apart,) = data["series"][0]["apart"]
    assert (apart["name"], apart["apart"]) == ("a", reason)
    assert apart["standing"]["verdicts"]["random-like"] == 1
    assert [model["name"] for model in data["series"][0]["models"]] == list("bcd")
    assert data["series"][0]["trends"]["alpha_hat"]["models"] == 3
    rows = list(csv.DictReader(io.StringIO(htsr(*arguments, "--csv").out)))
    assert {row["apart"] for row in rows if row["series"] == "S"} == {f"a: {reason}"}
    assert htsr(*arguments, "-o", "trend.md").code == 0
    markdown = Path("trend.md").read_text(encoding="utf-8")
    assert f"- not compared: a: {reason}\n" in markdown
    assert "| S: 3 models | alpha\\_hat |" in markdown.replace("alpha_hat", "alpha\\_hat")
    assert json.loads(htsr(*arguments, "--all", "--json").out)["series"][0]["apart"] == []


@pytest.mark.spec("TRD-10")
def test_an_accuracy_that_is_no_number_is_one_line(htsr, models):
    Path("acc.csv").write_text("model,accuracy\na,nan\n")
    outcome = htsr("trend", *models, "--accuracy", "acc.csv")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: acc.csv: line 2: accuracy 'nan' is not a number")
    assert outcome.err.count("\n") == 1


@pytest.mark.slow
@pytest.mark.spec("TRD-12")
def test_plot(htsr, models):
    for name in ("one.svg", "two.svg"):
        assert htsr("trend", *models, "--accuracy", "acc.csv", "--plot", name).code == 0
    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()
    assert Path("one.svg").read_bytes().startswith(b"<?xml")


@pytest.mark.spec("TRD-1")
def test_an_undefined_metric_leaves_its_model_out(htsr, models):
    save_file({"fc.weight": np.eye(9)}, "b.safetensors")
    data = json.loads(htsr("trend", *models, "--accuracy", "acc.csv", "--json").out)
    trends = data["series"][0]["trends"]
    assert trends["alpha_hat"]["models"] == 3
    assert trends["mean_log10_spectral_norm"]["models"] == 4
