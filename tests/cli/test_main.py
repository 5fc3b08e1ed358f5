"""The command as a whole: help, examples, exit codes, streams, completion."""

import contextlib
import io
import json
import os
import re
import shlex
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import typer
from commands import environment, spawn
from conversions import FIXTURES

import htsr_ref
from htsr_ref.analysis.analyzing import Progress
from htsr_ref.cli import output, progress
from htsr_ref.cli.main import app, run
from htsr_ref.cli.progress import progress_bar

ROOT = typer.main.get_command(app)
COMMANDS = {
    (): ROOT,
    **{(name,): command for name, command in ROOT.commands.items()},
    ("conventions", "show"): ROOT.commands["conventions"].commands["show"],
}
by_command = pytest.mark.parametrize(
    "words", COMMANDS, ids=lambda words: " ".join(("htsr", *words))
)


def example(words: tuple[str, ...]) -> str:
    command = COMMANDS[words]
    found = re.search(r"Example: (htsr .*)", f"{command.help}\n{command.epilog}")
    assert found is not None, "the help has no example"
    return found[1]


def test_the_version(htsr):
    for flag in ("--version", "-V"):
        outcome = htsr(flag)
        assert (outcome.code, outcome.err) == (0, "")
        assert outcome.out == f"htsr {htsr_ref.__version__}\n"


def test_without_arguments_the_help_is_shown(htsr):
    outcome = htsr()
    assert "Usage: htsr [OPTIONS] COMMAND" in outcome.out + outcome.err


def test_the_main_commands_are_there():
    assert {"analyze", "describe", "rank", "trend", "validate", "conventions"} <= set(ROOT.commands)


@by_command
def test_help_shows_the_example(htsr, monkeypatch, words):
    monkeypatch.setenv("COLUMNS", "100")
    for flag in ("--help", "-h"):
        outcome = htsr(*words, flag)
        assert outcome.code == 0
        assert f"Usage: {' '.join(('htsr', *words))} " in outcome.out
        assert example(words) in re.sub(r"\s+", " ", outcome.out)


@by_command
def test_the_example_works_as_it_stands(htsr, monkeypatch, tmp_path, examples, words):
    monkeypatch.chdir(tmp_path)
    Path("checkpoints").mkdir()
    for path in examples[:3]:
        shutil.copy(path, "checkpoints")
    shutil.copy(examples[-1], "model.safetensors")
    htsr("analyze", "model.safetensors", "-o", "saved.json", "--cache", "spectra")
    for part in (1, 2) if words == ("merge",) else ():
        htsr("analyze", "model.safetensors", "--part", f"{part}/2", "-o", f"model.{part}.part")
    shutil.copy(FIXTURES / "same" / "pytorch.pt", "model.pt")
    Path("spec").symlink_to(examples[0].parents[1])
    np.savetxt("eigenvalues.txt", np.random.default_rng(0).pareto(1.5, 60) + 1)
    before = set(Path().iterdir())
    piped = ""
    for stage in example(words).split(" | "):
        program, *arguments = shlex.split(stage)
        expanded = [
            word for text in arguments for word in sorted(map(str, Path().glob(text))) or [text]
        ]
        monkeypatch.setattr("sys.stdin", io.StringIO(piped))
        outcome = htsr(*expanded)
        assert program == "htsr"
        complaints = [line for line in outcome.err.splitlines() if "left out: row" not in line]
        assert (outcome.code, complaints) == (0, [])
        piped = outcome.out
    assert piped or set(Path().iterdir()) - before


@pytest.mark.parametrize(
    "arguments", [["frobnicate"], ["analyze"], ["analyze", "--frobnicate"], ["rank"]]
)
def test_wrong_usage_is_bad_input(htsr, arguments):
    outcome = htsr(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(r"htsr: error: .* Usage: `htsr[a-z ]* --help` shows it\n", outcome.err)


def test_an_interrupt_ends_without_a_traceback(htsr, monkeypatch, model):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("htsr_ref.analysis.analyzing.analyze", interrupted)
    outcome = htsr("analyze", model)
    assert (outcome.code, outcome.out) == (130, "")


def test_bad_input_of_the_real_program(tmp_path):
    done = spawn("analyze", "missing.safetensors", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr == (
        b"htsr: error: missing.safetensors: it cannot be read (No such file or directory). "
        b"Check the path\n"
    )


def test_output_is_utf8_in_any_locale(model):
    latin = environment(PYTHONIOENCODING="latin-1", PYTHONUTF8="0", LC_ALL="C")
    table = spawn("analyze", model, env=latin)
    assert (table.returncode, table.stderr) == (0, b"")
    assert "log‖W‖F" in table.stdout.decode("utf-8")


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_file_whose_name_is_not_unicode(htsr, model, tmp_path):
    odd = Path(os.fsdecode(bytes(tmp_path) + b"/\xff.safetensors"))
    try:
        model.rename(odd)
    except OSError:
        pytest.skip("the file system wants Unicode")
    outcome = htsr("analyze", odd, "--json")
    assert outcome.code == 0
    assert json.loads(outcome.out)["source"]["name"] == r"\udcff.safetensors"
    assert r"\udcff.safetensors: safetensors" in htsr("analyze", odd).out


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no pipes of this kind")
def test_a_reader_that_has_gone_is_no_error(model):
    read_end, write_end = os.pipe()
    os.close(read_end)
    try:
        done = spawn("analyze", model, stdout=write_end)
    finally:
        os.close(write_end)
    assert done.stderr == b""
    assert done.returncode == 1


@pytest.mark.slow
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_disk_behind_standard_output(model):
    with Path("/dev/full").open("wb") as full:
        done = spawn("analyze", model, stdout=full)
        printed = [spawn(flag, stdout=full) for flag in ("--help", "--version")]
    for outcome in (done, *printed):
        assert outcome.returncode == 2
        assert outcome.stderr == (
            b"htsr: error: standard output: cannot be written (No space left on device)\n"
        )


def read_all(terminal: int) -> str:
    """Return what was written to a pseudo-terminal whose other end is closed."""
    pieces = []
    with contextlib.suppress(OSError):
        while piece := os.read(terminal, 1 << 16):
            pieces.append(piece)
    os.close(terminal)
    return b"".join(pieces).decode("utf-8")


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
def test_progress_is_shown_on_a_terminal_only(model):
    import pty

    terminal, seen_by_program = pty.openpty()
    done = spawn("analyze", model, stderr=seen_by_program, env=environment(TERM="xterm"))
    os.close(seen_by_program)
    shown = read_all(terminal)
    assert done.returncode == 0
    assert "%" in shown
    assert "done" in shown
    silent = spawn("analyze", model)
    assert (silent.stdout, silent.stderr) == (done.stdout, b"")
    assert b"\x1b" not in silent.stdout


class Terminal(io.StringIO):
    """A terminal as far as its name for itself goes."""

    def isatty(self) -> bool:
        return True


def test_progress_names_the_layer_whatever_it_is_called(monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr("sys.stderr", screen := Terminal())
    with progress_bar("2/9 ") as show:
        show(Progress("fc[/bold]\x1b[1A", 1.0, 4.0))
    assert r"2/9 fc[/bold]\x1b[1A" in screen.getvalue()
    assert "25 %" in screen.getvalue()


@pytest.mark.spec("SCL-27")
def test_without_a_terminal_progress_is_a_line_now_and_then(monkeypatch, capsys):
    monkeypatch.setattr(progress, "MINUTE", 0.01)
    said = ""
    with progress_bar("2/9 ") as show:
        show(Progress("f\nc", 1.0, 4.0))
        while said.count("\n") < 2:
            said += capsys.readouterr().err
    assert re.search(r"^htsr: 2/9 25% after \d s, about \d s left: f\\nc$", said, re.M)


@pytest.mark.spec("SCL-27")
def test_nothing_is_said_where_silence_was_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(progress, "MINUTE", 0.001)
    output.be_quiet(True)
    try:
        with progress_bar() as show:
            show(Progress("fc", 1.0, 4.0))
            time.sleep(0.02)
    finally:
        output.be_quiet(False)
    assert capsys.readouterr().err == ""


def complete(monkeypatch, capsys, text: str) -> list[str]:
    """Return what the zsh completion offers after `text`."""
    monkeypatch.setenv("_HTSR_COMPLETE", "complete_zsh")
    monkeypatch.setenv("_TYPER_COMPLETE_ARGS", text)
    with pytest.raises(SystemExit):
        run()
    return re.findall(r'"([^":]+)"', capsys.readouterr().out)


@pytest.mark.parametrize(
    ("text", "offered"),
    [
        ("htsr analyze --set conv=", {"conv=slices", "conv=group-slices"}),
        ("htsr analyze --set average=l", {"average=layers"}),
        ("htsr rank --set alpha_range=", {"alpha_range=none"}),
        ("htsr describe --set min_dim=", set()),
        ("htsr describe --set nonsense=", set()),
        ("htsr analyze --set min_", {"min_dim=", "min_dim_applies_to="}),
        ("htsr analyze --convention sdm", {"sdm2020", "sdm2020-text"}),
        ("htsr conventions show temp", {"tempbalance"}),
        ("htsr fit --set ks", {"ks=", "ks_model="}),
        ("htsr fit --set ks=", {"ks=one-sided", "ks=two-sided"}),
        ("htsr fit --set min_", set()),
        ("htsr analyze --set estim", {"estimator=mle"}),
        ("htsr analyze --fail-if alpha", {"alpha_hat>"}),
    ],
)
def test_completion(monkeypatch, capsys, text, offered):
    assert offered <= set(complete(monkeypatch, capsys, text))
    if not offered:
        assert complete(monkeypatch, capsys, text) == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        (["htsr", "analyze", "--set", "conv", "="], {"slices", "group-slices"}),
        (["htsr", "analyze", "--set", "conv", "=", "sl"], {"slices"}),
        (["htsr", "analyze", "--set", "min_"], {"min_dim=", "min_dim_applies_to="}),
        (["htsr", "show", "r.json", "--fail-if", "layer", ":", "al"], {"alpha>"}),
        (["htsr", "spectrum", "m.safetensors", "fc"], {"fc1", "fc2"}),
        (["htsr", "analyze", "m.safetensors", "--include", "co"], {"conv"}),
        (["htsr", "spectrum", "none.safetensors", "fc"], set()),
        (["htsr", "spectrum", "model.pt", "fc"], set()),
    ],
)
def test_completion_in_bash_which_cuts_words(htsr, monkeypatch, capsys, model, words, offered):
    monkeypatch.chdir(model.parent)
    model.rename("m.safetensors")
    monkeypatch.setenv("_HTSR_COMPLETE", "complete_bash")
    monkeypatch.setenv("COMP_WORDS", "\n".join(words))
    monkeypatch.setenv("COMP_CWORD", str(len(words) - 1))
    with pytest.raises(SystemExit):
        run()
    found = set(capsys.readouterr().out.split())
    assert offered <= found
    if not offered or "=" in words or ":" in words:
        assert not any("=" in one or ":" in one for one in found)


def test_completion_offers_every_kind_and_no_prose(monkeypatch, capsys):
    offered = complete(monkeypatch, capsys, "htsr analyze --set layer_kinds=")
    assert offered == [f"layer_kinds={kind}" for kind in ("weight", "embedding", "recurrent")]
