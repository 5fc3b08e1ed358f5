"""Write the golden vectors of the specification, one JSON file a chapter, next to this file.

Every expected value is computed with mpmath at 50 digits, straight from the definitions of the
specification and by the slowest route. Nothing here is shared with any implementation. Inputs are
binary64 numbers, taken at their exact value. README.md describes the format.

    python generate.py              write all chapters
    python generate.py --check      compare them with the files; exit code 1 if one differs
    python generate.py met --check  one chapter
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import cnv
import dst
import met
import pl
import rmt
import spc
import thr

SPEC_VERSION = "0.3"
CHAPTERS = {"spc": spc, "pl": pl, "thr": thr, "dst": dst, "met": met, "cnv": cnv, "rmt": rmt}


def document(chapter: str) -> str:
    """Return the text of a chapter's file: one case a line, so that a diff shows the case."""
    module = CHAPTERS[chapter]
    cases = module.cases()
    names = [case["id"] for case in cases]
    if len(set(names)) != len(names):
        raise ValueError(f"{chapter}: two cases have the same id")
    lines = ",\n".join(json.dumps(case, sort_keys=True, allow_nan=False) for case in cases)
    keys = json.dumps(module.KEYS, sort_keys=True)
    return (
        f'{{"cases": [\n{lines}\n],\n"chapter": "{chapter.upper()}",\n'
        f'"keys": {keys},\n"spec_version": "{SPEC_VERSION}"}}\n'
    )


def main(arguments: list[str] | None = None) -> int:
    """Write or check the chapters named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("chapters", nargs="*", metavar="chapter", help=", ".join(CHAPTERS))
    parser.add_argument("--check", action="store_true", help="compare instead of writing")
    options = parser.parse_args(arguments)
    unknown = sorted(set(options.chapters) - set(CHAPTERS))
    if unknown:
        parser.error(f"no such chapter: {', '.join(unknown)}; there are {', '.join(CHAPTERS)}")

    stale = []
    for chapter in options.chapters or CHAPTERS:
        path = Path(__file__).with_name(f"{chapter}.json")
        content = document(chapter).encode()
        if not options.check:
            temporary = path.with_suffix(".tmp")
            temporary.write_bytes(content)
            temporary.replace(path)
        elif not path.exists() or path.read_bytes() != content:
            stale.append(path.name)
    if stale:
        print(f"differs from what generate.py makes: {', '.join(stale)}", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
