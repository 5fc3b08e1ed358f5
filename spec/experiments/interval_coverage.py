# /// script
# requires-python = ">=3.11"
# dependencies = ["numpy", "scipy", "htsr-ref"]
# ///
"""How often the intervals of a power-law fit cover the truth, and what its p-values are worth.

Every row of the table is one figure with its standard error:

- `coverage of alpha`, `coverage of xmin`: share of the samples whose 95 % interval holds the true
  value;
- `uniformity`: significance of the Kolmogorov-Smirnov test that p-values of samples from a power
  law are uniform;
- `p < 0.1`, `mean p`: share of the samples whose p-value is below 0.1, and the mean of all;
- `p`: p-value of one of the data sets of Clauset, Shalizi & Newman.

With xmin known, all points lie above xmin = 1. With xmin searched, the law "body and tail" is
exponential below 1 and a power law above, joined smoothly, as in their equation 3.10.

    OPENBLAS_NUM_THREADS=1 uv run interval_coverage.py    # writes the table beside it
"""

import csv
import itertools
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.stats import kstest

from htsr_ref.powerlaw import KsKind, fit_power_law
from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.mle import ci95
from htsr_ref.powerlaw.uncertainty import (
    Interval,
    bootstrap,
    goodness_of_fit,
)
from htsr_ref.powerlaw.uncertainty.rows import search_rows

Array = NDArray[np.float64]
Law = Callable[[np.random.Generator, int], Array]

SEED = 20_090_401
ALPHA = 2.5
SIZES = (50, 200, 1000)
KINDS: tuple[KsKind, ...] = ("two-sided", "one-sided")
FOLDER = Path(__file__).parent
OUTPUT = Path(__file__).with_suffix(".csv")


@dataclass(frozen=True)
class Row:
    """One figure of the table."""

    figure: str
    law: str
    n: int
    xmin: str
    ks: str
    interval: str
    samples: int
    replicas: int
    value: float
    stderr: float | None


def asymptotic(alpha: float, tail_size: int) -> Interval:
    """Interval of an exponent for a known xmin."""
    return ci95(alpha, PowerLaw(alpha, 1.0).alpha_stderr(tail_size))


def power_law(rng: np.random.Generator, n: int) -> Array:
    """Draw points above 1."""
    return np.exp(rng.exponential(1 / (ALPHA - 1), n))


def body_and_tail(rng: np.random.Generator, n: int) -> Array:
    """Draw from exp(-α(x - 1)) below 1 and x^-α above."""
    body, tail = np.expm1(ALPHA) / ALPHA, 1 / (ALPHA - 1)
    in_body = rng.random(n) < body / (body + tail)
    below = 1 - np.log1p(rng.random(n) * np.expm1(ALPHA)) / ALPHA
    return np.where(in_body, below, power_law(rng, n))


def shifted_exponential(rng: np.random.Generator, n: int) -> Array:
    """Draw 1 + an exponential variable of mean 1."""
    return 1 + rng.exponential(size=n)


def half_lognormal(rng: np.random.Generator, n: int) -> Array:
    """Draw the upper half of a lognormal distribution with median 1."""
    return np.exp(np.abs(rng.standard_normal(n)))


def exponential(rng: np.random.Generator, n: int) -> Array:
    """Draw exponential variables."""
    return rng.exponential(size=n)


def lognormal(rng: np.random.Generator, n: int) -> Array:
    """Draw lognormal variables."""
    return rng.lognormal(size=n)


def name(law: Law) -> str:
    """Name of a law in the table."""
    return law.__name__.replace("_", " ")


def covers(interval: Interval | None, truth: float) -> bool:
    """Tell whether an interval, if there is one, holds the true value."""
    return interval is not None and interval[0] <= truth <= interval[1]


def share(hits: list[bool]) -> tuple[float, float]:
    """Share of hits and its standard error."""
    p = float(np.mean(hits))
    return round(p, 4), round((p * (1 - p) / len(hits)) ** 0.5, 4)


def coverage_known(n: int, samples: int, replicas: int) -> Iterator[Row]:
    """Intervals of α above a known threshold."""
    rng = np.random.default_rng([SEED, 1, n])
    draws = [power_law(rng, n) for _ in range(samples)]
    alphas = [fit_power_law(x, xmin=1.0).alpha for x in draws]
    hits = [covers(asymptotic(alpha, n), ALPHA) for alpha in alphas]
    yield Row(
        "coverage of alpha", "power law", n, "known", "", "asymptotic", samples, 0, *share(hits)
    )
    hits = [covers(bootstrap(x, xmin=1.0, replicas=replicas, seed=rng).alpha, ALPHA) for x in draws]
    yield Row(
        "coverage of alpha", "power law", n, "known", "", "percentile", samples, replicas,
        *share(hits),
    )  # fmt: skip


def coverage_searched(law: Law, n: int, ks: KsKind, samples: int) -> Iterator[Row]:
    """Intervals of α that take the threshold found by the search as known."""
    rng = np.random.default_rng([SEED, 2, n])
    alphas, sizes = [], []
    for count in itertools.repeat(100, samples // 100):
        logs = np.sort(np.log([law(rng, n) for _ in range(count)]), axis=1)
        starts, found, _ = search_rows(logs, ks)
        alphas += found.tolist()
        sizes += (n - starts).tolist()
    hits = [covers(asymptotic(a, size), ALPHA) for a, size in zip(alphas, sizes, strict=True)]
    yield Row(
        "coverage of alpha", name(law), n, "searched", ks, "asymptotic", samples, 0, *share(hits)
    )


def coverage_bootstrap(law: Law, n: int, samples: int, replicas: int) -> Iterator[Row]:
    """Bootstrap intervals of α and xmin, with the threshold searched in every replica."""
    rng = np.random.default_rng([SEED, 3, n])
    draws = [law(rng, n) for _ in range(samples)]
    found = [bootstrap(x, replicas=replicas, seed=rng) for x in draws]
    figures = {"coverage of alpha": [covers(intervals.alpha, ALPHA) for intervals in found]}
    # Every threshold above 1 is a true one of the pure power law.
    if law is body_and_tail:
        figures["coverage of xmin"] = [covers(intervals.xmin, 1.0) for intervals in found]
    for figure, hits in figures.items():
        yield Row(
            figure, name(law), n, "searched", "two-sided", "percentile", samples, replicas,
            *share(hits),
        )  # fmt: skip


def p_values(
    law: Law, n: int, *, known: bool, ks: KsKind, samples: int, replicas: int
) -> Iterator[Row]:
    """P-values of samples of one law."""
    rng = np.random.default_rng([SEED, 4, n])
    found = []
    for _ in range(samples):
        x = law(rng, n)
        fit = fit_power_law(x, ks=ks, xmin=1.0 if known else "ks")
        test = goodness_of_fit(
            x, fit, xmin="known" if known else "searched", replicas=replicas, seed=rng
        )
        found.append(test.p_value)
    p = np.array(found)
    figures: dict[str, tuple[float, float | None]] = {
        "mean p": (round(float(p.mean()), 4), round(float(p.std()) / samples**0.5, 4)),
        "p < 0.1": share(list(p < 0.1)),
    }
    if law in (power_law, body_and_tail):
        figures["uniformity"] = (float(f"{kstest(p, 'uniform').pvalue:.2g}"), None)
    for figure, (value, stderr) in figures.items():
        yield Row(
            figure, name(law), n, "known" if known else "searched", ks, "", samples, replicas,
            value, stderr,
        )  # fmt: skip


def published(data: str, ks: KsKind, replicas: int) -> Row:
    """P-value of a data set that Clauset, Shalizi & Newman printed one of."""
    x = np.loadtxt(FOLDER.parent / "published" / "clauset2009" / f"{data}.txt")
    p = goodness_of_fit(x, fit_power_law(x, ks=ks), replicas=replicas, seed=SEED).p_value
    stderr = round((p * (1 - p) / replicas) ** 0.5, 4)
    return Row("p", data, x.size, "searched", ks, "", 1, replicas, p, stderr)


def rows() -> Iterator[Row]:
    """All rows of the table; each figure has its own stream of random numbers."""
    for n in SIZES:
        yield from coverage_known(n, samples=10_000, replicas=999)
    for law, n, ks in itertools.product((power_law, body_and_tail), SIZES, KINDS):
        yield from coverage_searched(law, n, ks, samples=10_000)
    for law, (n, samples) in itertools.product(
        (power_law, body_and_tail), zip(SIZES, (2000, 1000, 200), strict=True)
    ):
        yield from coverage_bootstrap(law, n, samples=samples, replicas=399)
    for law, n in itertools.product((power_law, shifted_exponential, half_lognormal), SIZES):
        samples = 1000 if law is power_law else 200
        yield from p_values(law, n, known=True, ks="two-sided", samples=samples, replicas=999)
    laws = (power_law, body_and_tail, exponential, lognormal)
    for law, n, ks in itertools.product(laws, SIZES, KINDS):
        samples = 400 if law in (power_law, body_and_tail) else 200
        yield from p_values(law, n, known=False, ks=ks, samples=samples, replicas=399)
    for data, ks in itertools.product(("blackouts", "cities", "flares", "surnames"), KINDS):
        yield published(data, ks, replicas=2500)


def main() -> None:
    """Write the table."""
    table = [asdict(row) for row in rows()]
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)


if __name__ == "__main__":
    main()
