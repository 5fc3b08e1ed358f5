"""The committed tables against WeightWatcher itself: `pytest -m peers` where it is installed."""

import json

import pytest

pytest.importorskip("weightwatcher")

from peers.weightwatcher_tables import FIXTURE, tables

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore")]


def numbers(value):
    """Every number of a JSON value, in order."""
    if isinstance(value, dict):
        return [number for child in value.values() for number in numbers(child)]
    return [value] if isinstance(value, int | float) else []


def texts(value):
    """A JSON value with its numbers taken out."""
    if isinstance(value, dict):
        return {key: texts(child) for key, child in value.items()}
    return None if isinstance(value, int | float) else value


def test_the_committed_tables_are_what_it_writes():
    committed = json.loads(FIXTURE.read_text(encoding="utf-8"))
    found = tables()
    assert texts(found) == texts(committed)
    # Below 1e-14 is rounding, which differs between machines.
    assert numbers(found) == pytest.approx(numbers(committed), rel=1e-9, abs=1e-14)
