"""What the README and the pages of the site show is what a user gets."""

import doctest
from pathlib import Path

import pytest
import shown
from commands import Outcome

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted(ROOT.glob("spec/site/**/*.md"))]


@pytest.fixture
def reader(tmp_path, monkeypatch):
    """A folder in which the repository's data are where pages look for them."""
    (tmp_path / "spec").symlink_to(ROOT / "spec")
    monkeypatch.chdir(tmp_path)


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def with_blocks(language: str) -> list[object]:
    pages = [page for page in PAGES if shown.blocks(text(page), language)]
    return [pytest.param(page, id=str(page.relative_to(ROOT))) for page in pages]


@pytest.mark.slow
@pytest.mark.parametrize("page", with_blocks("console"))
def test_commands_print_what_pages_show(page, reader, htsr):
    shown.check(text(page), htsr)


@pytest.mark.parametrize("page", [page for page in with_blocks("python") if "site" in page.id])
def test_examples_in_python_print_what_pages_show(page, reader):
    examples = "\n".join(shown.blocks(text(page), "python"))
    test = doctest.DocTestParser().get_doctest(examples, {}, page.name, str(page), 0)
    assert test.examples
    assert doctest.DocTestRunner().run(test).failed == 0


@pytest.mark.parametrize(
    ("page", "wrong"),
    [
        ("```console\n$ htsr show\nyes\n```\n", False),
        ("```console\n$ htsr show\n…\nyes\n…\n```\n", False),
        ("```console\n$ htsr show\nno\n```\n", True),
        ("```console\n$ htsr show\n…\nno\n```\n", True),
        ("```console\n$ htsr show\n```\n", True),
        ("```console\n$ htsr show\nyes\n$ echo $?\n1\n```\n", True),
        ("```console\n$ rm file\n```\n", True),
    ],
)
def test_a_page_that_shows_something_else_is_found(page, wrong):
    try:
        shown.check(page, lambda *_: Outcome(0, "yes\n", ""))
        found = False
    except AssertionError:
        found = True
    assert found == wrong


def test_a_command_that_fails_must_say_so():
    page = "```console\n$ htsr show\nno\n{}```\n"
    shown.check(page.format("$ echo $?\n1\n"), lambda *_: Outcome(1, "", "no\n"))
    with pytest.raises(AssertionError):
        shown.check(page.format(""), lambda *_: Outcome(1, "", "no\n"))
