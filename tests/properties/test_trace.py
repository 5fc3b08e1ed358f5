"""The eigenvalues sum to the squared Frobenius norm, times c."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import matrices

from htsr_ref.metrics import log10_frobenius_norm
from htsr_ref.spectra.eigenvalues import spectrum


@pytest.mark.spec("SPC-1", "MET-2")
@given(matrices, st.sampled_from(["gram", "svd"]), st.sampled_from(["1/N", "none"]))
def test_trace(W, solver, normalization):
    squared_norm = math.fsum(float(w) ** 2 for w in W.flat)
    c = 1 / len(W) if normalization == "1/N" else 1.0
    found = spectrum(W, solver=solver, normalization=normalization)
    assert math.fsum(found.eigenvalues) == pytest.approx(c * squared_norm, rel=1e-12)
    if squared_norm > 0:
        log_norm = log10_frobenius_norm(found.eigenvalues, found.scale)
        assert log_norm == pytest.approx(0.5 * math.log10(squared_norm), abs=1e-12)
