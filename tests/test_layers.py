"""Imports point one way: a part of htsr_ref knows only the parts before it."""

import ast
from pathlib import Path

import pytest

import htsr_ref

HOME = Path(htsr_ref.__file__).parent
ORDER = (
    {"version", "errors", "machine"},
    {"text"},
    {"conventions", "weights", "powerlaw"},
    {"metrics", "randommatrix"},
    {"layers"},
    {"spectra"},
    {"metric_table"},
    {"reports"},
    {"analysis"},
    {"samples", "models", "synthetic"},
    {"audits", "runs"},
    {"plots"},
    {"pages"},
    {"cli"},
)
"""From the ground floor up; parts of one floor do not know each other."""
UPWARD = {
    ("reports/report.py", "htsr_ref.plots"),
}
"""Doors that open only when they are used: a report that is asked for its figure."""
FLOORS = {part: floor for floor, parts in enumerate(ORDER) for part in parts}
FILES = sorted(path for path in HOME.rglob("*.py") if path != HOME / "__init__.py")


def part_of(module: str) -> str:
    """Part that a module of the package belongs to; of the package itself, "version" aside."""
    return module.split(".")[1]


def imported(path: Path) -> set[str]:
    """Modules of the package that a file imports, here and there."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module == "htsr_ref":
            found |= {f"htsr_ref.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("htsr_ref."):
            found.add(node.module)
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.startswith("htsr_ref.")}
    return found


def test_every_part_has_its_floor():
    assert {path.relative_to(HOME).parts[0].removesuffix(".py") for path in FILES} == FLOORS.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(HOME).as_posix())
def test_imports_go_down(path):
    here = path.relative_to(HOME).parts[0].removesuffix(".py")
    for module in imported(path):
        if (path.relative_to(HOME).as_posix(), module) in UPWARD:
            continue
        there = part_of(module)
        assert there == here or FLOORS[there] < FLOORS[here], module
