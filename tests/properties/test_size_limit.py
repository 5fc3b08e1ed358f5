"""A matrix is analyzed if and only if its smaller dimension is at least min_dim."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, shapes

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT


@pytest.mark.spec("MAT-1", "MAT-7")
@given(generators, shapes(), st.integers(-2, 2), st.booleans())
def test_min_dim_is_the_smallest_that_is_analyzed(rng, shape, above, wide):
    N, M = shape
    min_dim = max(0, M + above)
    convention = SDM2020_TEXT.override({"min_dim": min_dim, "min_dim_applies_to": "all"})
    W = rng.standard_normal((M, N) if wide else (N, M))
    (layer,) = analyze({"W": W}, convention).layers
    assert (layer.skip_code is None) == (min_dim <= M)
