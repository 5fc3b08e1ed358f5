"""The README keeps its promises; `test_documents.py` runs its other commands."""

import contextlib
import csv
import io
import re
from pathlib import Path

import pytest
from published_tables import read_table
from shown import blocks, is_shown

from htsr_ref.models.trends import fit_trend

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.slow
def test_the_ranking_shown_is_the_one_that_is_printed(htsr):
    files = sorted(ROOT.glob("spec/examples/mlp_*.safetensors"))
    shown = next(block for block in blocks(README, "text") if block.startswith("not ranked: "))
    assert is_shown(shown, htsr("rank", *files))


@pytest.mark.slow
def test_the_audit_shown_is_the_one_that_is_printed(htsr):
    example = ROOT / "spec" / "examples" / "conv_b008_e020.safetensors"
    shown = next(block for block in blocks(README, "text") if block.startswith("mean over layers"))
    found = htsr("audit", example, example.with_name("conv_b008_e020_weightwatcher.csv"))
    assert found.code == 0
    assert shown in found.out


def test_the_two_commands_are_one_line_each():
    main_job, tests = blocks(README, "sh")
    assert main_job.count("\n") == tests.count("\n") == 1
    assert "htsr rank spec/examples/mlp_*.safetensors" in main_job
    assert "pytest" in tests


def test_the_python_example_runs_and_prints_what_its_comments_say():
    (example,) = blocks(README, "python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})  # Our own README.
    shown = re.findall(r"^print\(.*\)  # (.*)$", example, flags=re.MULTILINE)
    lines = printed.getvalue().splitlines()
    for text, line in zip(shown, lines, strict=True):
        pattern = re.escape(text).replace("…", r"[\d.e-]*")
        assert re.fullmatch(pattern, line), line


def row(start: str) -> str:
    """Return the row of the table of series that begins so."""
    return next(line for line in README.splitlines() if line.startswith(f"| {start}"))


def number(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".replace("-", "−")


@pytest.mark.parametrize(("series", "count", "digits"), [("VGG", 8, 4), ("DenseNet", 4, 2)])
def test_the_published_series_run_as_it_says(series, count, digits):
    table = [each for each in read_table("sdm2020/models.csv") if each["series"] == series]
    alpha_hat, accuracy = (
        [float(each[name]) for each in table] for name in ("alpha_hat", "top1_accuracy")
    )
    tau = fit_trend(alpha_hat, accuracy, resamples=10).kendall
    p_value = number(tau.p_value, digits).removeprefix("0")
    assert len(table) == count
    assert f"| {number(tau.value, 2)}, p {p_value} |" in row(f"{count} {series}s")


def test_the_trainings_run_as_it_says():
    with (ROOT / "spec" / "experiments" / "monitoring_runs.csv").open(encoding="utf-8") as file:
        runs = [run for run in csv.DictReader(file) if run["metric"] == "alpha_hat"]
    wrong_way = sum(float(run["tau_rise"]) > 0 for run in runs)
    assert f"above 0 in {wrong_way} |" in row(f"{len(runs)} trainings")


@pytest.mark.slow
def test_the_example_networks_run_as_it_says():
    import htsr_ref

    folder = ROOT / "spec" / "examples"
    with (folder / "accuracy.csv").open(encoding="utf-8") as file:
        accuracy = {each["file"]: float(each["test_accuracy"]) for each in csv.DictReader(file)}
    models = htsr_ref.rank(sorted(folder.glob("mlp_*.safetensors"))).models
    ranked = [model.report for model in models if model.rank is not None]
    tau = fit_trend(
        [report.model.alpha_hat for report in ranked],
        [accuracy[Path(report.source.name).name] for report in ranked],
        resamples=10,
    ).kendall
    shown = f"| +{tau.value:.2f}, p {number(tau.p_value, 3).removeprefix('0')} |"
    assert shown in row(f"{len(ranked)} perceptrons")


def test_files_that_it_names_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
