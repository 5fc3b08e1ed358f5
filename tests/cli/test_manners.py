"""Manners: one style of errors, nearest names, forms that are written, silence on request."""

import json
import re

import pytest
import typer
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref.cli.main import app


@pytest.mark.parametrize(
    ("arguments", "answer"),
    [
        (["analyze", "MODEL", "--convention", "weightwacher"], "Did you mean 'weightwatcher'"),
        (["analyze", "MODEL", "--set", "estimater=mle"], "Did you mean 'estimator'"),
        (["analyze", "MODEL", "--include", "fc3"], "Did you mean 'fc"),
        (["analyze", "MODEL", "--fail-if", "mean_alfa>3"], "Did you mean 'mean_alpha'"),
        (["analyze", "MODEL", "--fail-if", "layer:alfa>3"], "Did you mean 'alpha'"),
        (["spectrum", "MODEL", "fc3"], "Did you mean 'fc"),
        (["synth", "--ensemble", "paretto", "--shape", "9x9", "x.h5"], "Did you mean 'pareto'"),
        (["trend", "MODEL", "--accuracy", "acc.csv", "--column", "acuracy"], "mean 'accuracy'"),
        (["audit", "MODEL", "acc.csv", "--map", "acuracy=alpha"], "Did you mean 'accuracy'"),
        (["audit", "MODEL", "acc.csv", "--map", "accuracy=alfa"], "Did you mean 'alpha'"),
        (["analize", "MODEL"], "Did you mean 'analyze'"),
        (["conventions", "shwo"], "Did you mean 'show'"),
    ],
)
def test_names_nearly_right_are_answered(htsr, monkeypatch, tmp_path, model, arguments, answer):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "acc.csv").write_text("model,accuracy\nmodel,1\n")
    outcome = htsr(*(str(model) if word == "MODEL" else word for word in arguments))
    assert (outcome.code, outcome.out) == (2, "")
    assert re.fullmatch(r"htsr: error: [^\n]*\n", outcome.err)
    assert answer in outcome.err


@pytest.mark.parametrize("suffix", [".xlsx", ".parquet", ".html", ".JSONL"])
def test_suffixes_that_are_not_written(htsr, model, tmp_path, suffix):
    outcome = htsr("analyze", model, "-o", tmp_path / f"r{suffix}")
    assert outcome.code == 2
    assert f"{suffix.lower()} is not written. Name it .json, .csv, .md, or .txt" in outcome.err
    assert list(tmp_path.iterdir()) == [model]


@pytest.mark.parametrize(("flag", "suffix"), [("--csv", ".json"), ("--json", ".md")])
def test_a_suffix_that_contradicts_the_form(htsr, model, tmp_path, flag, suffix):
    outcome = htsr("analyze", model, flag, "-o", tmp_path / f"r{suffix}")
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [model])
    assert f"{flag} is no {suffix}. Name it .{flag[2:]}" in outcome.err


@pytest.mark.parametrize("name", ["x.pt", "x.npz", "x"])
def test_weights_are_written_in_two_formats(htsr, model, tmp_path, name):
    outcome = htsr("convert", model, "-o", tmp_path / name)
    assert (outcome.code, list(tmp_path.iterdir())) == (2, [model])
    assert "End it in .safetensors or .h5" in outcome.err


def test_a_saved_report_is_shown_in_every_form(htsr, model, tmp_path):
    saved = tmp_path / "r.json"
    htsr("analyze", model, "-o", saved)
    for flags in ([], ["--json"], ["--csv"], ["--csv", "--per", "layer"], ["--markdown"]):
        assert htsr("show", saved, *flags).out == htsr("analyze", model, *flags).out
    theirs = ["--csv", "--columns", "weightwatcher"]
    assert htsr("show", saved, *theirs).out == htsr("analyze", model, *theirs).out
    assert htsr("show", saved, "-o", tmp_path / "t.csv").code == 0
    assert (tmp_path / "t.csv").read_text().startswith("layer,role,")
    assert htsr("show", saved, "-o", saved).code == 2


def test_gates_of_a_saved_report(htsr, model, tmp_path):
    htsr("analyze", model, "-o", tmp_path / "r.json")
    outcome = htsr("show", tmp_path / "r.json", "--fail-if", "layer:stable_rank>0.5")
    assert outcome.code == 1
    assert re.search(r"check failed: layer:stable_rank > 0.5: fc1 is .*, fc2 is ", outcome.err)
    assert htsr("show", tmp_path / "r.json", "--fail-if", "layer:stable_rank>1e3").code == 0


def test_silence(htsr, model, broken):
    loud, quiet = htsr("analyze", broken), htsr("analyze", broken, "--quiet")
    assert loud.err
    assert (quiet.code, quiet.out, quiet.err) == (1, loud.out, "")
    assert htsr("rank", broken, model, "-q").err == ""
    assert htsr("analyze", "none.npz", "--quiet").err.startswith("htsr: error: none.npz: ")
    assert htsr("analyze", broken).err == loud.err


def test_help_of_a_command(htsr, monkeypatch):
    monkeypatch.setenv("COLUMNS", "100")
    assert htsr("help", "analyze").out == htsr("analyze", "--help").out
    assert htsr("help", "conventions", "show").out == htsr("conventions", "show", "-h").out
    assert htsr("help").out == htsr("--help").out
    assert htsr("help", "analize").code == 2
    text = htsr("help", "analyze").out
    assert "bool" not in text
    for group in ("What is analyzed", "Whose choices", "Output", "What makes the exit code 1"):
        assert f"─ {group} ─" in text


def test_conventions_are_listed_either_way(htsr):
    assert htsr("conventions", "list").out == htsr("conventions").out


def test_one_file_per_model(htsr, tmp_path):
    for seed in range(2):
        save_file(tensors(seed), tmp_path / f"{seed}.safetensors")
    out = tmp_path / "rank.parquet"
    outcome = htsr("rank", *sorted(tmp_path.glob("*.safetensors")), "-o", out)
    assert (outcome.code, out.exists()) == (2, False)
    saved = htsr("rank", *sorted(tmp_path.glob("*.safetensors")), "--json")
    found = json.loads(saved.out)
    assert len(found["models"]) + len(found["apart"]) == 2


def _commands(command=None, words=()):
    """Every command, by the words that call it."""
    command = command or typer.main.get_command(app)
    yield words, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from _commands(inner, (*words, name))


def test_help_shows_every_word_as_it_was_written(htsr, monkeypatch):
    monkeypatch.setattr(typer.rich_utils, "MAX_WIDTH", 500)
    for words, command in _commands():
        shown = " ".join(htsr(*words, "--help").out.split())
        written = [command.help, command.epilog, *(p.help for p in command.params)]
        for paragraph in filter(None, "\n\n".join(filter(None, written)).split("\n\n")):
            assert " ".join(paragraph.split()) in shown
        assert "<list[" not in shown
        assert "<int range>" not in shown
    assert "Needs htsr-ref[dask]." in " ".join(htsr("analyze", "--help").out.split())


@pytest.mark.parametrize("arguments", [["--gof"], ["--nosuch"], ["--jobs", "0"]])
def test_a_wrong_option_names_the_help_of_its_command(htsr, model, arguments):
    outcome = htsr("analyze", model, *arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.endswith("Usage: `htsr analyze --help` shows it\n")
