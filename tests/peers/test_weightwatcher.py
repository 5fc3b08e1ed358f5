"""The committed tables against WeightWatcher itself: `pytest -m peers` where it is installed."""

import csv
import json

import pytest

pytest.importorskip("weightwatcher")

from peers.weightwatcher_models import FOLDER, save_models, save_tables
from peers.weightwatcher_tables import FIXTURE, tables
from safetensors.numpy import load_file

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


def test_the_committed_tables_of_real_modules_are_what_it_writes(tmp_path):
    pytest.importorskip("gguf")
    save_models(tmp_path)
    save_tables(tmp_path)
    assert (tmp_path / "gpt2.gguf").read_bytes() == (FOLDER / "gpt2.gguf").read_bytes()
    for form in ("gpt2/model.safetensors", "net.safetensors"):
        # The library writes its metadata in any order.
        made, kept = load_file(tmp_path / form), load_file(FOLDER / form)
        assert made.keys() == kept.keys()
        assert all((made[name] == kept[name]).all() for name in kept)
    for path in FOLDER.glob("*.csv"):
        with path.open(newline="") as committed, (tmp_path / path.name).open(newline="") as found:
            for theirs, ours in zip(csv.reader(committed), csv.reader(found), strict=True):
                assert list(map(as_found, ours)) == list(map(as_number, theirs))
    committed = json.loads((FOLDER / "summaries.json").read_text(encoding="utf-8"))
    found = json.loads((tmp_path / "summaries.json").read_text(encoding="utf-8"))
    del committed["versions"], found["versions"]
    assert numbers(found) == pytest.approx(numbers(committed), rel=1e-9)


def as_found(cell):
    """A cell as a number if it is one."""
    try:
        return float(cell)
    except ValueError:
        return cell


def as_number(cell):
    """The same, which may differ by rounding."""
    value = as_found(cell)
    return pytest.approx(value, rel=1e-9, abs=1e-14) if isinstance(value, float) else value
