"""The slices of a convolution do not see each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT

SMALL = SDM2020_TEXT.override({"min_dim": 0})


@pytest.mark.spec("MAT-3")
@given(generators, st.sampled_from(["float64", "float32", "float16"]), st.booleans())
def test_changing_one_slice_leaves_the_numbers_of_the_others(rng, dtype, wide):
    channels = (5, 8) if wide else (8, 5)
    kernel = rng.standard_normal((*channels, 3, 2)).astype(dtype)
    i, j = int(rng.integers(3)), int(rng.integers(2))
    changed = kernel.copy()
    changed[:, :, i, j] = rng.standard_normal(channels)
    before, after = (
        analyze({"conv": array}, SMALL).layers[0].matrices for array in (kernel, changed)
    )
    assert [matrix.label for matrix in before] == [f"[{a},{b}]" for a in range(3) for b in range(2)]
    differing = [a.label for a, b in zip(before, after, strict=True) if a != b]
    assert differing == [f"[{i},{j}]"]


@pytest.mark.spec("MAT-3")
@given(generators, st.sampled_from(["float64", "float32"]))
def test_a_slice_has_the_numbers_of_a_linear_layer(rng, dtype):
    kernel = rng.standard_normal((8, 5, 2, 1)).astype(dtype)
    slices = analyze({"conv": kernel}, SMALL).layers[0].matrices
    for i, found in enumerate(slices):
        linear = (
            analyze({"fc": np.ascontiguousarray(kernel[:, :, i, 0])}, SMALL).layers[0].matrices[0]
        )
        assert found.lambda_max == pytest.approx(linear.lambda_max, rel=1e-13)
        assert found.log10_frobenius_norm == pytest.approx(linear.log10_frobenius_norm, abs=1e-13)
