"""Groups of eigenvalues that differ only by the solver's error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import generators, haar

from htsr_ref.layers.matrices import Pool, matrix_from_array
from htsr_ref.spectra.accuracy import accuracy_of, grouped, sample_accuracy
from htsr_ref.spectra.eigenvalues import spectrum

pytestmark = pytest.mark.spec("SPC-13")

SOLVERS = pytest.mark.parametrize("solver", ["gram", "svd"])


@pytest.mark.parametrize(
    ("values", "width", "expected"),
    [
        ([1.0, 2.0, 3.0], 0.5, [1.0, 2.0, 3.0]),
        ([1.0, 2.0, 2.5], 0.5, [1.0, 2.0, 2.0]),
        ([1.0, 1.5, 2.0, 2.5], 0.5, [1.0, 1.0, 2.0, 2.0]),  # from the largest down: no chain
        ([1.5, 2.0, 2.5], 0.5, [1.5, 2.0, 2.0]),
        ([0.0, 0.25, 0.5], 0.5, [0.0, 0.25, 0.25]),  # zeros belong to no group
        ([0.0, 0.0, 0.25], 0.5, [0.0, 0.0, 0.25]),
        ([0.0, 0.0], 0.5, [0.0, 0.0]),
        ([3.0, 3.0, 3.0], 0.0, [3.0, 3.0, 3.0]),
        ([2.0], 9.0, [2.0]),
    ],
)
def test_groups_found_by_hand(values, width, expected):
    found = grouped(np.array(values), np.full(len(values), width))
    assert found.tolist() == expected


@given(st.lists(st.integers(0, 30), min_size=1, max_size=30), st.data())
def test_groups_are_those_of_the_definition(numbers, data):
    values = np.sort(np.array(numbers, dtype=np.float64))
    size = values.size
    widths = np.array(data.draw(st.lists(st.integers(0, 6), min_size=size, max_size=size)), float)
    expected, left = values.copy(), list(np.flatnonzero(values > 0))
    while left:
        group = [i for i in left if values[i] >= values[left[-1]] - widths[left[-1]]]
        expected[group] = values[group[0]]
        left = left[: left.index(group[0])]
    assert grouped(values, widths).tolist() == expected.tolist()


@SOLVERS
@given(generators, st.integers(2, 5))
def test_equal_singular_values_make_one_group(solver, rng, times):
    sigma = np.sort(10.0 ** -rng.uniform(0, 2, 4))
    W = haar(rng, 40, 4 * times) * np.repeat(sigma, times) @ haar(rng, 4 * times, 4 * times).T
    found = spectrum(W, normalization="none", solver=solver)
    groups = np.unique(grouped(found.eigenvalues, accuracy_of(found).widths), return_counts=True)
    np.testing.assert_allclose(groups[0], sigma**2, rtol=1e-9)
    assert groups[1].tolist() == [times] * 4


@given(generators, st.integers(0, 9))
def test_small_singular_values_of_their_own_stay_apart(rng, decades):
    # `svd` finds them to a share of √λ, so that they are not lost in a share of the largest.
    sigma = np.sort(10.0 ** -(decades + rng.uniform(0, 1, 6)))
    sigma[-1] = 1.0
    found = spectrum(np.diag(sigma), solver="svd")
    assert np.array_equal(grouped(found.eigenvalues, accuracy_of(found).widths), found.eigenvalues)


@SOLVERS
def test_values_of_different_matrices_are_equal_within_the_larger_error(solver):
    rng = np.random.default_rng(7)
    members = tuple(
        matrix_from_array(haar(rng, 30, 3) * np.array([1.0, 2.0, top]) @ haar(rng, 3, 3).T)
        for top in (3.0, 30.0)
    )
    found = spectrum(Pool("", 30, 3, members, members[0].origin), solver=solver)
    values = grouped(found.eigenvalues, accuracy_of(found).widths)
    np.testing.assert_array_equal(values[[0, 2]], values[[1, 3]])
    assert np.unique(values).size == 4


def test_values_of_a_sample_are_all_there_and_equal_within_the_error_of_squares():
    x = np.array([1e-40, 1.0 - 2.0**-45, 1.0])
    found = sample_accuracy(x)
    assert found.resolved.all()
    epsilon = 2.0**-46  # 128·2⁻⁵³, SPC-4
    assert found.resolution == found.widths[-1] == 2 * (2 * epsilon + epsilon**2)
    assert grouped(x, found.widths).tolist() == [1e-40, 1.0 - 2.0**-45, 1.0 - 2.0**-45]
