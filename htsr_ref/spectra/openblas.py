"""Two routines of the OpenBLAS that NumPy's wheels bring along and NumPy itself does not offer.

Both release the GIL. Where NumPy rests on another library, or a routine fails the check on a known
matrix, there is none, and NumPy's own ways are taken.
"""

import ctypes
from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]

Syrk = Callable[[Matrix, Matrix], None]
"""Adds BᵀB of the second matrix to the upper triangle of the first, which is in Fortran order."""

TwoStage = Callable[[Matrix], Matrix]
"""Eigenvalues, ascending, of the upper triangle of a matrix in Fortran order, which is lost."""

_CHECKED_SIZE = 150
"""Columns of the known matrix: more than the band that the first stage reduces it to."""


@cache
def find_syrk() -> Syrk | None:
    """Find dsyrk; None where NumPy has none that is right.

    Spec: SPC-14.
    """
    routine = _routine("scipy_dsyrk_64_", 10)
    if routine is None:
        return None

    def add(gram: Matrix, block: Matrix) -> None:
        # BLAS takes Fortran order without a copy: a C-ordered block is that, transposed.
        block = np.require(block, np.float64, "A")
        is_c = block.flags.c_contiguous
        if not (is_c or block.flags.f_contiguous):
            block, is_c = np.ascontiguousarray(block), True
        rows, columns = block.shape
        order, one = _integer(columns), ctypes.byref(ctypes.c_double(1.0))
        routine(
            b"U",
            b"N" if is_c else b"T",
            order,
            _integer(rows),
            one,
            block.ctypes.data,
            order if is_c else _integer(rows),
            one,
            gram.ctypes.data,
            order,
            1,
            1,
        )

    known = _second_difference(3)
    found = np.zeros((3, 3), order="F")
    add(found, known)
    add(found, np.asfortranarray(known))
    return add if np.array_equal(found, np.triu(2 * known @ known)) else None


@cache
def find_two_stage() -> TwoStage | None:
    """Find dsyevd_2stage; None where NumPy has none that is right.

    Spec: SPC-14.
    """
    routine = _routine("scipy_dsyevd_2stage_64_", 11)
    if routine is None:
        return None

    def solve(matrix: Matrix) -> Matrix:
        size = matrix.shape[0]
        eigenvalues = np.empty(size)
        info = ctypes.c_int64(0)

        def call(work: Matrix, work_size: int, integers: NDArray[np.int64], count: int) -> None:
            routine(
                b"N",
                b"U",
                _integer(size),
                matrix.ctypes.data,
                _integer(size),
                eigenvalues.ctypes.data,
                work.ctypes.data,
                _integer(work_size),
                integers.ctypes.data,
                _integer(count),
                ctypes.byref(info),
                1,
                1,
            )

        work, integers = np.empty(1), np.empty(1, np.int64)
        call(work, -1, integers, -1)
        work, integers = np.empty(int(work[0])), np.empty(int(integers[0]), np.int64)
        call(work, work.size, integers, integers.size)
        if info.value:
            raise np.linalg.LinAlgError(f"dsyevd_2stage gives {info.value}")
        return eigenvalues

    known = _second_difference(_CHECKED_SIZE)
    places = np.arange(1, _CHECKED_SIZE + 1)
    exact = 4 * np.sin(0.5 * np.pi * places / (_CHECKED_SIZE + 1)) ** 2
    found = solve(np.asfortranarray(known))
    return solve if np.allclose(found, exact, rtol=0, atol=1e-13) else None


def _routine(name: str, arguments: int) -> Any | None:
    """Routine, with two letters first, of the library that NumPy's linear algebra is linked to.

    Fortran compilers pass the lengths of letters after all arguments.
    """
    try:
        # Names are looked up in the libraries that an extension is linked to as well.
        routine = ctypes.CDLL(import_module("numpy.linalg._umath_linalg").__file__)[name]
    except (AttributeError, OSError):
        return None
    routine.restype = None
    letters, lengths = [ctypes.c_char_p] * 2, [ctypes.c_size_t] * 2
    routine.argtypes = [*letters, *[ctypes.c_void_p] * (arguments - 2), *lengths]
    return routine


def _integer(value: int) -> Any:
    """Pass an integer as Fortran takes it."""
    return ctypes.byref(ctypes.c_int64(value))


def _second_difference(size: int) -> Matrix:
    """Tridiagonal matrix -1, 2, -1, whose eigenvalues are 4·sin²(½πk/(size + 1))."""
    return 2 * np.eye(size) - np.eye(size, k=1) - np.eye(size, k=-1)
