"""Matching where names say nothing."""

from dataclasses import replace

import numpy as np
import pytest
from audit_tables import to_csv, written
from hypothesis import given
from hypothesis import strategies as st
from networks import heavy

from htsr_ref.audits import read_table
from htsr_ref.audits.matching import match_layers
from htsr_ref.audits.nameless import in_order, sum_of_squares
from htsr_ref.audits.partners import candidates_of
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.layers.matrices import BLOCK_ELEMENTS
from htsr_ref.weights import open_weights

WW = [CONVENTIONS["weightwatcher-0.7.7"]]


def matched(folder, weights, rows, conventions=WW):
    rows = [{"alpha": 2.0, **row} for row in rows]
    found = match_layers(weights, read_table(written(folder, to_csv(rows))), conventions)
    return {pair.rows[0].place: (pair.layer, pair.how) for pair in found.pairs}


@pytest.mark.spec("AUD-4")
@given(order=st.permutations(range(5)), logarithm=st.booleans())
def test_the_order_of_a_file_does_not_matter_where_norms_are_told(
    tmp_path_factory, order, logarithm
):
    rng = np.random.default_rng(3)
    arrays = {f"t{i}": rng.normal(size=(9, 8) if i % 2 else (8, 9)) for i in range(5)}
    norms = [float((W**2).sum()) for W in arrays.values()]
    rows = [
        {"layer_id": i, "N": 9, "M": 8}
        | ({"log_norm": np.log10(norm)} if logarithm else {"norm": norm})
        for i, norm in enumerate(norms)
    ]
    weights = open_weights({f"t{i}": arrays[f"t{i}"] for i in order})
    found = matched(tmp_path_factory.mktemp("norms"), weights, rows)
    assert found == {f"line {i + 2}": (f"t{i}", "norm") for i in range(5)}


@pytest.mark.spec("AUD-4")
def test_a_layer_without_a_norm_leaves_order(tmp_path):
    bad = np.full((9, 8), np.nan)
    weights = open_weights({"a": np.full((9, 8), 2.0), "b": bad, "c": np.ones((9, 8))})
    rows = [{"layer_id": i, "N": 9, "M": 8, "norm": norm} for i, norm in enumerate((5, 7, 6))]
    assert set(matched(tmp_path, weights, rows).values()) == {(x, "order") for x in "abc"}
    rows[1]["norm"] = "inf"
    weights = open_weights({"a": np.full((9, 8), 2.0), "c": np.ones((9, 8)), "d": np.eye(9, 8)})
    assert set(matched(tmp_path, weights, rows).values()) == {(x, "order") for x in "acd"}


@pytest.mark.spec("AUD-4")
def test_numbered_siblings_are_ordered_by_number_and_others_as_they_stand():
    names = ["out", "h.0.mlp", "h.0.attn", "h.10.attn", "h.2.mlp", "h.2.attn", "g.1", "embed"]
    weights = open_weights({f"{name}.weight": np.ones((3, 2)) for name in names})
    ordered = [c.layer.name for c in in_order(candidates_of(weights, WW))]
    assert ordered == [
        "out",
        "h.0.mlp",
        "h.0.attn",
        "h.2.mlp",
        "h.2.attn",
        "h.10.attn",
        "g.1",
        "embed",
    ]


@pytest.mark.spec("AUD-4")
def test_shapes_of_the_convention_at_issue_come_before_those_of_others(tmp_path):
    # Windows of 9×6 (CNV-16) are 6×6, as is the other layer.
    weights = open_weights({"wide": np.ones((9, 6)), "square": np.ones((6, 6))})
    rows = [{"layer_id": 1, "N": 6, "M": 6}]
    assert matched(tmp_path, weights, rows) == {"line 2": ("square", "shape")}
    assert matched(tmp_path, weights, rows, CONVENTIONS.values()) == {}


@pytest.mark.spec("AUD-4")
@pytest.mark.parametrize("stored", ["once", "twice"])
def test_rows_that_repeat_anothers_numbers_are_tied_modules(tmp_path, stored):
    arrays = {"embed": heavy(np.random.default_rng(1), 30, 20)}
    if stored == "twice":
        arrays["output"] = arrays["embed"]
    rows = [{"layer_id": i, "N": 30, "M": 20, "norm": 3.5} for i in (1, 7)]
    rows.append({"layer_id": 8, "N": 30, "M": 20, "norm": 3.6})
    found = matched(tmp_path, open_weights(arrays), rows[:2])
    if stored == "twice":
        assert found == {"line 2": ("embed", "norm"), "line 3": ("output", "norm")}
    else:
        assert found == {"line 2": ("embed", "shape"), "line 3": ("embed", "tied")}
        assert matched(tmp_path, open_weights(arrays), rows) == {}


@pytest.mark.spec("AUD-4")
def test_a_tensor_that_is_tied_to_another_has_a_row_by_name(tmp_path):
    W = heavy(np.random.default_rng(1), 30, 20)
    weights = open_weights({"embed": W, "head": W})
    embed, head = weights.layers
    weights = replace(weights, layers=(embed, replace(head, same_as="embed")))
    rows = [
        {"layer_id": i, "longname": n, "N": 30, "M": 20} for i, n in enumerate(("embed", "head"))
    ]
    found = match_layers(
        weights, read_table(written(tmp_path, to_csv([{**r, "alpha": 1} for r in rows]))), WW
    )
    assert [(p.layer, p.place, p.how) for p in found.pairs] == [
        ("embed", 0, "name"),
        ("head", 0, "name"),
    ]
    assert found.layers_alone == ()


def test_a_sum_of_squares_over_several_blocks():
    W = np.random.default_rng(2).normal(size=(3, BLOCK_ELEMENTS // 2 + 1))
    assert sum_of_squares(open_weights({"W": W}).layers[0].data) == pytest.approx(
        (W**2).sum(), rel=1e-12
    )
