"""Golden vectors of RMT-20 to RMT-31: the Marchenko-Pastur and Tracy-Widom laws, spikes."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from common import Json, bound, case, decimal, require
from mpmath import mp, mpf

if TYPE_CHECKING:
    from collections.abc import Sequence

KEYS = {
    "lambda_minus": "RMT-20",
    "lambda_plus": "RMT-20",
    "cdf": "RMT-22",
    "quantiles": "RMT-23",
    "f1": "RMT-24",
    "upper_quantiles": "RMT-25",
    "center": "RMT-26",
    "scale": "RMT-26",
    "position": "RMT-31",
}

# The Marchenko-Pastur law, its distribution function by quadrature of the density


class Law(NamedTuple):
    """A Marchenko-Pastur law."""

    Q: mpf
    variance: mpf

    @property
    def edges(self) -> tuple[mpf, mpf]:
        """RMT-20."""
        root = 1 / mp.sqrt(self.Q)
        return self.variance * (1 - root) ** 2, self.variance * (1 + root) ** 2

    def density(self, x: mpf) -> mpf:
        """RMT-20."""
        low, high = self.edges
        root = mp.sqrt(abs((high - x) * (x - low)))
        return self.Q / (2 * mp.pi * self.variance * x) * root

    def cdf(self, x: mpf) -> mpf:
        """RMT-22."""
        low, _ = self.edges
        return mp.quad(self.density, [low, (low + x) / 2, x])

    def survival(self, x: mpf) -> mpf:
        """RMT-22."""
        _, high = self.edges
        return mp.quad(self.density, [x, (x + high) / 2, high])

    def quantile(self, p: mpf) -> mpf:
        """RMT-23."""
        nearer = self.cdf if 2 * p < 1 else lambda x: 1 - self.survival(x)
        with mp.workdps(15):
            x = mp.findroot(lambda x: nearer(x) - p, self.edges, solver="anderson", verify=False)
        for _ in range(4):
            step = (nearer(x) - p) / self.density(x)
            x -= step
        require(abs(step) < mpf("1e-20"), "no root")  # the next step is its square
        return x


def law_case(Q: float, variance: float, at: Sequence[float]) -> dict[str, Json]:
    """Values of a law at points given as shares of the way from λ₋ to λ₊."""
    law = Law(mpf(Q), mpf(variance))
    low, high = law.edges
    points = [float(low + (high - low) * share) for share in at]
    exact = [mpf(x) for x in points]
    require(all(low < x < high for x in exact), "a point lies outside")
    given = {"Q": Q, "variance": variance, "points": points}
    expected = {
        "lambda_minus": decimal(low),
        "lambda_plus": decimal(high),
        "cdf": [decimal(law.cdf(x)) for x in exact],
    }
    tolerance = {
        "lambda_minus": bound("relative", "1e-14"),
        "lambda_plus": bound("relative", "1e-14"),
        "cdf": bound("absolute", mpf("1e-14") + mpf("2e-16") * mp.sqrt(law.Q)),
    }
    ids = "RMT-20 RMT-22"
    return case(f"rmt/law/Q={Q:g}/variance={variance:g}", ids, given, expected, tolerance)


def quantile_case(Q: float, variance: float, shares: list[float]) -> dict[str, Json]:
    """Quantiles of a law."""
    law = Law(mpf(Q), mpf(variance))
    expected = {"quantiles": [decimal(law.quantile(mpf(p))) for p in shares]}
    given = {"Q": Q, "variance": variance, "shares": shares}
    tolerance = {"quantiles": bound("absolute", mpf("1e-12") * law.variance)}
    return case(
        f"rmt/quantiles/Q={Q:g}/variance={variance:g}", "RMT-23", given, expected, tolerance
    )


# The Tracy-Widom law from Painlevé's second equation, q'' = x·q + 2q³ with q ~ Ai at infinity:
# F1(s) = exp(-½∫ₛ^∞ (q + (x - s)·q²) dx). Nothing of this is a Fredholm determinant.

START, STOP, STEP, TERMS = 16, -8, mpf(1) / 4, 70


class Node(NamedTuple):
    """Taylor coefficients of q and q² about x, and the integrals from x to infinity."""

    x: mpf
    q: list[mpf]
    square: list[mpf]
    integral: mpf  # ∫q
    area: mpf  # ∫q²
    moment: mpf  # ∫(y - x)·q²

    def values(self, h: mpf) -> tuple[mpf, mpf, mpf, mpf, mpf]:
        """Evaluate q, q' and the three integrals at x - h."""
        t = -h
        q = mp.polyval(self.q[::-1], t)
        slope = mp.fsum(k * a * t ** (k - 1) for k, a in enumerate(self.q) if k)
        integral = self.integral - mp.fsum(a * t ** (k + 1) / (k + 1) for k, a in enumerate(self.q))
        squares = list(enumerate(self.square))
        area = self.area - mp.fsum(a * t ** (k + 1) / (k + 1) for k, a in squares)
        bent = mp.fsum(a * t ** (k + 2) / ((k + 1) * (k + 2)) for k, a in squares)
        return q, slope, integral, area, self.moment + h * self.area + bent


def node(x: mpf, q: mpf, slope: mpf, *integrals: mpf) -> Node:
    """Expand the solution about x."""
    a, square = [q, slope], []
    for k in range(TERMS):
        square.append(mp.fsum(a[i] * a[k - i] for i in range(k + 1)))
        cube = mp.fsum(a[i] * square[k - i] for i in range(k + 1))
        a.append((x * a[k] + (a[k - 1] if k else 0) + 2 * cube) / ((k + 1) * (k + 2)))
    return Node(x, a, square, *integrals)


@cache
def painleve() -> list[Node]:
    """Solve from START, where q is Airy's function to 10⁻³⁸, down to STOP."""
    x = mpf(START)
    airy, slope = mp.airyai(x), mp.airyai(x, derivative=1)
    tail = mpf(1) / 3 - mp.airyai(x, derivative=-1)
    moment = mp.quad(lambda y: (y - x) * mp.airyai(y) ** 2, [x, x + 4, x + 12])
    nodes = [node(x, airy, slope, tail, slope**2 - x * airy**2, moment)]
    while nodes[-1].x > STOP:
        nodes.append(node(nodes[-1].x - STEP, *nodes[-1].values(STEP)))
    return nodes


@cache
def f1(s: mpf) -> mpf:
    """RMT-24."""
    above = next(node for node in reversed(painleve()) if node.x >= s)
    _, _, integral, _, moment = above.values(above.x - s)
    return mp.exp(-(integral + moment) / 2)


def upper_quantile(level: mpf) -> mpf:
    """RMT-25."""
    above = [node.x for node in painleve() if f1(node.x) > 1 - level][-1]
    root = mp.findroot(lambda s: f1(s) - (1 - level), (above - STEP, above), tol=mpf("1e-80"))
    require(abs(f1(root) - (1 - level)) < mpf("1e-30"), "no root")
    return root


def tracy_widom_cases() -> list[dict[str, Json]]:
    """Values and quantiles of F1."""
    points = [-7.5, -6.0, -5.0, -4.0, -3.0, -2.0, -1.2065335745820, -0.5, 0.0, 0.9793, 2.0234, 3.5]
    levels = [0.999, 0.99, 0.9, 0.5, 0.1, 0.05, 0.01, 1e-3, 1e-4]
    expected = [decimal(f1(mpf(s))) for s in points]
    quantiles = [decimal(upper_quantile(mpf(level))) for level in levels]
    return [
        case(
            "rmt/tracy-widom/cdf",
            "RMT-24",
            {"points": points},
            {"f1": expected},
            {"f1": bound("absolute", mpf("1e-13"))},
        ),
        case(
            "rmt/tracy-widom/quantiles",
            "RMT-25",
            {"levels": levels},
            {"upper_quantiles": quantiles},
            {"upper_quantiles": bound("absolute", mpf("1e-9"))},
        ),
    ]


def largest_case(N: int, M: int, variance: float) -> dict[str, Json]:
    """RMT-26."""
    rows, columns = mp.sqrt(N - 1), mp.sqrt(M)
    center = (rows + columns) ** 2 * variance / N
    scale = (rows + columns) * mp.cbrt(1 / rows + 1 / columns) * variance / N
    given = {"N": N, "M": M, "variance": variance}
    expected = {"center": decimal(center), "scale": decimal(scale)}
    tolerance = dict.fromkeys(expected, bound("relative", mpf("1e-13")))
    return case(f"rmt/largest/{N}x{M}", "RMT-26", given, expected, tolerance)


def spike_case(theta: float, Q: float, variance: float) -> dict[str, Json]:
    """RMT-31."""
    c, t = 1 / mpf(Q), mpf(theta)
    require(abs(t * t / c - 1) > mpf("1e-9"), "too close to the threshold")
    seen = t * t > c
    _, edge = Law(mpf(Q), mpf(variance)).edges
    position = variance * (1 + t) * (1 + c / t) if seen else edge
    given = {"theta": theta, "Q": Q, "variance": variance}
    expected = {"position": decimal(position)}
    tolerance = {"position": bound("relative", mpf("1e-13"))}
    return case(f"rmt/spike/theta={theta:g}/Q={Q:g}", "RMT-31", given, expected, tolerance)


def cases() -> list[dict[str, Json]]:
    """Make all cases of the chapter."""
    at = [0.01, 0.25, 0.5, 0.9, 0.99]
    shares = [1e-6, 0.25, 0.5, 0.99]
    laws = [(1.0, 1.0), (1.001, 1.0), (1.5, 0.0004), (4.0, 9.0), (99.0, 1.0), (1e4, 1.0)]
    return [
        *(law_case(Q, variance, at) for Q, variance in laws),
        *(quantile_case(Q, variance, shares) for Q, variance in laws if Q != 99),
        *tracy_widom_cases(),
        *(largest_case(*shape) for shape in [(50, 50, 1.0), (300, 200, 1.0), (4096, 100, 0.25)]),
        *(spike_case(*spike) for spike in [(0.4, 4.0, 1.0), (0.6, 4.0, 1.0), (20.0, 1.5, 0.01)]),
        spike_case(2.0, 1.0, 1.0),
    ]
