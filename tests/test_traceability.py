"""Every requirement is carried out by code and held by a test, and none is invented."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
ID = re.compile(r"\b[A-Z]{2,3}-\d+\b")


def defined() -> set[str]:
    pages = (path.read_text(encoding="utf-8") for path in (ROOT / "spec").glob("*.md"))
    headings = [line for page in pages for line in page.splitlines() if line.startswith("### ")]
    found = [match for line in headings for match in re.findall(r"^### ([A-Z]+-\d+) ", line)]
    assert len(found) == len(set(found)), "an ID is defined twice"
    return set(found)


def python_files(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


def cited_by_code() -> dict[str, Path]:
    cited = {}
    for path in python_files("htsr_ref"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef):
                for line in re.findall(r"Spec: ([^\n]*)", ast.get_docstring(node) or ""):
                    cited.update(dict.fromkeys(ID.findall(line), path))
    return cited


def carried_by_tests() -> dict[str, Path]:
    carried = {}
    for path in python_files("tests"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.spec":
                ids = [ast.literal_eval(argument) for argument in node.args]
                carried.update(dict.fromkeys(ids, path))
    return carried


def test_the_specification_is_found():
    assert {"FMT-1", "MAT-1", "SPC-1", "PL-1", "MET-1", "CNV-1", "RPT-1"} <= defined()


def test_every_requirement_is_cited_by_code():
    assert sorted(defined() - set(cited_by_code())) == []


def test_every_requirement_is_carried_by_a_test():
    assert sorted(defined() - set(carried_by_tests())) == []


@pytest.mark.parametrize("found", [cited_by_code, carried_by_tests])
def test_no_requirement_is_invented(found):
    assert {name: str(path) for name, path in found().items() if name not in defined()} == {}
