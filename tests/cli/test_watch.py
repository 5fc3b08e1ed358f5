"""`htsr watch`: what is shown, written and returned while checkpoints appear."""

import csv
import io
import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import environment, tensors, trained
from safetensors.numpy import save_file

from htsr_ref import Report, analyze, over_time
from htsr_ref.runs.course_forms import WHAT_IT_TELLS


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A folder with checkpoints of noise, then of something learned."""
    monkeypatch.chdir(tmp_path)
    folder = Path("run")
    folder.mkdir()
    save_file(tensors(), folder / "step-0.safetensors")
    for step in (10, 200):
        save_file(trained(step, scale=1 + step / 100), folder / f"step-{step}.safetensors")
    monkeypatch.setattr("time.sleep", lambda _: None)
    return folder


def end_after(looks, error, monkeypatch):
    """Let a signal arrive in a pause between looks."""
    left = iter(range(looks))

    def sleep(_):
        if next(left, None) is None:
            raise error

    monkeypatch.setattr("time.sleep", sleep)


@pytest.mark.spec("WCH-4")
def test_a_line_per_checkpoint_and_what_became_of_the_numbers(htsr, run):
    outcome = htsr("watch", run, "--once")
    assert (outcome.code, outcome.err) == (0, "")
    lines, rest = outcome.out.split("\n\n", 1)
    expected = [analyze(run / f"step-{step}.safetensors").model for step in (0, 10, 200)]
    for line, step, model in zip(lines.splitlines(), (0, 10, 200), expected, strict=True):
        assert line.startswith(f"step {step}: alpha_hat {model.alpha_hat:.3f} ± ")
        assert f", alpha {model.mean_alpha:.3f}, log‖W‖F " in line
        assert line.endswith(f" (step-{step}.safetensors)")
    assert rest.startswith("over the run ")
    assert WHAT_IT_TELLS in rest


@pytest.mark.spec("WCH-6", "TRD-13")
def test_json_csv_and_the_file_hold_the_same_numbers(htsr, run):
    outcome = htsr("watch", run, "--once", "--json", "-o", "series.json")
    assert outcome.code == 0
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    assert outcome.err == f"htsr: {WHAT_IT_TELLS}\n"
    rows = list(csv.DictReader(io.StringIO(htsr("watch", run, "--once", "--csv", "-q").out)))
    assert [line["step"] for line in lines] == [0, 10, 200] == [int(row["step"]) for row in rows]
    assert [repr(line["alpha_hat"]) for line in lines] == [row["alpha_hat"] for row in rows]
    series = json.loads(Path("series.json").read_text())
    for line, point in zip(lines, series["points"], strict=True):
        assert point["measures"].items() <= line.items()
        path = run / line["checkpoint"]
        assert line["alpha_hat"] == analyze(path).model.alpha_hat
    assert series["drifts"]["random_like_share"]["kendall"] == pytest.approx(-((2 / 3) ** 0.5))


@pytest.mark.spec("WCH-6", "TRD-13")
def test_reports_can_be_read_again(htsr, run):
    assert htsr("watch", run, "--once", "--reports", "reports", "-q").code == 0
    names = sorted(path.name for path in Path("reports").iterdir())
    assert names == [f"000{i + 1}-step-{s}.safetensors.json" for i, s in enumerate((0, 10, 200))]
    report = Report.load(Path("reports") / names[1])
    assert report.model == analyze(run / "step-10.safetensors").model
    found = json.loads(htsr("trend", *Path("reports").iterdir(), "--time", "--json").out)
    finished = over_time({path.name: path for path in run.iterdir()})
    assert found["drifts"] == json.loads(finished.to_json())["drifts"]
    assert [point["step"] for point in found["points"]] == [0, 10, 200]


@pytest.mark.spec("WCH-5")
@pytest.mark.parametrize(
    ("options", "code", "steps", "said"),
    [
        (["--until", "since-greatest:random_like_share>=2"], 0, [0, 10, 200], "share is 2"),
        (["--until", "random_like_share<1"], 0, [0, 10], "ended: step-10.safetensors: random_like"),
        (["--fail-if", "layer:stable_rank>0"], 1, [0], "check failed: step-0.safetensors: layer:"),
        (["--fail-if", "layers>0", "--until", "layers>0"], 1, [0], "check failed: step-0"),
    ],
)
def test_rules_end_it(htsr, run, options, code, steps, said):
    outcome = htsr("watch", run, "--json", *options)
    assert outcome.code == code
    assert [json.loads(line)["step"] for line in outcome.out.splitlines()] == steps
    assert said in outcome.err


@pytest.mark.spec("RPT-7")
def test_a_gate_on_alpha_hat_is_about_a_convention(htsr, run):
    rule = ("watch", run, "--csv", "--until", "alpha_hat<1e9")
    assert "warning: alpha_hat depends on the convention" in htsr(*rule).err
    assert "warning" not in htsr(*rule, "--convention", "sdm2020").err


@pytest.mark.spec("WCH-4", "WCH-6")
@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_an_interrupt_ends_it_with_a_summary(htsr, run, monkeypatch, error, code):
    end_after(3, error, monkeypatch)
    outcome = htsr("watch", run, "-o", "series.md")
    assert outcome.code == code
    assert outcome.out.count("step ") >= 3
    assert outcome.out.rstrip().endswith("Convention sdm2020.")
    assert Path("series.md").read_text().count("| step-") == 3


@pytest.mark.spec("WCH-4")
def test_a_terminal_shows_a_table_that_is_drawn_again(htsr, run, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    (run / "junk").write_bytes(b"no weights")
    outcome = htsr("watch", run, "--once")
    drawn = outcome.out.split("\x1b[2K")
    assert "waiting for checkpoints; Ctrl-C ends" in drawn[0]
    assert any("analyzing step-10.safetensors: " in text for text in drawn)
    assert outcome.err.startswith("htsr: not read: run/junk: ")
    last = drawn[-1]
    rows = [line.split() for line in last.splitlines() if line.startswith("step-")]
    assert [step for _, step, *_ in rows] == ["0", "10", "200"]
    assert max(map(len, last.splitlines()[1:])) <= 80
    assert "waiting" not in last
    assert all(text.count("\n") < 24 for text in drawn[:-1])


@pytest.mark.spec("WCH-5")
def test_bad_layers_and_nothing_at_all(htsr, run, broken):
    broken.rename(run / "step-300.safetensors")
    outcome = htsr("watch", run, "--once")
    assert outcome.code == 1
    assert "htsr: step-300.safetensors: layer skipped: " in outcome.err
    np.savez(run / "step-400.npz", bias=np.zeros(3))
    assert "step-400.npz: no weight matrix was analyzed" in htsr("watch", run, "--once").err
    Path("empty").mkdir()
    outcome = htsr("watch", "empty", "--once")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith("empty: no checkpoint could be analyzed. Check the path\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--until", "layer:alpha>3"], "Name a number of the model"),
        (["-o", "series.xlsx"], ".xlsx is not written"),
        (["--reports", "file/reports"], "no folder for reports can be made"),
        (["--json", "--csv"], "choose one of --json and --csv"),
    ],
)
def test_bad_options_are_found_before_it_waits(htsr, run, options, said):
    Path("file").touch()
    outcome = htsr("watch", run, *options)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("htsr: error: ")
    assert said in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.spec("WCH-4")
def test_help_says_what_it_can_tell(htsr, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    text = " ".join(htsr("watch", "--help").out.split())
    assert "What this can tell" in text
    assert "spec/experiments/monitoring.md" in text


@pytest.mark.slow
@pytest.mark.spec("WCH-4")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_signals_end_the_real_program_with_a_summary(tmp_path, number, code):
    save_file(trained(), tmp_path / "step-1.safetensors")
    command = [sys.executable, "-m", "htsr_ref.cli.start", "watch", tmp_path, "--interval", "0.05"]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment()
    ) as process:
        assert process.stdout.readline().startswith("step 1: alpha_hat ")
        process.send_signal(number)
        out, err = process.communicate(timeout=600)  # only so that one that hangs ends at last
    assert (process.returncode, err) == (code, "")
    assert out.startswith("\nover the run ")


@pytest.mark.spec("TRD-13", "TRD-15")
def test_trend_over_time(htsr, run):
    outcome = htsr("trend", *run.iterdir(), "--time")
    assert outcome.code == 0
    assert [line.split()[1] for line in outcome.out.splitlines()[2:5]] == ["0", "10", "200"]
    for options, said in (
        ([], "Give --accuracy CSV, or --time"),
        (["--time", "--accuracy", "a.csv"], "Choose one"),
        (["--time", "--column", "a"], "--column names accuracies"),
    ):
        outcome = htsr("trend", *run.iterdir(), *options)
        assert (outcome.code, outcome.out) == (2, "")
        assert said in outcome.err
    assert htsr("trend", "none.npz", "--time").code == 2


@pytest.mark.slow
@pytest.mark.spec("TRD-15")
def test_the_figure_is_the_same_each_time(htsr, run):
    for name in ("one.svg", "two.svg"):
        assert htsr("trend", *run.iterdir(), "--time", "--plot", name).code == 0
    assert Path("one.svg").read_bytes() == Path("two.svg").read_bytes()
