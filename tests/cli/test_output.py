"""Where results go: files that are whole or not there at all."""

import os
import tempfile
from pathlib import Path

import pytest
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref import Report, analyze


@pytest.mark.parametrize(
    ("failing", "error", "code"),
    [
        ("write_text", OSError(28, "No space left on device"), 2),
        ("replace", OSError(5, "Input/output error"), 2),
        ("replace", KeyboardInterrupt(), 130),
    ],
)
def test_a_failed_write_leaves_the_old_file(
    htsr, model, tmp_path, monkeypatch, failing, error, code
):
    folder = tmp_path / "results"
    folder.mkdir()
    (folder / "report.json").write_text("old")

    def fails(self, text="", *_, **__):
        if failing == "write_text":
            self.write_bytes(text[:100].encode())
        raise error

    monkeypatch.setattr(Path, failing, fails)
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


def test_an_existing_file_is_replaced_and_a_link_followed(htsr, model, tmp_path):
    (tmp_path / "old.json").write_text("old")
    (tmp_path / "link.json").symlink_to("old.json")
    htsr("analyze", model, "-o", tmp_path / "link.json")
    assert (tmp_path / "link.json").is_symlink()
    assert Report.load(tmp_path / "old.json") == analyze(model)


@pytest.mark.skipif(os.name == "nt", reason="no named pipes")
def test_a_pipe_is_written_to_and_not_replaced(htsr, model, tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    reader = os.open(tmp_path / "pipe.csv", os.O_RDONLY | os.O_NONBLOCK)
    outcome = htsr("analyze", model, "-o", tmp_path / "pipe.csv")
    assert outcome.code == 0
    assert os.read(reader, 10) == b"layer,kind"
    os.close(reader)
    assert (tmp_path / "pipe.csv").is_fifo()


def test_an_output_that_cannot_be_written_is_refused_before_the_work(
    htsr, model, tmp_path, monkeypatch
):
    monkeypatch.setattr("htsr_ref.analysis.analyze", lambda *_, **__: pytest.fail("it worked"))
    (tmp_path / "file").touch()
    for bad, problem in [
        (tmp_path, "it is a folder"),
        (tmp_path / "no" / "report.json", "there is no folder"),
        (tmp_path / "file" / "report.json", "there is no folder"),
        (tmp_path / ("x" * 300) / "r.json", "cannot be written (File name too long)"),
    ]:
        outcome = htsr("analyze", model, "-o", bad)
        assert (outcome.code, outcome.out) == (2, "")
        assert outcome.err.startswith(f"htsr: error: {bad}: {problem}")
        assert outcome.err.count("\n") == 1
    with monkeypatch.context() as denied:
        denied.setattr(os, "access", lambda *_: False)
        outcome = htsr("analyze", model, "-o", tmp_path / "r.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        f"htsr: error: {tmp_path / 'r.json'}: cannot be written (Permission denied)\n"
    )


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
