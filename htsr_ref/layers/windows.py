"""Windows along one axis of a matrix."""


def windows(length: int, window: int, count: int) -> tuple[slice, ...]:
    """At most `count` windows at equal whole steps along an axis.

    An axis shorter than a window has one, its last `window` − `length` entries or all of it.

    Spec: MAT-13. Source: FARMS (arXiv 2506.06280), whose code for images starts at a negative
    index there, which counts from the end.

    >>> [[part.start for part in windows(10, 4, count)] for count in (1, 2, 3)]
    [[0], [0, 6], [0, 3, 6]]
    >>> [part.start for part in windows(6, 4, 9)]
    [0, 1, 2]
    >>> windows(64, 100, 9), windows(10, 100, 9)
    ((slice(28, 64, None),), (slice(0, 10, None),))
    """
    room = length - window
    if room < 0:
        return (slice(max(0, length + room), length),)
    step = max(1, room // max(1, count - 1))
    starts = range(0, min(room, step * (count - 1)) + 1, step)
    return tuple(slice(start, start + window) for start in starts)
