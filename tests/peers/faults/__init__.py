"""Known faults of other tools: the list of spec/known-faults.json and what reproduces each.

A reproducer is named `module.function` in the list. Importing this package needs none of the tools.
"""

import json
import math
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

from .running import Outcome, plain, quiet

SPEC = Path(__file__).parents[3] / "spec"
LIST = SPEC / "known-faults.json"
PAGE = SPEC / "known-faults.md"


def read_list() -> dict[str, Any]:
    """The machine-readable list."""
    known: dict[str, Any] = json.loads(LIST.read_text(encoding="utf-8"))
    return known


def reproducer(name: str) -> Callable[[], Outcome]:
    """Find a reproducer by its name in the list."""
    module, function = name.split(".")
    found: Callable[[], Outcome] = getattr(import_module(f"{__package__}.{module}"), function)
    return found


def reproduce(name: str) -> Outcome:
    """Run a reproducer and bring what the tool returned into JSON."""
    with quiet():
        outcome: Outcome = plain(reproducer(name)())
    return outcome


def differences(found: Outcome, expected: Outcome) -> dict[str, tuple[Any, Any]]:
    """What is found beside what is expected, by name, where the two do not agree."""
    names = [*expected, *(name for name in found if name not in expected)]
    pairs = {name: (found.get(name, "absent"), expected.get(name, "absent")) for name in names}
    return {name: pair for name, pair in pairs.items() if not agree(name, *pair)}


def agree(name: str, found: Any, expected: Any) -> bool:
    """Whether two values are equal, or two numbers nearly.

    A likelihood ratio R and its p-value depend on an optimizer, and are compared more loosely.
    """
    if isinstance(found, list) and isinstance(expected, list):
        return len(found) == len(expected) and all(
            agree(name, *pair) for pair in zip(found, expected, strict=True)
        )
    if any(isinstance(value, str | bool | None) for value in (found, expected)):
        return bool(found == expected)
    relative = 1e-6 if name in ("R", "p") else 1e-9
    return math.isclose(found, expected, rel_tol=relative, abs_tol=1e-9 if name == "R" else 0.0)
