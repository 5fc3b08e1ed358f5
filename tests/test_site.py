"""What the site generates from the package leaves nothing out."""

import inspect
import runpy
from pathlib import Path

import pytest

import htsr_ref
from htsr_ref.cli.main import app
from htsr_ref.conventions import CONVENTIONS, FIELDS
from htsr_ref.metric_table import METRICS

SITE = Path(__file__).parents[1] / "spec" / "site"


@pytest.fixture(scope="module")
def texts():
    return runpy.run_path(str(SITE / "generated.py"))["texts"]()


def test_every_public_name_is_in_the_reference(texts):
    pages = [texts[name].splitlines() for name in ("functions", "results", "errors")]
    listed = [line.split(":: ")[1] for page in pages for line in page if line.startswith(".. auto")]
    assert sorted([*listed, "__version__", "conventions"]) == sorted(htsr_ref.__all__)


def test_every_command_and_option_is_in_the_reference(texts):
    for command in app.registered_commands:
        name = command.name or command.callback.__name__
        _, _, page = texts["commands"].partition(f"\n## htsr {name}\n")
        options = inspect.signature(command.callback).parameters
        shown = page.partition("\n## ")[0]
        assert shown.count("\n: ") == len(options), name
    assert "\n## htsr conventions diff\n" in texts["commands"]


def test_every_convention_field_and_metric_has_a_row(texts):
    for name, rows in (
        ("convention_names", CONVENTIONS),
        ("convention_fields", FIELDS),
        ("metrics", METRICS),
    ):
        table = texts[name].splitlines()[2:]
        assert [row.split("`")[1] for row in table] == list(rows)


def test_docstrings_get_the_headings_that_numpydoc_knows():
    arrange = runpy.run_path(str(SITE / "docstrings.py"))["arrange"]
    lines = [
        *("Do it, as `analyze` or `x` does.", "", "Raises", "------", "E : it fails.", ""),
        *("Spec: AA-1.", "", ">>> 1", "1", ">>> `2`"),
    ]
    arrange(None, "function", "do", None, None, lines)
    assert lines == [
        *("Do it, as :py:obj:`analyze` or ``x`` does.", ""),
        *("Raises", "------", "E : it fails.", ""),
        *("Notes", "-----", "Spec: AA-1.", ""),
        *("Examples", "--------", ">>> 1", "1", ">>> `2`"),
    ]
