# /// script
# requires-python = ">=3.11"
# dependencies = ["mpmath>=1.3"]
# ///
"""Values that the Tracy-Widom law (β = 1) exceeds with the levels that the package uses.

F1(s) = det(1 - K) on (s, ∞) with K(x, y) = ½·Ai((x + y)/2), at the nodes of a Gauss-Legendre rule,
in 25 digits; two rules agree to the digits that are printed.
"""

from functools import partial

from mpmath import airyai, det, eye, findroot, matrix, mp, mpf, sqrt

LEVELS = ("1e-3",)
LENGTH = 40


def legendre(n: int, x: mpf) -> tuple[mpf, mpf]:
    """P_n and its slope, by the recurrence."""
    before, value = mpf(1), x
    for k in range(2, n + 1):
        before, value = value, ((2 * k - 1) * x * value - (k - 1) * before) / k
    return value, n * (before - x * value) / (1 - x * x)


def rule(n: int) -> list[tuple[mpf, mpf]]:
    """Nodes and weights on (0, LENGTH)."""
    found = []
    for k in range(n):
        x = mp.cos(mp.pi * (k + mpf(3) / 4) / (n + mpf(1) / 2))
        for _ in range(7):
            value, slope = legendre(n, x)
            x -= value / slope
        weight = LENGTH / ((1 - x * x) * legendre(n, x)[1] ** 2)
        found.append((LENGTH * (x + 1) / 2, weight))
    return found


def cdf(s: mpf, nodes: list[tuple[mpf, mpf]]) -> mpf:
    """F1(s)."""
    n = len(nodes)
    kernel = matrix(n)
    for i, (x, v) in enumerate(nodes):
        for j, (y, w) in enumerate(nodes[: i + 1]):
            kernel[i, j] = kernel[j, i] = sqrt(v * w) * airyai(s + (x + y) / 2) / 2
    return det(eye(n) - kernel)


def excess_of(s: mpf, level: mpf, nodes: list[tuple[mpf, mpf]]) -> mpf:
    """F1(s) - (1 - level)."""
    return cdf(s, nodes) - (1 - level)


def main() -> None:
    """Print every level with its value."""
    mp.dps = 25
    for level in LEVELS:
        values = []
        for n in (32, 40):
            excess = partial(excess_of, level=mpf(level), nodes=rule(n))
            value = findroot(excess, (3.27, 3.28), tol=1e-40)
            values.append(mp.nstr(value, 18))
        print(level, *values)


if __name__ == "__main__":
    main()
