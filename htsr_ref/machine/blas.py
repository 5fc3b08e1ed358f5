"""How many threads linear algebra takes: the only place that sets them.

More than one changes the last digits of eigenvalues, and on a busy machine threads that wait for
one another waste all cores.
"""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from threadpoolctl import ThreadpoolController

VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "OMP_NUM_THREADS")
"""What the libraries read when they are loaded."""


def start_with_one_thread() -> None:
    """Have linear algebra start no threads when NumPy is imported, in this process and its own.

    For programs alone, since it changes the environment. Does nothing once NumPy is imported.

    Spec: SCL-2.
    """
    os.environ.update(dict.fromkeys(VARIABLES, "1"))


@contextmanager
def blas_threads(count: int) -> Iterator[None]:
    """Limit linear algebra to a number of threads for each call, and undo that at the end.

    Only libraries that are loaded by now are limited: NumPy must be.

    The limit is that of the whole process: one thread of it sets it for the others.

    Spec: SCL-2.
    """
    with _controller(len(sys.modules)).limit(limits=count, user_api="blas"):
        yield


@lru_cache(maxsize=1)
def _controller(modules: int) -> ThreadpoolController:
    """Find the libraries that are loaded, which takes as long as a small matrix does.

    They come with modules: as long as there are no more of these, there are no more of them.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def libraries() -> list[str]:
    """Libraries of linear algebra that are loaded, with the processor whose code they run.

    Spec: SCL-10, SCL-20.
    """
    from threadpoolctl import threadpool_info

    facts = (entry for entry in threadpool_info() if entry["user_api"] == "blas")
    return sorted({f"{entry['internal_api']} {entry.get('architecture')}" for entry in facts})
