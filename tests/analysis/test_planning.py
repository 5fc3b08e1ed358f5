"""Which matrices are analyzed: limits of size."""

import numpy as np
import pytest

from htsr_ref import PAPER
from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.weights import open_weights

KERNEL = np.ones((6, 4, 1, 3))


def planned(**fields: object) -> PlannedLayer:
    (item,) = plan(open_weights({"conv": KERNEL}), PAPER.override({"min_dim": 0, **fields}))
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
    (item,) = plan(weights, PAPER.override({"fused": "split", "min_eigenvalues": 3}))
    assert [matrix.label for matrix in item.matrices] == ["b"]
    assert item.warnings == ("below min_eigenvalues, left out: a",)
    (item,) = plan(weights, PAPER.override({"fused": "split", "max_rows": 5}))
    assert [matrix.label for matrix in item.matrices] == ["a"]
    assert item.warnings == ("above max_rows, left out: b",)


@pytest.mark.spec("MAT-12")
def test_a_kernel_larger_than_the_images_is_refused():
    item = planned(conv="operator", map_size=2)
    assert item.skip_code == "bad-data"
    assert "the kernel (1, 3) is larger than the images of map_size = 2" in item.skipped
    assert planned(conv="operator", map_size=3).skipped is None
