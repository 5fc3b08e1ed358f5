"""Chapters PL and SPC computed by mpmath, straight from their definitions.

Slow and plain on purpose; shares nothing with the package under test.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mpmath import mp, mpf

DIGITS = 40


@dataclass(frozen=True)
class Tail:
    """The fit of the points x ≥ xmin."""

    xmin: float
    size: int
    alpha: mpf
    distances: dict[str, mpf]

    def distance(self, ks: str) -> mpf:
        """KS distance of one kind."""
        return self.distances[ks]


def fit_tail(sample: Iterable[float], xmin: float) -> Tail:
    """PL-2 and PL-3."""
    with mp.workdps(DIGITS):
        tail = [float(x) for x in sorted(sample) if x >= xmin]
        logs = [mp.log(mpf(x) / mpf(xmin)) for x in tail]
        n = len(logs)
        alpha = 1 + n / mp.fsum(logs)
        F = [1 - mp.exp((1 - alpha) * log) for log in logs]
        below = max(abs(f - mpf(k) / n) for k, f in enumerate(F))
        above = max(abs(f - mpf(k + 1) / n) for k, f in enumerate(F))
        steps = max(abs(F[k] - mpf(k) / n) for k in range(n) if k == 0 or tail[k] != tail[k - 1])
        kinds = {"one-sided": below, "two-sided": max(below, above), "one-sided-steps": steps}
        return Tail(xmin, n, alpha, kinds)


def scan(sample: Iterable[float]) -> list[Tail]:
    """Fit every candidate of PL-4, ascending."""
    points = [float(x) for x in sample]
    return [fit_tail(points, x) for x in sorted(set(points))[:-1]]


def best(tails: Sequence[Tail], ks: str) -> Tail:
    """PL-4: the least distance, the smallest xmin among equal ones."""
    return min(tails, key=lambda tail: (tail.distance(ks), tail.xmin))


def lead(tails: Sequence[Tail], ks: str) -> float:
    """How far the best candidate is ahead of the second; infinite for a single one."""
    distances = sorted(tail.distance(ks) for tail in tails)
    return float(distances[1] - distances[0]) if len(distances) > 1 else float("inf")


def singular_values(W: Sequence[Sequence[float]]) -> list[mpf]:
    """Singular values of a small tall matrix, ascending, to about 15 digits more than binary64."""
    with mp.workdps(2 * DIGITS):
        A = mp.matrix([[mpf(float(x)) for x in row] for row in W])
        eigenvalues = mp.eigsy(A.T * A, eigvals_only=True)
        return sorted(mp.sqrt(max(value, mpf(0))) for value in eigenvalues)
