"""Which matrices are analyzed: limits of size."""

import numpy as np
import pytest

from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.weights import TensorSpec, open_weights, write_weights

KERNEL = np.ones((6, 4, 1, 3))


def planned(**fields: object) -> PlannedLayer:
    (item,) = plan(open_weights({"conv": KERNEL}), SDM2020_TEXT.override({"min_dim": 0, **fields}))
    return item


@pytest.mark.spec("MAT-15")
@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"conv": "pooled", "min_eigenvalues": 12}, None),
        (
            {"conv": "pooled", "min_eigenvalues": 13},
            "12 eigenvalues are below min_eigenvalues = 13",
        ),
        ({"conv": "slices", "min_eigenvalues": 5}, "4 eigenvalues are below min_eigenvalues = 5"),
        ({"conv": "pooled", "max_eigenvalues": 12}, None),
        (
            {"conv": "pooled", "max_eigenvalues": 11},
            "12 eigenvalues are above max_eigenvalues = 11",
        ),
        ({"max_rows": 6}, None),
        ({"max_rows": 5}, "N = 6 is above max_rows = 5"),
    ],
)
def test_limits_of_size(fields, reason):
    item = planned(**fields)
    assert item.skipped == reason
    assert item.skip_code == (None if reason is None else "size")
    assert bool(item.matrices) == (reason is None)


@pytest.mark.spec("MAT-15", "RPT-5")
def test_matrices_that_are_left_out_are_named():
    weights = open_weights(
        {"fused": np.ones((9, 4))},
        {
            "fused": {
                "role": "weight",
                "parts": [{"name": "a", "size": 2}, {"name": "b", "size": 7}],
            }
        },
    )
    (item,) = plan(weights, SDM2020_TEXT.override({"fused": "split", "min_eigenvalues": 3}))
    assert [matrix.label for matrix in item.matrices] == ["b"]
    assert item.warnings == ("below min_eigenvalues, left out: a",)
    (item,) = plan(weights, SDM2020_TEXT.override({"fused": "split", "max_rows": 5}))
    assert [matrix.label for matrix in item.matrices] == ["a"]
    assert item.warnings == ("above max_rows, left out: b",)


@pytest.mark.spec("MAT-12")
def test_a_kernel_larger_than_the_images_is_refused():
    item = planned(conv="operator", map_size=2)
    assert item.skip_code == "bad-data"
    assert "the kernel (1, 3) is larger than the images of map_size = 2" in item.skipped
    assert planned(conv="operator", map_size=3).skipped is None


def codes(arrays, layers=None, **changes):
    weights = open_weights(arrays, layers)
    planned = plan(weights, SDM2020_TEXT.override(changes))
    return {item.layer.tensor: (item.skip_code, len(item.matrices)) for item in planned}


@pytest.mark.spec("MAT-18")
def test_stacked_experts_are_taken_one_by_one_or_not_at_all():
    arrays = {"mlp.experts.w1": np.ones((5, 60, 55)), "q.weight": np.ones((60, 55))}
    assert codes(arrays) == {"mlp.experts.w1": (None, 5), "q.weight": (None, 1)}
    skipped = codes(arrays, experts="skip")
    assert skipped == {"mlp.experts.w1": ("convention", 0), "q.weight": (None, 1)}


@pytest.mark.spec("MAT-19")
def test_tied_names_are_analyzed_once_or_each(tmp_path):
    path = tmp_path / "m.safetensors"
    head = TensorSpec("weight", ("out", "in"), same_as="embed")
    arrays = {"embed": np.ones((60, 55))}
    write_weights(path, arrays, {"embed": TensorSpec("embedding"), "head": head})
    assert codes(path) == {"embed": ("convention", 0), "head": ("tied", 0)}
    assert codes(path, tied="each") == {"embed": ("convention", 0), "head": (None, 1)}
    both = codes(path, tied="each", layer_kinds="weight,embedding")
    assert both == {"embed": (None, 1), "head": (None, 1)}


@pytest.mark.spec("MAT-20")
def test_projections_that_are_no_modules_weight_may_be_passed_over():
    arrays = {"attn.in_proj_weight": np.ones((60, 20)), "attn.out_proj.weight": np.ones((20, 20))}
    assert codes(arrays)["attn.in_proj_weight"] == (None, 1)
    seen = codes(arrays, parameters="module-weights")
    assert seen == {"attn.in_proj_weight": ("convention", 0), "attn.out_proj.weight": (None, 1)}


@pytest.mark.spec("MAT-21", "MAT-22")
def test_convolutions_of_some_sorts_may_be_passed_over():
    arrays = {
        "conv1.weight": np.ones((60, 55, 3)),
        "conv2.weight": np.ones((60, 55, 1, 1)),
        "up_conv_transpose.weight": np.ones((60, 55, 1, 1)),
        "fc.weight": np.ones((60, 55)),
    }
    taken = {name: code for name, (code, _) in codes(arrays).items()}
    assert set(taken.values()) == {None}

    def left(**changes):
        return {name for name, (code, _) in codes(arrays, **changes).items() if code is not None}

    assert left(conv1d="skip") == {"conv1.weight"}
    assert left(transposed="skip") == {"up_conv_transpose.weight"}
    assert left(conv="skip") == {"conv1.weight", "conv2.weight", "up_conv_transpose.weight"}
