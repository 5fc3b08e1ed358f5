"""Small changes of the code, drawn by a seed, and how many of them the tests notice.

    python tests/mutation/drawn.py [MODULE ...]    # such as htsr_ref/metrics.py; prints a table

One module in ten is drawn, commands and figures aside, and in each some mutants: an operator, a
comparison, a number or a truth value exchanged, a condition negated, a result dropped. Each mutant
runs the tests of its module in a temporary copy of the repository, in limited time and memory,
until one fails; if none does, those of the commands and of the public interface as well.
"""

import ast
import copy
import functools
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
SEED = 20261127
MUTANTS = 5
"""Mutants of a module, if it has as many."""
ASIDE = {"cli", "plots"}
"""Parts whose tests are about what people see."""
FAR = ("tests/cli", "tests/interface")
"""Tests of what people see, which the tests beside a module need not repeat."""
MEMORY = 6 * 1024**3
"""Bytes of address space that a run may take."""
PATIENCE = 10
"""Seconds that a run may last for each second of processor time: a mutant may wait forever."""

OPERATORS: dict[type[ast.AST], type[ast.AST]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
}
"""What takes the place of an operator. `|` is left alone: most are in types."""
NEGATED_ITSELF = (ast.Compare, ast.UnaryOp)
"""Conditions that have mutants of their own which negate them."""
LEFT_ALONE = {"annotation", "returns", "decorator_list", "exc", "cause", "format_spec"}
"""Parts of a syntax tree that are types, decorators and messages."""


@dataclass(frozen=True)
class Mutant:
    """A changed module, and the change for people."""

    line: int
    before: str
    after: str
    source: str

    def said_of(self, path: Path) -> str:
        """Say where in a module it is, and what it changes."""
        return f"`{path}:{self.line}` `{self.before}` → `{self.after}`"


def changed(node: ast.AST) -> Iterator[ast.AST]:
    """Yield every node that may take the place of one."""
    match node:
        case ast.BinOp() | ast.BoolOp() if type(node.op) in OPERATORS:
            other = copy.deepcopy(node)
            # Another operator of the same kind, which the types of the table do not say.
            other.op = OPERATORS[type(node.op)]()  # type: ignore[assignment]
            yield other
        case ast.Compare():
            for place, operator in enumerate(node.ops):
                other = copy.deepcopy(node)
                # Likewise.
                other.ops[place] = OPERATORS[type(operator)]()  # type: ignore[call-overload]
                yield other
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.Constant(value=bool()):
            yield ast.Constant(not node.value)
        case ast.Constant(value=int()):
            yield ast.Constant(node.value + 1)
        case ast.Constant(value=float()):
            yield ast.Constant(2 * node.value if node.value else 1.0)
        case ast.If() | ast.IfExp() | ast.While() if not isinstance(node.test, NEGATED_ITSELF):
            other = copy.deepcopy(node)
            other.test = ast.UnaryOp(ast.Not(), node.test)
            yield other
        case ast.Return(value=ast.expr() as value) if not (
            isinstance(value, ast.Constant) and value.value is None
        ):
            yield ast.Return(ast.Constant(None))


def places(node: ast.AST) -> Iterator[tuple[ast.AST, str, int | None]]:
    """Yield parents, fields and indices of the nodes that can be changed, in the text's order."""
    for name, value in ast.iter_fields(node):
        if name in LEFT_ALONE:
            continue
        for index, child in enumerate(value) if isinstance(value, list) else [(None, value)]:
            if isinstance(child, ast.AST) and not is_left_alone(child):
                yield node, name, index
                yield from places(child)


def is_left_alone(node: ast.AST) -> bool:
    """Whether it says something to type checkers only, or guards against what cannot be."""
    match node:
        case ast.If(test=ast.Name("TYPE_CHECKING")) | ast.keyword(arg="strict"):
            return True
    return False


def mutants(source: str) -> list[Mutant]:
    """Make every mutant of a module's text."""
    tree, made = ast.parse(source), []
    for parent, name, index in places(tree):
        held = getattr(parent, name)
        node = held if index is None else held[index]
        for other in changed(node):
            if index is None:
                setattr(parent, name, other)
            else:
                held[index] = other
            text = ast.unparse(ast.fix_missing_locations(tree))
            made.append(Mutant(node.lineno, *map(shown, (node, other)), text))
            if index is None:
                setattr(parent, name, node)
            else:
                held[index] = node
    return made


def shown(node: ast.AST) -> str:
    """Write a node in one line; of a statement, its first."""
    return ast.unparse(node).splitlines()[0]


def tests_of(module: Path) -> tuple[str, ...]:
    """Name the module and the tests beside it or importing it, importing ones first.

    Tests lie beside a module in the folder of `tests` of the same path, or of the nearest part of
    that path; those of a module at the top in a file.
    """
    part = module.relative_to(ROOT / "htsr_ref").with_suffix("")
    folder = ROOT / "tests" / part.parent
    while not folder.is_dir():
        folder = folder.parent
    beside = {ROOT / "tests" / f"test_{part}.py"} if part.parent == Path() else set()
    if part.parent != Path():
        beside = set(folder.glob("test_*.py"))
    dotted = ".".join(("htsr_ref", *part.parts))
    tests = {path: path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/test_*.py")}
    importing = {path for path, text in tests.items() if f"from {dotted} import" in text}
    ordered = [*sorted(importing), *sorted((beside & tests.keys()) - importing)]
    return tuple(str(path.relative_to(ROOT)) for path in (module, *ordered))


def run(folder: Path, tests: tuple[str, ...], seconds: float) -> int:
    """Run tests in a copy of the repository; return pytest's exit code, or less than 0."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_CPU, (int(seconds), int(seconds) + 5))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    options = ["-q", "-x", "-p", "no:cacheprovider", "--hypothesis-profile=mutation"]
    paths = {"PYTHONPATH": str(folder), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        return subprocess.run(
            [sys.executable, "-m", "pytest", *options, *tests],
            cwd=folder,
            env={**os.environ, **paths},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=limit,
            timeout=PATIENCE * seconds,
        ).returncode
    except subprocess.TimeoutExpired:
        return -1


@functools.cache
def seconds_unchanged(folder: Path, tests: tuple[str, ...]) -> float:
    """Run tests of the unchanged copy, once; return the processor time that they take."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    if run(folder, tests, 600):
        raise RuntimeError(f"{tests[0]}: its tests fail without any change")
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - used


def survivors(
    module: Path, chosen: list[Mutant], folder: Path, tests: tuple[str, ...]
) -> list[Mutant]:
    """Run tests against each mutant; return those that pass them all."""
    if not chosen:
        return []
    path = folder / module.relative_to(ROOT)
    seconds = 3 * seconds_unchanged(folder, tests) + 30
    original, alive = path.read_text(encoding="utf-8"), []
    for mutant in chosen:
        path.write_text(mutant.source, encoding="utf-8")
        if run(folder, tests, seconds) == 0:
            alive.append(mutant)
    path.write_text(original, encoding="utf-8")
    return alive


def drawn(seed: int) -> dict[Path, list[Mutant]]:
    """Draw one module in ten, and mutants of each."""
    draw = random.Random(seed)
    home = ROOT / "htsr_ref"
    modules = sorted(
        path
        for path in home.rglob("*.py")
        if path.name != "__init__.py" and path.relative_to(home).parts[0] not in ASIDE
    )
    found = {}
    for module in sorted(draw.sample(modules, len(modules) // 10)):
        every = mutants(module.read_text(encoding="utf-8"))
        found[module] = draw.sample(every, min(MUTANTS, len(every)))
    return found


def main() -> None:
    """Print a table of modules, and the mutants that no test notices."""
    asked = {ROOT / name for name in sys.argv[1:]}
    chosen = {path: made for path, made in drawn(SEED).items() if not asked or path in asked}
    alive, total, nearby = [], 0, 0
    print("| module | mutants | killed by its own tests | killed |\n|---|---|---|---|")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "copy")
        ignored = shutil.ignore_patterns(".git", ".*cache", ".hypothesis", ".venv", "__pycache__")
        shutil.copytree(ROOT, folder, ignore=ignored)
        for module, made in chosen.items():
            path = module.relative_to(ROOT)
            passed = survivors(module, made, folder, tests_of(module))
            left = survivors(module, passed, folder, FAR)
            total, nearby = total + len(made), nearby + len(made) - len(passed)
            alive += [(path, mutant) for mutant in left]
            counts = (len(made), len(made) - len(passed), len(made) - len(left))
            print(f"| `{path}` | {' | '.join(map(str, counts))} |", flush=True)
            for mutant in left:
                print(f"  {mutant.said_of(path)}", file=sys.stderr, flush=True)
    print(f"| all | {total} | {nearby} | {total - len(alive)} |\n")
    for path, mutant in alive:
        print(f"- {mutant.said_of(path)}")


if __name__ == "__main__":
    main()
