"""Routines called past NumPy: right, checked before they are used, and missed nowhere."""

import ctypes
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from strategies import prescribed

from htsr_ref.machine.blas import blas_threads
from htsr_ref.spectra import openblas, solvers
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.openblas import find_syrk, find_two_stage
from htsr_ref.spectra.solvers import solver_error


@pytest.fixture
def undiscovered():
    find_syrk.cache_clear()
    find_two_stage.cache_clear()
    yield
    find_syrk.cache_clear()
    find_two_stage.cache_clear()


def has_openblas() -> bool:
    name = np.show_config(mode="dicts")["Build Dependencies"]["blas"]["name"]
    return name == "scipy-openblas"


needs_openblas = pytest.mark.skipif(not has_openblas(), reason="NumPy rests on another library")


@needs_openblas
@pytest.mark.spec("SPC-14")
def test_wheels_of_numpy_have_both():
    assert find_syrk() is not None
    assert find_two_stage() is not None


@needs_openblas
@pytest.mark.spec("SPC-14")
@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (3, 5), (70, 41)])
@pytest.mark.parametrize("order", ["C", "F", "strided"])
def test_a_block_is_added_to_the_upper_triangle(shape, order):
    W = np.random.default_rng(0).integers(-9, 10, shape).astype(np.float64)
    block = np.repeat(W, 2, axis=1)[:, ::2] if order == "strided" else np.array(W, order=order)
    gram = np.asfortranarray(np.ones((shape[1], shape[1])))
    find_syrk()(gram, block)
    upper = np.triu_indices(shape[1])
    np.testing.assert_array_equal(gram[upper], 1 + (W.T @ W)[upper])


@needs_openblas
@pytest.mark.spec("SPC-4", "SPC-14")
@pytest.mark.parametrize("M", [1, 2, 30, 33, 200, 333])
@pytest.mark.parametrize("decades", [0, 3, 7])
def test_two_stages_keep_the_bound_on_prescribed_spectra(M, decades, monkeypatch):
    monkeypatch.setattr(solvers, "TWO_STAGE_SIZE", 1)
    rng = np.random.default_rng(M)
    exact = 10.0 ** np.sort(rng.uniform(-2 * decades, 0, M)) / 3
    W = prescribed(rng, M, np.sqrt(exact))
    found = spectrum(W, solver="gram", normalization="none", clamp=False).eigenvalues
    assert np.abs(found - exact).max() <= 2 * solver_error(M) * exact[-1]


@needs_openblas
@pytest.mark.slow
@pytest.mark.spec("SPC-4", "SPC-14")
def test_large_matrices_take_two_stages_and_keep_the_bound():
    rng = np.random.default_rng(0)
    exact = np.sort(rng.pareto(1.5, solvers.TWO_STAGE_SIZE))
    W = prescribed(rng, exact.size, np.sqrt(exact)).astype(np.float64)
    found = spectrum(W, solver="gram", normalization="none", clamp=False).eigenvalues
    assert np.abs(found - exact).max() <= 2 * solver_error(exact.size) * exact[-1]


@needs_openblas
@pytest.mark.spec("SPC-14", "SCL-2")
def test_calls_side_by_side_give_what_each_gives_alone():
    rng = np.random.default_rng(0)
    grams = [W.T @ W for W in rng.standard_normal((6, 150, 150))]
    solve = find_two_stage()
    with blas_threads(1):
        alone = [solve(np.asfortranarray(G)) for G in grams]
        with ThreadPoolExecutor(3) as pool:
            together = list(pool.map(lambda G: solve(np.asfortranarray(G)), grams))
    np.testing.assert_array_equal(together, alone)


@pytest.mark.spec("SPC-14")
@pytest.mark.parametrize("size", [1, 40])
def test_size_alone_decides(monkeypatch, size):
    monkeypatch.setattr(solvers, "TWO_STAGE_SIZE", 40)
    monkeypatch.setattr(solvers, "find_two_stage", lambda: lambda G: np.full(G.shape[0], 7.0))
    found = spectrum(np.eye(size), solver="gram", normalization="none").eigenvalues
    assert found.tolist() == [1.0 if size < 40 else 7.0] * size


@pytest.mark.spec("SPC-14")
def test_without_the_routines_numpy_alone_keeps_the_bound(monkeypatch, undiscovered):
    def missing(_: str) -> None:
        raise OSError

    monkeypatch.setattr(ctypes, "CDLL", missing)
    monkeypatch.setattr(solvers, "TWO_STAGE_SIZE", 1)
    assert find_syrk() is None
    assert find_two_stage() is None
    found = spectrum(np.diag([1.0, 2.0, 3.0]), solver="gram", normalization="none").eigenvalues
    np.testing.assert_allclose(found, [1.0, 4.0, 9.0], rtol=1e-14)


@pytest.mark.spec("SPC-14")
def test_a_routine_that_is_wrong_is_left_alone(monkeypatch, undiscovered):
    monkeypatch.setattr(openblas, "_routine", lambda *_: lambda *_: None)
    assert find_syrk() is None
    monkeypatch.setattr(openblas, "_routine", lambda *_: _one_everywhere)
    assert find_two_stage() is None


def _one_everywhere(*arguments):
    """Stand in for dsyevd_2stage: room for one number, and eigenvalues 1."""
    size = arguments[2]._obj.value
    wanted = arguments[6] if arguments[7]._obj.value == -1 else None
    if wanted is not None:
        ctypes.cast(wanted, ctypes.POINTER(ctypes.c_double))[0] = 1.0
        ctypes.cast(arguments[8], ctypes.POINTER(ctypes.c_int64))[0] = 1
    else:
        values = ctypes.cast(arguments[5], ctypes.POINTER(ctypes.c_double))
        for place in range(size):
            values[place] = 1.0
