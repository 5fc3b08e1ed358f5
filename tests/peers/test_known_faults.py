"""Every known fault, reproduced: run with `pytest -m peers` where the tools are installed.

A difference means that a version of the tool behaves differently from those in the list.
"""

import pytest

pytest.importorskip("weightwatcher")
pytest.importorskip("powerlaw")
pytest.importorskip("igraph")

from peers import faults

pytestmark = [pytest.mark.peers, pytest.mark.spec("AUD-30")]
FAULTS = faults.read_list()["faults"]


@pytest.mark.parametrize("fault", FAULTS, ids=[fault["id"] for fault in FAULTS])
def test_the_tool_still_returns_this(fault):
    assert faults.differences(faults.reproduce(fault["reproducer"]), fault["returned"]) == {}
