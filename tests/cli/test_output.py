"""Where results go: files that are whole or not there at all."""

import os
import tempfile
from pathlib import Path

import pytest
from commands import tensors
from safetensors.numpy import save_file


@pytest.mark.spec("FMT-7")
@pytest.mark.parametrize(
    ("failing", "error", "code"),
    [
        ("os.write", OSError(28, "No space left on device"), 2),
        ("pathlib.Path.replace", OSError(5, "Input/output error"), 2),
        ("pathlib.Path.replace", KeyboardInterrupt(), 130),
    ],
)
def test_a_failed_write_leaves_the_old_file(
    htsr, model, tmp_path, monkeypatch, failing, error, code
):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "report.json").write_text("old")

    def fails(*_):
        raise error

    monkeypatch.setattr(failing, fails)
    outcome = htsr("analyze", model, "-o", folder / "report.json")
    assert (outcome.code, outcome.out) == (code, "")
    assert [path.name for path in folder.iterdir()] == ["report.json"]
    assert (folder / "report.json").read_text() == "old"
    if code == 2:
        assert outcome.err == (
            f"htsr: error: {folder / 'report.json'}: cannot be written ({error.strerror})\n"
        )


def test_a_written_file_is_as_public_as_any(htsr, model, tmp_path):
    (tmp_path / "plain").touch()
    htsr("analyze", model, "-o", tmp_path / "report.json")
    assert (tmp_path / "report.json").stat().st_mode == (tmp_path / "plain").stat().st_mode


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    htsr, model, tmp_path, monkeypatch
):
    monkeypatch.setattr(
        "htsr_ref.analysis.analyzing.analyze", lambda *_, **__: pytest.fail("it worked")
    )
    (tmp_path / "file").touch()
    for bad, problem in [
        (tmp_path / "no" / "report.json", "there is no folder"),
        (tmp_path / "file" / "report.json", "there is no folder"),
        (tmp_path / ("x" * 300) / "r.json", "cannot be written (File name too long)"),
    ]:
        outcome = htsr("analyze", model, "-o", bad)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"htsr: error: {bad}: {problem}")
        assert outcome.err.count("\n") == 1
    outcome = htsr("rank", model, "-o", tmp_path)
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == f"htsr: error: {tmp_path}: it is a folder. Name a file in it\n"
    with monkeypatch.context() as denied:
        denied.setattr(os, "access", lambda *_: False)
        outcome = htsr("analyze", model, "-o", tmp_path / "r.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"htsr: error: {tmp_path / 'r.json'}: cannot be written (Permission denied)\n"
    )


def test_no_input_is_overwritten(htsr, model, tmp_path):
    report, sample = tmp_path / "r.json", tmp_path / "x.txt"
    table, corrections = tmp_path / "acc.csv", tmp_path / "map.json"
    assert htsr("analyze", model, "-o", report).code == 0
    sample.write_text("1 2 3 5 8")
    table.write_text(f"model,accuracy\n{model.stem},1\n")
    corrections.write_text('{"fc1.weight": {"role": "weight"}}')
    (tmp_path / "link").symlink_to(model)
    (tmp_path / "hard").hardlink_to(model)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    trend = ("trend", model, "--accuracy", table)
    for output, *command in [
        (model, "analyze", model),
        (tmp_path / "link", "analyze", model),
        (tmp_path / "hard", "analyze", model),
        (model, "analyze", tmp_path),
        (corrections, "analyze", model, "--layers", corrections),
        (model, "spectrum", model, "fc1"),
        (sample, "fit", sample),
        (model, "rank", report, model),
        (report, "diff", report, model),
        (table, *trend),
        (report, "audit", model, report),
    ]:
        outcome = htsr(*command, "-o", output)
        assert (outcome.code, outcome.out) == (2, "")
        reads = "the command reads it. Name another file to write to\n"
        if output.suffix == ".safetensors":
            reads = ".safetensors is not written. Name it .json, .csv, .md, or .txt for a table\n"
        assert outcome.err == f"htsr: error: {output}: {reads}"
    for command in (trend, ("fit", table)):
        assert htsr(*command, "--plot", table).code == 2
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


@pytest.mark.parametrize("command", ["analyze", "convert", "describe"])
def test_no_setting_beside_the_weights_is_overwritten(htsr, tmp_path, command):
    model, config = tmp_path / "model.safetensors", tmp_path / "config.json"
    save_file(tensors(), model)
    config.write_text("{}")
    for given in (tmp_path, model):
        assert "the command reads it" in htsr(command, given, "-o", config).err
    assert config.read_text() == "{}"


def test_no_weights_of_a_folder_are_overwritten(htsr, tmp_path):
    shard = tmp_path / "variables" / "variables.data-00000-of-00001"
    shard.parent.mkdir()
    shard.write_bytes(b"weights")
    assert "the command reads it" in htsr("convert", tmp_path, "-o", shard).err
    assert shard.read_bytes() == b"weights"


def test_no_file_of_a_folder_of_shards_is_overwritten(htsr, tmp_path):
    shard, index = tmp_path / "a.safetensors", tmp_path / "model.safetensors.index.json"
    save_file(tensors(), shard)
    index.write_text('{"weight_map": {"fc1.weight": "a.safetensors"}}')
    for given in (tmp_path, index):
        for output, why in ((shard, "is not written"), (index, "the command reads it")):
            assert why in htsr("analyze", given, "-o", output).err
        for _ in range(2):
            assert htsr("analyze", given, "-o", tmp_path / "report.json").code == 0


@pytest.fixture
def foreign_folder(htsr, model):
    """A folder with a weight file in it; neither may be touched by the user we become."""
    htsr("analyze", model)  # Imports what is needed while it can still be read.
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        save_file(tensors(), folder / "model.safetensors")
        (folder / "model.safetensors").chmod(0o000)
        folder.chmod(0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        yield folder
        if os.getuid() == 0:
            os.seteuid(0)
        folder.chmod(0o755)


@pytest.mark.skipif(os.name == "nt", reason="no users of this kind")
def test_no_permission(htsr, foreign_folder):
    read = htsr("analyze", foreign_folder / "model.safetensors")
    assert (read.code, read.out) == (2, "")
    assert read.err == (
        f"htsr: error: {foreign_folder / 'model.safetensors'}: it cannot be read (Permission "
        "denied). Give yourself permission to read it\n"
    )
    write = htsr("analyze", foreign_folder, "-o", foreign_folder / "report.json")
    assert (write.code, write.out, write.err.count("\n")) == (2, "", 1)
