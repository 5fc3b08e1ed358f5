"""Stores of eigenvalues: what is kept is not computed again, and another kind of store will do."""

import hashlib
from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest

from htsr_ref.analysis.checks import NO_CHECKS
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.planning import plan
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.errors import LayerError
from htsr_ref.layers.cuts import layer_matrices
from htsr_ref.layers.matrices import matrix_from_array
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.solvers import Solved
from htsr_ref.spectra.store import MemoryStore, solve
from htsr_ref.weights import open_weights

OPERATOR = SDM2020_TEXT.override({"conv": "operator", "map_size": 5})


class FolderStore:
    """A store in files, under digests of the tensors' numbers."""

    def __init__(self, folder):
        self.folder = folder

    def _path(self, matrix, solver):
        digest = hashlib.sha256(matrix.data[...].tobytes()).hexdigest()
        name = hashlib.sha256(repr((digest, matrix.cut, solver)).encode()).hexdigest()
        return self.folder / f"{name}.npz"

    def has(self, matrix, solver):
        return self._path(matrix, solver).exists()

    def fetch(self, matrix, solver, find):
        path = self._path(matrix, solver)
        if not path.exists():
            solved = find()
            np.savez(path, eigenvalues=solved.eigenvalues, peak=solved.peak)
        with np.load(path) as kept:
            return Solved(kept["eigenvalues"], float(kept["peak"]))


@pytest.fixture
def model(tmp_path):
    rng = np.random.default_rng(0)
    np.savez_compressed(
        tmp_path / "model.npz",
        fc=rng.standard_normal((60, 50)),
        conv=rng.standard_normal((52, 55, 2, 2)),
        wide=rng.standard_normal((50, 70)).astype(np.float32),
    )
    return open_weights(tmp_path / "model.npz")


def forbidden(_):
    pytest.fail("this was kept and needs no solver")


@pytest.mark.spec("AUD-9")
@pytest.mark.parametrize("kind", ["memory", "folder"])
@pytest.mark.parametrize("convention", [SDM2020_TEXT, OPERATOR], ids=["slices", "operator"])
def test_what_is_kept_is_neither_solved_nor_read_again(
    model, tmp_path, monkeypatch, kind, convention
):
    store = MemoryStore() if kind == "memory" else FolderStore(tmp_path)
    planned = plan(model, convention)
    plain = [analyze_layer(item, convention, "auto", NO_CHECKS, 0) for item in planned]
    assert [
        analyze_layer(item, convention, "auto", NO_CHECKS, 0, store) for item in planned
    ] == plain
    monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", {"gram": forbidden, "svd": forbidden})
    monkeypatch.setattr(type(planned[0]), "loaded", forbidden)
    assert [
        analyze_layer(item, convention, "auto", NO_CHECKS, 0, store) for item in planned
    ] == plain


@pytest.mark.spec("AUD-9")
@pytest.mark.parametrize("convention", [SDM2020_TEXT, OPERATOR], ids=["slices", "operator"])
def test_no_two_matrices_of_a_source_are_confused(model, convention):
    members = [
        member
        for layer in model.layers
        for matrix in layer_matrices(layer, convention)
        for member in matrix.members
    ]
    for one, other in combinations(members, 2):
        assert (one.data.name, one.cut) != (other.data.name, other.cut)
    store = MemoryStore()
    for member in members:
        assert not store.has(member, "svd")
        solve(member, "svd", store)
        assert store.has(member, "svd")
        assert not store.has(member, "gram")
    copy = replace(members[0], data=members[0].data.load())
    assert solve(copy, "svd", store) is solve(members[0], "svd", store)


@pytest.mark.spec("AUD-9", "SPC-1")
def test_what_is_kept_does_not_depend_on_the_scale():
    matrix = matrix_from_array(np.diag([1.0, 2.0, 3.0]))
    store = MemoryStore()
    assert spectrum(matrix, store=store, normalization="none").lambda_max == 9
    assert spectrum(matrix, store=store).lambda_max == 3
    assert solve(matrix, "svd", store).eigenvalues.tolist() == [1, 4, 9]


def test_arrays_of_one_store_are_not_confused():
    store = MemoryStore()
    assert spectrum(np.eye(3), normalization="none", store=store).lambda_max == 1
    assert spectrum(2 * np.eye(3), normalization="none", store=store).lambda_max == 4


def test_a_solver_that_fails_keeps_nothing(monkeypatch):
    def fails(_):
        raise np.linalg.LinAlgError("did not converge")

    monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", {"svd": fails})
    matrix, store = matrix_from_array(np.eye(3)), MemoryStore()
    with pytest.raises(LayerError, match=r"svd solver failed .* Try the other solver"):
        solve(matrix, "svd", store)
    assert not store.has(matrix, "svd")


@pytest.mark.spec("AUD-9")
def test_what_a_store_behind_another_has_is_not_solved_again(monkeypatch):
    matrix, behind = matrix_from_array(np.diag([1.0, 2.0])), MemoryStore()
    solved = solve(matrix, "svd", MemoryStore(behind))
    monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", {"svd": forbidden})
    assert solve(matrix, "svd", MemoryStore(behind)) is solved
