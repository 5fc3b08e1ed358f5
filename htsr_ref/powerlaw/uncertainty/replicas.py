"""What every resampling shares: the random generator, chunks of replicas, progress."""

from collections.abc import Callable, Iterator

import numpy as np

Seed = int | np.random.Generator
Progress = Callable[[int, int], None]

CHUNK_POINTS = 1 << 15
"""Points of the replicas that are drawn and searched together: arrays of this size stay in the
cache, and the overhead of calling NumPy is spread over dozens of replicas of a thousand points."""


def recorded(seed: Seed) -> int | None:
    """Return the seed as a result records it: a generator's past is not known.

    Spec: PL-42.
    """
    return None if isinstance(seed, np.random.Generator) else int(seed)


def chunks(
    replicas: int,
    points: int,
    progress: Progress | None,
) -> Iterator[int]:
    """Sizes of the chunks that a number of replicas is drawn in.

    Parameters
    ----------
    replicas : number of replicas.
    points : points in each of them.
    progress : called with the numbers done and in total each time that a chunk is dealt with.

    Yields
    ------
    int, the number of replicas to draw next.

    Raises
    ------
    ValueError
        No replicas are asked for.

    Spec: PL-43.

    >>> list(chunks(5, 1 << 14, lambda done, total: print(f"{done} of {total}")))
    2 of 5
    4 of 5
    5 of 5
    [2, 2, 1]
    """
    if replicas < 1:
        raise ValueError(f"{replicas} replicas are asked for: at least 1 is needed")
    most = max(1, CHUNK_POINTS // points)
    for begun in range(0, replicas, most):
        size = min(most, replicas - begun)
        yield size
        if progress is not None:
            progress(begun + size, replicas)
