"""What of a package its commands and public names reach, found in its source alone.

A definition is a function, a class, a method or a name assigned to at the top of a module. One
reaches another if its source holds the other's name, as a name that is defined or imported there
or as an attribute of a module. A method is reached if its class is and if any reached source takes
an attribute of that name; a local name that hides one of the module counts as that one. So too
much may be taken for reached.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

Definition = tuple[str, str]
"""Module and name in it: "function", "Class" or "Class.method", and "" for the module itself."""
Nodes = dict[Definition, list[ast.AST]]


@dataclass
class Source:
    """The definitions of a package with their syntax, and the imports of its modules."""

    nodes: Nodes = field(default_factory=lambda: defaultdict(list))
    imports: dict[Definition, Definition] = field(default_factory=dict)

    def find(self, module: str, name: str) -> Definition | None:
        """What a name stands for in a module of the package; None for what is not of it."""
        while (module, name) not in self.nodes:
            imported = self.imports.get((module, name), (module, name))
            if imported != (module, name):  # a package may import a module of its own
                module, name = imported
            elif (f"{module}.{name}", "") in self.nodes:
                return f"{module}.{name}", ""
            else:
                return None
        return module, name


@cache
def tree(path: Path) -> ast.Module:
    """Syntax of a file, which nobody changes."""
    return ast.parse(path.read_text(encoding="utf-8"))


def read(package: Path) -> Source:
    """Read all modules of a package."""
    source = Source()
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package.parent).with_suffix("").parts
        module = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        source.nodes[module, ""] = []
        for node in ast.walk(tree(path)):
            source.imports.update(_imported(module, node))
        for statement in tree(path).body:
            _define(source.nodes, module, statement)
    return source


def _imported(module: str, node: ast.AST) -> Iterator[tuple[Definition, Definition]]:
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            yield (module, alias.asname or alias.name), (node.module or "", alias.name)
    elif isinstance(node, ast.Import):
        for alias in node.names:
            if alias.asname:
                yield (module, alias.asname), (alias.name, "")


def _define(nodes: Nodes, module: str, statement: ast.stmt) -> None:
    match statement:
        case ast.FunctionDef(name=name, decorator_list=decorators):
            nodes[module, name].append(statement)
            if any(isinstance(decorator, ast.Call) for decorator in decorators):
                # It may be handed to another, as a command is, when the module is imported.
                nodes[module, ""].append(ast.Name(name))
        case ast.ClassDef(name=name):
            nodes[module, name] += [*statement.bases, *statement.decorator_list]
            for part in statement.body:
                if isinstance(part, ast.FunctionDef) and not part.name.startswith("__"):
                    nodes[module, f"{name}.{part.name}"].append(part)
                else:
                    nodes[module, name].append(part)
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if (
            name != "__all__"
        ):
            nodes[module, name].append(statement)
        case _:  # `if __name__ == "__main__"` and what else a module does when it is imported
            nodes[module, ""].append(statement)


def reached(source: Source, starts: set[Definition]) -> set[Definition]:
    """Return all that the starts reach, and themselves."""
    methods = [definition for definition in source.nodes if "." in definition[1]]
    found: set[Definition] = set()
    attributes: set[str] = set()
    fresh = set(starts)
    while fresh:
        found |= fresh
        named: set[Definition | None] = set()
        for module, name in fresh:
            named.add((module, ""))
            for part in (part for node in source.nodes[module, name] for part in ast.walk(node)):
                if isinstance(part, ast.Name):
                    named.add(source.find(module, part.id))
                elif isinstance(part, ast.Attribute):
                    attributes.add(part.attr)
                    named.add(_of_a_module(source, module, part))
        for module, name in methods:
            owner, method = name.split(".")
            if method in attributes and (module, owner) in found | named:
                named.add((module, name))
        fresh = {definition for definition in named if definition is not None} - found
    return found


def _of_a_module(source: Source, module: str, part: ast.Attribute) -> Definition | None:
    """What `other.name` stands for where `other` is a module of the package."""
    if isinstance(part.value, ast.Name):
        owner = source.find(module, part.value.id)
        if owner is not None and owner[1] == "":
            return source.find(owner[0], part.attr)
    return None
