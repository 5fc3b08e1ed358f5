"""Every column of WeightWatcher's table and of its summary, under the convention of its name.

The table was written by the program itself: tests/peers/weightwatcher_tables.py.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from networks import CONVOLUTIONS, networks, role

from htsr_ref import Report, analyze
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.metrics import mean
from htsr_ref.reports.columns import COLUMNS, weightwatcher_rows

FIXTURE = Path(__file__).parents[1] / "peers" / "fixtures" / "weightwatcher-0.7.7.json"
TABLES = json.loads(FIXTURE.read_text(encoding="utf-8"))["networks"]
LAYERS = [(network, layer) for network in TABLES for layer in TABLES[network]["details"]]

NO_NUMBERS = {"nan", "inf", "-inf"}
FIT = {"alpha", "xmin", "xmax", "D", "sigma", "num_pl_spikes", "status", "warning"}
FAULTS = {
    # All eigenvalues are equal: its α is infinite and its status a success (PL-7).
    "identity": FIT | {"alpha_weighted", "log_alpha_norm"},
    # Two eigenvalues above the floor: its sigma is -1/√2 (CNV-8).
    "rank2": {"sigma"},
}
"""Columns of a layer that are not reproduced."""


def report(network: str) -> Report:
    weights = networks()[network]
    layers = {
        name: {"role": role(name)}
        | ({"groups": CONVOLUTIONS[name]} if name in CONVOLUTIONS else {})
        for name in weights
    }
    return analyze(weights, CONVENTIONS["weightwatcher-0.7.7"], layers=layers, solver="svd")


@pytest.fixture(scope="module")
def reports() -> dict[str, Report]:
    return {network: report(network) for network in TABLES}


def disagreements(
    theirs: dict[str, Any], ours: dict[str, Any], relative: float
) -> dict[str, tuple[Any, Any]]:
    """Columns in which two rows differ; where they have no number ours must be None."""
    found = {}
    for column, value in theirs.items():
        own = ours[column]
        if isinstance(value, str) or value is None or own is None:
            agree = own is None if value in NO_NUMBERS else own == value
        else:
            # Noise at the level of rounding, such as the sv_min of a singular matrix.
            agree = own == pytest.approx(value, rel=relative, abs=1e-14)
        if not agree:
            found[column] = (value, own)
    return found


@pytest.mark.spec("CNV-12", "CNV-8", "CNV-10", "MET-14", "MET-15", "MET-18", "SPC-10", "RPT-8")
@pytest.mark.parametrize(("network", "layer"), LAYERS)
def test_every_column_of_a_layer(reports, network, layer):
    theirs = TABLES[network]["details"][layer]
    rows = {row["name"]: row for row in weightwatcher_rows(reports[network])}
    assert set(theirs) == set(COLUMNS) - {"name"}
    compared = {
        column: value
        for column, value in theirs.items()
        if column not in FAULTS.get(layer, set()) | {"layer_id"}
    }
    assert disagreements(compared, rows[layer], 1e-10) == {}


@pytest.mark.spec("CNV-12", "MAT-15")
@pytest.mark.parametrize("network", TABLES)
def test_the_layers_are_the_same_in_the_same_order(reports, network):
    rows = [*weightwatcher_rows(reports[network])]
    assert [row["name"] for row in rows] == list(TABLES[network]["details"])


@pytest.mark.spec("CNV-12", "RPT-8")
@pytest.mark.parametrize("network", [name for name in TABLES if name != "degenerate"])
def test_the_summary_is_the_means_of_the_columns(reports, network):
    theirs, rows = TABLES[network]["summary"], [*weightwatcher_rows(reports[network])]
    ours = {column: mean(row[column] for row in rows).value for column in theirs}
    assert disagreements(theirs, ours, 1e-10) == {}


@pytest.mark.spec("CNV-12")
def test_the_models_means_are_the_summary(reports):
    model, theirs = reports["convnet"].model, TABLES["convnet"]["summary"]
    assert model.alpha_hat == pytest.approx(theirs["alpha_weighted"], rel=1e-10)
    assert model.mean_alpha == pytest.approx(theirs["alpha"], rel=1e-10)
    assert 2 * model.mean_log10_frobenius_norm == pytest.approx(theirs["log_norm"], rel=1e-10)


def test_a_wrong_digit_is_noticed():
    theirs, ours = {"alpha": 2.0, "entropy": "nan"}, {"alpha": 2.0 + 1e-6, "entropy": 0.5}
    assert set(disagreements(theirs, ours, 1e-10)) == {"alpha", "entropy"}
