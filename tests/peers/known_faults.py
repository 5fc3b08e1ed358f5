"""Run every reproducer anew, and write spec/known-faults.json and its page.

    PYTHONPATH=tests python tests/peers/known_faults.py

in an environment that holds weightwatcher, powerlaw and igraph. Versions are not touched: state
in the list what the tools were.
"""

import json

from peers import faults
from peers.faults.page import body


def main() -> None:
    """Refresh what the tools return."""
    known = faults.read_list()
    for fault in known["faults"]:
        fault["returned"] = faults.reproduce(fault["reproducer"])
    text = json.dumps(known, indent=1, ensure_ascii=False)
    faults.LIST.write_text(text + "\n", encoding="utf-8")
    introduction, _, _ = faults.PAGE.read_text(encoding="utf-8").partition("\nThe tools ran with")
    faults.PAGE.write_text(introduction + body(known), encoding="utf-8")


if __name__ == "__main__":
    main()
