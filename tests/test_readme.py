"""What the README shows is what a user gets."""

import contextlib
import io
import re
from pathlib import Path

import pytest
from commands import spawn

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_ranking_shown_is_the_one_that_is_printed():
    files = sorted(map(str, ROOT.glob("spec/examples/mlp_*.safetensors")))
    shown = next(block for block in blocks("text") if block.startswith("not ranked: "))
    assert spawn("rank", *files).stdout.decode() == shown


def test_the_audit_shown_is_the_one_that_is_printed():
    shown = next(block for block in blocks("text") if block.startswith("mean over layers"))
    arguments = re.search(r"^\$ htsr (audit .*)$", README, flags=re.MULTILINE)[1].split()
    found = spawn(*(str(ROOT / word) if "/" in word else word for word in arguments))
    assert found.returncode == 0
    assert shown in found.stdout.decode()


def test_the_two_commands_are_one_line_each():
    main_job, tests = blocks("sh")
    assert main_job.count("\n") == tests.count("\n") == 1
    assert "htsr rank spec/examples/mlp_*.safetensors" in main_job
    assert "pytest" in tests


def test_the_python_example_runs_and_prints_what_its_comments_say():
    (example,) = blocks("python")
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(example, {})  # Our own README.
    shown = re.findall(r"^print\(.*\)  # (.*)$", example, flags=re.MULTILINE)
    lines = printed.getvalue().splitlines()
    for text, line in zip(shown, lines, strict=True):
        pattern = re.escape(text).replace("…", r"[\d.e-]*")
        assert re.fullmatch(pattern, line), line


def test_files_that_it_names_exist():
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
