"""Eigenvalues kept on disk, so that another run, or another command, need not solve again."""

from __future__ import annotations

import hashlib
import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from htsr_ref.errors import OutputError
from htsr_ref.machine.blas import libraries
from htsr_ref.spectra.cache_folder import CacheFolder, cause_of, open_folder
from htsr_ref.spectra.solvers import Solved
from htsr_ref.version import __version__
from htsr_ref.weights.stored import StoredTensor

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterator

    from htsr_ref.layers.matrices import WeightMatrix
    from htsr_ref.spectra.cache_folder import Place
    from htsr_ref.spectra.solvers import Solver

    Cache: TypeAlias = "str | os.PathLike[str] | SpectrumCache"

LEAST_COLUMNS = 256
"""Columns of a matrix below which keeping its eigenvalues does not pay (SCL-24)."""

MARK = b"htsr spectrum 1\n"
"""What every file of a cache begins with."""

_NUMBERS = np.dtype("<f8")


class SpectrumCache:
    """Eigenvalues of any matrices, in the files of a folder, under digests of their numbers.

    Parameters
    ----------
    folder : where they are.
    blas_threads : threads of each call of linear algebra: more than one changes last digits.

    Attributes
    ----------
    problem : why nothing more is written; None while all is well.

    Spec: SCL-20, SCL-21.
    """

    def __init__(self, folder: CacheFolder, blas_threads: int = 1) -> None:
        self.folder = folder
        self.problem: str | None = None
        self._circumstances = repr((__version__, np.__version__, libraries(), blas_threads)).encode(
            "ascii", "backslashreplace"
        )

    @property
    def place(self) -> Place:
        """What another process opens the cache by."""
        return self.folder.path.absolute(), self.folder.limit

    def has(self, matrix: WeightMatrix, solver: Solver) -> bool:
        """Whether a remote matrix is found without its numbers; any other is not.

        Spec: SCL-28.
        """
        if not _is_kept(matrix):
            return False
        key = self._key_unread(matrix, solver)
        return key is not None and self.folder.has(key.hex(), size_of(matrix.M))

    def fetch(self, matrix: WeightMatrix, solver: Solver, find: Callable[[], Solved]) -> Solved:
        """Return what is kept of a matrix, or find it, keep it and return it.

        A cache that cannot be written is left alone from then on.

        Spec: SCL-23, SCL-24.
        """
        if not _is_kept(matrix):
            return find()
        key = self._key_unread(matrix, solver) or self._key(matrix, solver)
        content = self.folder.read(key.hex(), size_of(matrix.M))
        kept = None if content is None else unpacked(content, key)
        if kept is not None:
            self.folder.touch(key.hex())
            return kept
        solved = find()
        if self.problem is None:
            try:
                self.folder.write(key.hex(), packed(solved, key))
            except (OSError, OutputError) as error:
                self.problem = (
                    f"{self.folder.path}: the cache cannot be written ({cause_of(error)}); not "
                    "all eigenvalues of this run are kept"
                )
        return solved

    def _key_unread(self, matrix: WeightMatrix, solver: Solver) -> bytes | None:
        """Digest of what a server states in place of the numbers; None without such a statement.

        Spec: SCL-28.
        """
        version = matrix.data.version if isinstance(matrix.data, StoredTensor) else None
        if version is None:
            return None
        stated = repr((version, matrix.cut, matrix.transposed, matrix.N, matrix.M, solver))
        return hashlib.sha256(
            self._circumstances + stated.encode("utf-8", "backslashreplace")
        ).digest()

    def _key(self, matrix: WeightMatrix, solver: Solver) -> bytes:
        """Digest of all that the last digits of the eigenvalues depend on.

        Spec: SCL-20.
        """
        digest = hashlib.sha256(self._circumstances)
        digest.update(f"{solver} {matrix.N} {matrix.M}".encode("ascii"))
        for block in matrix.blocks():
            # BLAS adds in another order what lies in memory by columns.
            is_c = block.flags.c_contiguous
            digest.update(f"{block.shape} {is_c}".encode("ascii"))
            digest.update(np.ascontiguousarray(block if is_c else block.T).data)
        return digest.digest()


def _is_kept(matrix: WeightMatrix) -> bool:
    """Whether a matrix is large; a product of small factors is solved from them (DER-9).

    Spec: SCL-24.
    """
    return matrix.M >= LEAST_COLUMNS and matrix.rank_bound >= matrix.M


def packed(solved: Solved, key: bytes) -> bytes:
    """Write eigenvalues as bytes that show any damage.

    Spec: SCL-21.
    """
    numbers = np.concatenate([[solved.peak], solved.eigenvalues]).astype(_NUMBERS)
    content = MARK + key + numbers.tobytes()
    return content + hashlib.sha256(content).digest()


def unpacked(content: bytes, key: bytes) -> Solved | None:
    """Read eigenvalues; None if the bytes are not what was written under this key.

    Spec: SCL-21.
    """
    body, checksum = content[: -len(key)], content[-len(key) :]
    if not body.startswith(MARK + key) or hashlib.sha256(body).digest() != checksum:
        return None
    numbers = np.frombuffer(body, _NUMBERS, offset=len(MARK + key)).astype(np.float64)
    return Solved(numbers[1:], float(numbers[0]))


def size_of(M: int) -> int:
    """Bytes that the eigenvalues of a matrix with M columns take."""
    digest = hashlib.sha256().digest_size
    return len(MARK) + digest + _NUMBERS.itemsize * (1 + M) + digest


@contextmanager
def opened_cache(cache: Cache | None, blas_threads: int = 1) -> Iterator[SpectrumCache | None]:
    """Open a cache by its path, and warn at the end if it could not be written.

    Parameters
    ----------
    cache : a folder; one that is open already is left to whoever opened it, and None stays None.
    blas_threads : see `SpectrumCache`.

    Raises
    ------
    CacheError
        The folder is something else, or it cannot be read or made.

    Spec: SCL-20, SCL-23.
    """
    if cache is None or isinstance(cache, SpectrumCache):
        yield cache
        return
    opened = SpectrumCache(open_folder(Path(cache)), blas_threads)
    try:
        yield opened
    finally:
        if opened.problem is not None:
            warnings.warn(opened.problem, RuntimeWarning, stacklevel=3)
