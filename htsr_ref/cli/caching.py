"""--cache: eigenvalues that are kept in a folder from one command to the next."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from htsr_ref.cli import options, output

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from htsr_ref.spectra.cache import SpectrumCache


@contextmanager
def cache_in(
    folder: Path | None, size: str | None, blas_threads: int = 1
) -> Iterator[SpectrumCache | None]:
    """Open a cache; if it could not be written, that is said once, at the end.

    Spec: SCL-22, SCL-23.
    """
    if folder is None:
        yield None
        return
    from htsr_ref.spectra.cache import SpectrumCache
    from htsr_ref.spectra.cache_folder import LIMIT, open_folder

    limit = LIMIT if size is None else options.bytes_of(size, "--cache-size")
    cache = SpectrumCache(open_folder(folder, limit), blas_threads)
    try:
        yield cache
    finally:
        if cache.problem is not None:
            output.fail(f"warning: {cache.problem}")
