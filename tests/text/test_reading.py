"""RPT-10, RPT-2: what is read as text, whatever it holds."""

import os
from pathlib import Path

import fuzz_text
import pytest

from htsr_ref.text import reading


@pytest.mark.slow
@pytest.mark.usefixtures("scripts_here")
def test_damaged_texts_are_read_or_refused_in_one_line():
    said: list[str] = []
    assert fuzz_text.main(1000, 10**6, said.append) == 0, said


@pytest.mark.spec("RPT-2", "RPT-10")
def test_a_few_damaged_texts_of_every_kind(tmp_path):
    made = fuzz_text.kinds(tmp_path)
    for kind in made:
        for seed in range(4):
            found = fuzz_text.try_one(seed, (kind,), tmp_path)
            assert not [text for _, text in found if text.startswith("failure")]


@pytest.mark.usefixtures("scripts_here")
def test_whole_texts_are_read(tmp_path):
    for kind in fuzz_text.kinds(tmp_path):
        found = fuzz_text.run(kind, kind.content, tmp_path)
        assert {text for _, text in found} <= {"done", "done with 1"}, kind


@pytest.mark.spec("RPT-10")
@pytest.mark.parametrize(
    "arguments",
    [
        ("fit", "{}"),
        ("audit", "model.safetensors", "{}.csv"),
        ("analyze", "model.safetensors", "--layers", "{}"),
        ("analyze", "model.safetensors", "--convention", "{}.toml"),
        ("rank", "{}.json"),
        ("trend", "model.safetensors", "--accuracy", "{}"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_text_without_end(htsr, tmp_path, monkeypatch, arguments):
    monkeypatch.setattr(reading, "MOST_BYTES", 2**20)
    monkeypatch.chdir(tmp_path)
    fuzz_text.kinds(tmp_path)
    for suffix in ("", ".csv", ".toml", ".json"):
        Path(f"endless{suffix}").symlink_to("/dev/zero")
    done = htsr(*(part.format("endless") for part in arguments))
    assert done.code == 2
    assert "it is longer than 1 MiB" in done.err
    assert done.err.count("\n") == 1


@pytest.mark.spec("RPT-10")
@pytest.mark.parametrize("name", ["a\0b", "a\ud800b"])
def test_a_name_that_no_file_can_have(name):
    with pytest.raises(OSError, match="no file can have this name"):
        reading.read_bytes(name)


def test_texts_at_the_limit(tmp_path, monkeypatch):
    monkeypatch.setattr(reading, "MOST_BYTES", 8)
    (tmp_path / "a").write_bytes(b"12345678")
    assert reading.read_bytes(tmp_path / "a") == b"12345678"
    (tmp_path / "a").write_bytes(b"123456789")
    with pytest.raises(OSError, match="longer"):
        reading.read_bytes(os.fspath(tmp_path / "a"))
