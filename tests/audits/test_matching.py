"""Which layer a row belongs to."""

import numpy as np
import pytest
from audit_tables import to_csv, written

from htsr_ref.audits import read_table
from htsr_ref.audits.matching import match_layers
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.weights import open_weights

SHAPES = {"b.fc1": (8, 6), "a.fc1": (8, 6), "a.fc2": (9, 6), "conv": (5, 4, 3, 3), "out": (3, 9)}


@pytest.fixture
def weights():
    arrays = {f"{name}.weight": np.ones(shape) for name, shape in SHAPES.items()}
    return open_weights({**arrays, "a.fc1.bias": np.ones(8)})


def table(folder, rows):
    return read_table(written(folder, to_csv([{"alpha": 2.0, **row} for row in rows])))


def matched(found):
    return {pair.layer: (pair.how, [row.place for row in pair.rows]) for pair in found.pairs}


@pytest.mark.spec("AUD-4")
def test_names_whole_then_ends_then_shapes_then_order(tmp_path, weights):
    rows = [
        {"layer_id": 9, "longname": "net/a/fc2", "N": 9, "M": 6},
        {"layer_id": 4, "longname": "", "N": 8, "M": 6},
        {"layer_id": 2, "longname": "", "N": 6, "M": 8},
        {"layer_id": 7, "longname": "conv.weight", "N": 5, "M": 4},
        {"layer_id": 8, "longname": "", "N": 3, "M": 9},
    ]
    found = match_layers(weights, table(tmp_path, rows))
    assert matched(found) == {
        "b.fc1": ("order", ["line 4"]),
        "a.fc1": ("order", ["line 3"]),
        "a.fc2": ("name", ["line 2"]),
        "conv": ("name", ["line 5"]),
        "out": ("shape", ["line 6"]),
    }
    assert (found.rows_alone, found.layers_alone) == ((), ())


def reasons(found):
    return {rows.name: rows.reason for rows in found.rows_alone}


def alone(weights, found):
    return [weights.layers[place].name for place in found.layers_alone]


@pytest.mark.spec("AUD-4", "AUD-5")
def test_a_name_of_two_layers_and_a_shape_of_too_few_rows_match_nothing(tmp_path, weights):
    rows = [
        {"layer_id": 1, "longname": "fc1", "N": 8, "M": 6},
        {"layer_id": 2, "longname": "a.fc2", "N": 9, "M": 6},
        {"layer_id": 3, "longname": "other", "N": 70, "M": 60},
    ]
    found = match_layers(weights, table(tmp_path, rows))
    assert matched(found) == {"a.fc2": ("name", ["line 3"])}
    assert reasons(found) == {
        "fc1": "its name means 2 layers, such as b.fc1",
        "other": "no layer without a row has its name, or may be 70×60",
    }
    assert alone(weights, found) == ["b.fc1", "a.fc1", "conv", "out"]


@pytest.mark.spec("AUD-4")
def test_rows_of_one_number_are_one_layer(tmp_path, weights):
    rows = [{"layer_id": 5, "level": "LEVEL.SLICE", "N": 5, "M": 4, "log_norm": 1}] * 9
    found = match_layers(weights, table(tmp_path, rows))
    assert matched(found) == {"conv": ("shape", [f"line {i}" for i in range(2, 11)])}


@pytest.mark.spec("AUD-4")
def test_without_names_and_shapes_order_decides_if_nothing_is_missing(tmp_path, weights):
    rows = [{"layer_id": i} for i in (3, 1, 4, 2, 5)]
    found = match_layers(weights, table(tmp_path, rows))
    places = [pair.rows[0].place for pair in found.pairs]
    assert places == ["line 3", "line 5", "line 2", "line 4", "line 6"]
    assert {pair.how for pair in found.pairs} == {"order"}
    found = match_layers(weights, table(tmp_path, rows[:4]))
    assert found.pairs == ()
    assert reasons(found)["layer 3"] == "nothing tells which of 5 layers belong to 4 of the table"


@pytest.mark.spec("AUD-4")
def test_a_convention_that_cannot_cut_a_layer_gives_it_no_shape(tmp_path, weights):
    small_images = SDM2020_TEXT.override({"conv": "operator", "map_size": 2})  # The kernel is 3×3.
    rows = [{"layer_id": 1, "longname": "conv", "N": 5, "M": 4}]
    found = match_layers(weights, table(tmp_path, rows), [small_images])
    assert matched(found) == {"conv": ("name", ["line 2"])}


@pytest.mark.spec("AUD-5")
def test_a_name_with_another_shape_matches_nothing_else(tmp_path, weights):
    # out is 9×3, and nothing else is.
    rows = [{"layer_id": 1, "longname": "a.fc2", "N": 9, "M": 3}]
    found = match_layers(weights, table(tmp_path, rows))
    assert found.pairs == ()
    assert reasons(found) == {
        "a.fc2": "it is 9×3, which no matrix of the layer a.fc2 (9×6) is",
    }
    assert "a.fc2" in alone(weights, found)


@pytest.mark.spec("AUD-4")
def test_the_end_of_a_name_with_another_shape_is_no_contradiction(tmp_path, weights):
    rows = [{"layer_id": 1, "longname": "fc2", "N": 9, "M": 3}]
    found = match_layers(weights, table(tmp_path, rows))
    assert matched(found) == {"out": ("shape", ["line 2"])}


@pytest.mark.spec("AUD-5")
def test_a_layer_that_is_left_out_is_the_reason(tmp_path):
    weights = open_weights({"fc.weight": np.ones((9, 6)), "fc.mask": np.ones(9)})
    rows = [{"layer_id": 1, "longname": "fc.mask", "N": 9, "M": 1}]
    found = match_layers(weights, table(tmp_path, rows))
    (layer,) = [x for x in weights.layers if x.name == "fc.mask"]
    assert reasons(found) == {"fc.mask": f"fc.mask is left out: {layer.left_out}"}


@pytest.mark.spec("AUD-5")
def test_a_table_of_another_model_has_no_layer(tmp_path, weights):
    rows = [{"layer_id": 1, "longname": "h.0", "N": 90, "M": 70}]
    found = match_layers(weights, table(tmp_path, rows))
    assert (found.pairs, len(found.rows_alone), len(found.layers_alone)) == ((), 1, 5)
