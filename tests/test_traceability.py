"""Every requirement is carried out by code that is reached and held by a test; none is invented."""

import ast
import json
import re
from functools import cache
from pathlib import Path

import pytest
import reach
from reach import tree

ROOT = Path(__file__).parent.parent
VECTORS = ROOT / "spec" / "vectors" / "met.json"
ID = re.compile(r"\b[A-Z]{2,3}-\d+\b")
COMMANDS = "htsr_ref.cli.start"
PUBLIC = ("htsr_ref", "htsr_ref.weights", "htsr_ref.conventions", "htsr_ref.plots")
"""Modules whose names are public."""
LEFT_OUT = {f"pytest.mark.{name}" for name in ("slow", "peers", "frameworks", "browser", "dask")}
"""Markers of tests that run only when they are asked for."""
UNSEEN = {"htsr_ref.cli.arranging": "typer calls the methods that override its own"}
"""Beginnings of modules that hold definitions which nothing is seen to reach, with the reason."""


@cache
def defined() -> set[str]:
    pages = (path.read_text(encoding="utf-8") for path in (ROOT / "spec").glob("*.md"))
    headings = [line for page in pages for line in page.splitlines() if line.startswith("### ")]
    found = [match for line in headings for match in re.findall(r"^### ([A-Z]+-\d+) ", line)]
    assert len(found) == len(set(found)), "an ID is defined twice"
    return set(found)


def is_spec(node: ast.AST) -> bool:
    """Whether it calls `pytest.mark.spec`."""
    match node:
        case ast.Call(func=ast.Attribute(ast.Attribute(ast.Name("pytest"), "mark"), "spec")):
            return True
    return False


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@cache
def cited_by_code() -> dict[str, Path]:
    cited = {}
    for path in python_files("htsr_ref"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                for line in re.findall(r"Spec: ([^\n]*)", ast.get_docstring(node) or ""):
                    cited.update(dict.fromkeys(ID.findall(line), path))
    return cited


@cache
def carried_by_tests() -> dict[str, Path]:
    carried = {}
    for path in python_files("tests"):
        for node in ast.walk(tree(path)):
            if is_spec(node):
                ids = [ast.literal_eval(argument) for argument in node.args]
                carried.update(dict.fromkeys(ids, path))
    return dict.fromkeys(given_by_vectors(), VECTORS) | carried


@cache
def given_by_vectors() -> set[str]:
    """IDs of the metrics that golden vectors give; `test_vectors.py` compares every one."""
    return set(json.loads(VECTORS.read_text(encoding="utf-8"))["keys"].values())


def marks(nodes: list[ast.expr]) -> tuple[set[str], bool]:
    """IDs among markers, and whether one of them leaves a test out unless it is asked for."""
    spec = [at for top in nodes for at in ast.walk(top) if is_spec(at)]
    ids = {ast.literal_eval(argument) for call in spec for argument in call.args}
    # A marker of one value of a parameter, within a call, does not leave out the whole test.
    whole = {ast.unparse(part) for top in nodes for part in getattr(top, "elts", [top])}
    return ids, not whole.isdisjoint(LEFT_OUT)


def carried_by_default(path: Path) -> set[str]:
    """IDs carried by tests of a file that run when nothing is asked for."""
    carried = set()
    of_all = [
        node.value
        for node in tree(path).body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark"
    ]
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            ids, left_out = marks(of_all + node.decorator_list)
            carried |= set() if left_out else ids
    return carried


def test_no_retired_id_is_used_again():
    page = (ROOT / "spec" / "README.md").read_text(encoding="utf-8")
    retired = set(ID.findall(re.findall(r"retired are ([^.]*)\.", page)[0]))
    assert "PL-33" in retired
    assert retired & defined() == set()


def test_the_specification_is_found():
    assert {"FMT-1", "MAT-1", "SPC-1", "PL-1", "MET-1", "CNV-1", "RPT-1"} <= defined()


def test_every_requirement_is_cited_by_code():
    assert sorted(defined() - set(cited_by_code())) == []


def test_every_requirement_is_carried_by_a_test():
    assert sorted(defined() - set(carried_by_tests())) == []


def test_every_requirement_is_carried_by_a_test_that_is_run_by_default():
    by_default = given_by_vectors().union(*map(carried_by_default, python_files("tests")))
    assert sorted(defined() - by_default) == []


def test_a_test_that_is_left_out_does_not_count(tmp_path):
    (tmp_path / "test_some.py").write_text(
        "@pytest.mark.spec('AA-1')\n"
        "@pytest.mark.parametrize('a', [1, pytest.param(2, marks=pytest.mark.slow)])\n"
        "def test_one_value_is_slow(a): ...\n"
        "@pytest.mark.slow\n"
        "@pytest.mark.spec('AA-2', 'AA-1')\n"
        "def test_slow(): ...\n"
    )
    assert carried_by_default(tmp_path / "test_some.py") == {"AA-1"}
    (tmp_path / "test_others.py").write_text(
        "pytestmark = [pytest.mark.peers, pytest.mark.spec('AA-3')]\ndef test_peer(): ...\n"
    )
    assert carried_by_default(tmp_path / "test_others.py") == set()


@pytest.mark.parametrize("found", [cited_by_code, carried_by_tests])
def test_no_requirement_is_invented(found):
    assert {name: str(path) for name, path in found().items() if name not in defined()} == {}


@cache
def split(package: Path, public: tuple[str, ...], commands: str) -> tuple[reach.Nodes, reach.Nodes]:
    """Definitions of a package that are reached, and the others, with their syntax."""
    source = reach.read(package)
    starts = {at for at in source.nodes if at[0] in (*public, commands)}
    starts |= {source.find(*name) for name in source.imports if name[0] in public} - {None}
    starts |= {
        (module, name)
        for module, name in source.nodes
        if (module, name.split(".")[0]) in starts and "._" not in name
    }
    found = reach.reached(source, starts)
    return (
        {at: nodes for at, nodes in source.nodes.items() if at in found},
        {at: nodes for at, nodes in source.nodes.items() if at not in found and at[1]},
    )


def test_what_nothing_reaches_is_found(tmp_path):
    package = tmp_path / "some"
    (package / "parts").mkdir(parents=True)
    (package / "__init__.py").write_text("from some.parts.kept import Kept\n")
    (package / "parts" / "kept.py").write_text(
        "from some.parts import dropped\n"
        "class Kept:\n"
        "    def public(self): return Helper().used() + dropped.through_its_module()\n"
        "    def _private(self): return 1\n"
        "class Helper:\n"
        "    def used(self): return 1\n"
        "    def unused(self): return 1\n"
        "def alone(): return alone()\n"
    )
    (package / "parts" / "dropped.py").write_text(
        "LIMIT = 3\n"
        "UNREAD = 4\n"
        "def through_its_module(): return LIMIT\n"
        "def by_the_unreached(): return UNREAD\n"
    )
    (package / "main.py").write_text(
        "import typer\n"
        "from some.parts.dropped import LIMIT\n"
        "app = typer.Typer()\n"
        "@app.command('it')\n"
        "def it(): return LIMIT\n"
    )
    found, others = split(package, ("some",), "some.main")
    assert {("some.main", "it"), ("some.parts.kept", "Kept.public")} <= found.keys()
    assert {("some.parts.dropped", "LIMIT"), ("some.parts.kept", "Helper.used")} <= found.keys()
    assert others.keys() == {
        ("some.parts.kept", "Kept._private"),
        ("some.parts.kept", "Helper.unused"),
        ("some.parts.kept", "alone"),
        ("some.parts.dropped", "UNREAD"),
        ("some.parts.dropped", "by_the_unreached"),
    }


def test_every_definition_is_reached_by_a_command_or_a_public_name():
    _, others = split(ROOT / "htsr_ref", PUBLIC, COMMANDS)
    waiting = {start for start in UNSEEN if any(at[0].startswith(start) for at in others)}
    assert sorted(at for at in others if not at[0].startswith(tuple(UNSEEN))) == []
    assert UNSEEN.keys() == waiting, "no longer needed here"


def test_every_requirement_is_cited_by_code_that_is_reached():
    found, others = split(ROOT / "htsr_ref", PUBLIC, COMMANDS)
    waiting = {at: nodes for at, nodes in others.items() if at[0].startswith(tuple(UNSEEN))}
    cited = set()
    counted = (found | waiting).values()
    for node in (part for nodes in counted for top in nodes for part in ast.walk(top)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            for line in re.findall(r"Spec: ([^\n]*)", node.value):
                cited |= set(ID.findall(line))
    assert sorted(defined() - cited) == []
