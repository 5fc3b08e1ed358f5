"""--dask: layers analyzed by a Dask cluster (extra `dask`)."""

from __future__ import annotations

import logging
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from htsr_ref.errors import ExecutorError, HtsrError
from htsr_ref.machine.cores import usable_cores

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Executor

LOCAL = "local"
"""In place of an address: a cluster of this machine's cores, for this command."""

RETRIES = 3
"""How often a piece of work is given to another worker after one was lost with it."""

PATIENCE = 15
"""Seconds in which a scheduler must answer."""


@contextmanager
def dask_executor(address: str | None) -> Iterator[Executor | None]:
    """Connect to a scheduler; None without an address.

    Raises
    ------
    HtsrError
        Dask is not installed.
    ExecutorError
        No scheduler answers.

    Spec: SCL-13.
    """
    if address is None:
        yield None
        return
    try:
        from distributed import Client, LocalCluster
        from distributed.utils import silence_logging_cmgr
    except ImportError as error:
        raise HtsrError("--dask needs Dask: pip install 'htsr-ref[dask]'") from error
    with ExitStack() as stack:
        stack.enter_context(silence_logging_cmgr(logging.CRITICAL))
        try:
            scheduler = address
            if address == LOCAL:
                scheduler = stack.enter_context(
                    LocalCluster(
                        n_workers=usable_cores(),
                        threads_per_worker=1,
                        dashboard_address=None,
                        silence_logs=logging.CRITICAL,
                    )
                )
            client = stack.enter_context(Client(scheduler, timeout=PATIENCE, set_as_default=False))
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"--dask {address}: no scheduler answers there. Start `dask scheduler`, and give "
                "its address, such as tcp://127.0.0.1:8786, or local"
            ) from error
        yield client.get_executor(pure=False, retries=RETRIES)


@contextmanager
def lost_workers_named() -> Iterator[None]:
    """Turn what Dask raises of one piece of work that has ended several workers into our error.

    Spec: SCL-13.
    """
    from distributed import KilledWorker

    try:
        yield
    except KilledWorker as error:
        raise ExecutorError(
            "a layer has ended several workers, for lack of memory perhaps. Start workers with more"
        ) from error
