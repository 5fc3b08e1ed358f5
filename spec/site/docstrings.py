"""Docstrings of the package as numpydoc and reStructuredText want them.

They end in `Spec:` and a doctest without headings, which numpydoc would take for more of the
section before, and have code in single backticks.
"""

import re
from typing import Any

import htsr_ref

HEADINGS = {"Spec: ": "Notes", ">>> ": "Examples"}
CODE = re.compile(r"(?<![`:])`([^`]+)`(?!`)")


def _code(found: re.Match[str]) -> str:
    """Link code that is a public name."""
    return f":py:obj:`{found[1]}`" if found[1] in htsr_ref.__all__ else f"``{found[1]}``"


def arrange(_app: Any, _what: str, _name: str, _of: Any, _options: Any, lines: list[str]) -> None:
    """Add the headings, and links or second backticks to code."""
    sectioned, given, arranged = False, set(), []
    for line in lines:
        sectioned = sectioned or (len(line) > 2 and not line.strip("-"))
        for start, heading in HEADINGS.items():
            if sectioned and line.startswith(start) and heading not in given:
                given.add(heading)
                arranged += [heading, "-" * len(heading)]
        arranged.append(line if line.startswith(">>> ") else CODE.sub(_code, line))
    lines[:] = arranged


def setup(app: Any) -> dict[str, bool]:
    """Tell Sphinx; numpydoc comes after."""
    app.connect("autodoc-process-docstring", arrange, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
