"""Timing that a busy machine disturbs little: all contestants in turns, then medians and ratios."""

import os
import platform
import statistics
import sys
import time
from collections.abc import Callable, Container, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from types import MappingProxyType
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Timing:
    """Seconds of a contestant in each of its turns, and what it returned."""

    seconds: tuple[float, ...]
    result: Any

    @property
    def median(self) -> float:
        """Median over the turns."""
        return statistics.median(self.seconds)

    @property
    def least(self) -> float:
        """Time of the fastest turn: the least disturbed one."""
        return min(self.seconds)

    def over(self, other: "Timing") -> float:
        """Median of the ratios to another contestant in the same turns."""
        pairs = zip(self.seconds, other.seconds, strict=False)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def interleaved(
    contestants: Mapping[str, Callable[[], Any]],
    turns: int,
    *,
    patience: float = float("inf"),
    clock: Callable[[], float] = time.perf_counter,
) -> dict[str, Timing]:
    """Time every contestant in every turn: A B C A B C …

    Parameters
    ----------
    contestants : what to call, by name.
    turns : number of calls of each.
    patience : one whose first turn takes more seconds is spared the others.
    clock : `time.perf_counter`, or `time.process_time` where everything runs in one thread: it
        leaves out the time that other processes take.
    """
    seconds: dict[str, list[float]] = {name: [] for name in contestants}
    results: dict[str, Any] = {}
    for _ in range(turns):
        for name, run in contestants.items():
            if seconds[name] and seconds[name][0] > patience:
                continue
            start = clock()
            results[name] = run()
            seconds[name].append(clock() - start)
    return {name: Timing(tuple(seconds[name]), results[name]) for name in contestants}


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds by the clock and of the processors, megabytes at its peak."""

    wall: float
    cpu: float
    peak_mb: float


def process(
    command: Sequence[str],
    environment: Mapping[str, str] = MappingProxyType({}),
    *,
    accepted: Container[int] = (0,),
    silent: bool = False,
) -> Cost:
    """Run a process to its end; what it prints is dropped.

    Parameters
    ----------
    command : the program's path and its arguments.
    environment : what is changed in the environment.
    accepted : exit codes; any other ends the benchmark.
    silent : whether what it says on standard error is dropped, too.
    """
    dropped = (sys.stdout, sys.stderr) if silent else (sys.stdout,)
    start = time.perf_counter()
    spawned = os.posix_spawn(
        command[0],
        command,
        {**os.environ, **environment},
        file_actions=[
            (os.POSIX_SPAWN_OPEN, stream.fileno(), os.devnull, os.O_WRONLY, 0) for stream in dropped
        ],
    )
    _, status, usage = os.wait4(spawned, 0)
    wall = time.perf_counter() - start
    if os.waitstatus_to_exitcode(status) not in accepted:
        sys.exit(f"failed: {' '.join(command)}")
    return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / 1e6)


def apart(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function in a process of its own and return what it returns.

    On Linux the peak of a process that is started counts what its parent has ever taken: what needs
    much memory is done apart from the process that measures.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def circumstances() -> str:
    """One line on what the numbers depend on."""
    blas = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    threads = os.environ.get("OPENBLAS_NUM_THREADS", "unset")
    return (
        f"Python {platform.python_version()}, NumPy {np.__version__}, "
        f"{blas['name']} {blas['version']}, {os.cpu_count()} cores, "
        f"OPENBLAS_NUM_THREADS {threads}, load {os.getloadavg()[0]:.1f}"
    )
