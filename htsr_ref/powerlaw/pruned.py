"""The pruned xmin search: the plain search's answer, bit for bit, from a few of its evaluations.

The KS distance of a tail is a maximum over its points, so the distance at any one point is a lower
bound of it, and costs one exponential instead of one for every point. Candidates whose bound
exceeds the least distance found so far cannot win and are dropped unevaluated.
"""

from dataclasses import dataclass
from functools import partial
from operator import attrgetter

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.distributions import PowerLaw
from htsr_ref.powerlaw.ks import KsKind, gaps_at_ranks, step_starts
from htsr_ref.powerlaw.plain import fit_tail, search_plain
from htsr_ref.powerlaw.tail_fit import TailFit

AT_ONCE = 1 << 15
"""Candidates times points up to which all distances are computed at once."""

FEW = 4
"""Candidates up to which each is evaluated by itself."""

SEEDS = 12
"""Candidates evaluated first, at tail sizes in geometric progression: they set the bar."""

FRACTIONS = (0.5, 0.1, 0.8, 0.03, 0.3, 0.95)
"""Places in every tail where bounds are taken at the outset, the most telling first."""

BOUNDING_SHARE = 1 / 32
"""Bounds may cost this share of the points that evaluating and dropping have dealt with, so that
where they drop nothing the search costs little more than the plain one."""

ORDER = attrgetter("ks_distance", "start")
"""Least distance first; the smallest threshold among equals."""


@dataclass(frozen=True)
class Candidates:
    """What bounds need to know of all candidates: (m,) arrays, by candidate.

    Attributes
    ----------
    starts : index of the first point of the tail.
    sizes : number of points of the tail.
    decays : α - 1.
    masses : what the law has up to the largest point, by which it is divided; 1 to leave it.
    """

    starts: NDArray[np.intp]
    sizes: NDArray[np.intp]
    decays: NDArray[np.float64]
    masses: NDArray[np.float64]


def fit_candidates(
    logs: NDArray[np.float64], starts: NDArray[np.intp], *, renormalized: bool = False
) -> Candidates:
    """Exponents of all candidates in one pass."""
    sizes = logs.size - starts
    decays = sizes / tail_log_sums(logs[1:] - logs[:-1])[starts]
    masses = np.ones(sizes.size)
    if renormalized:
        masses = -np.expm1(-decays * (logs[-1] - logs[starts]))
    return Candidates(starts, sizes, decays, masses)


def tail_log_sums(steps: NDArray[np.float64]) -> NDArray[np.float64]:
    """Sum l_j - l_i over the tail j ≥ i of every point i but the last.

    The sum grows from i + 1 to i by the step between them times the points above it. All terms
    are positive, so that nothing cancels.

    Parameters
    ----------
    steps : (..., n-1) float64, l_(i+1) - l_i of ascending logarithms.

    Returns
    -------
    (..., n-1) float64

    >>> tail_log_sums(np.diff([0.0, 1.0, 3.0]))
    array([4., 2.])
    """
    points_above = np.arange(steps.shape[-1], 0, -1)
    return (steps * points_above)[..., ::-1].cumsum(axis=-1)[..., ::-1]


def search_pruned(
    sample: NDArray[np.float64],
    logs: NDArray[np.float64],
    starts: NDArray[np.intp],
    ks: KsKind,
    *,
    renormalized: bool = False,
) -> TailFit[PowerLaw] | None:
    """Power law that `search_plain` finds above the points of a sample, sooner.

    Parameters
    ----------
    sample : (n,) float64, ascending, positive.
    logs : (n,) float64, natural logarithms of the sample up to a common constant.
    starts : indices of the points where the candidates begin, ascending, all smaller than the
        largest.
    ks : kind of the KS distance.
    renormalized : whether each law is renormalized to end at the largest point.

    Returns
    -------
    TailFit, or None if there is no candidate.

    Spec: PL-4, PL-11.
    """
    fit = partial(fit_tail, sample, logs, ks=ks, renormalized=renormalized)
    if starts.size <= FEW:
        return search_plain(starts.tolist(), fit)
    candidates = fit_candidates(logs, starts, renormalized=renormalized)
    sizes = candidates.sizes
    # Rounding of bounds and distances, at most 2(n + 8)·2⁻⁵³ and twice that of a quotient: a bound
    # must win by more than that.
    slack = (8e-16 if renormalized else 4e-16) * (sample.size + 16)
    # At the first point of a tail the model is 0 and the upper end of the step 1/n.
    firsts = step_starts(sample) if ks == "one-sided-steps" else np.arange(sample.size)
    if starts.size * sample.size <= AT_ONCE:
        distances = _distances(candidates, logs, firsts, ks)
        close = starts[distances <= distances.min() + 2 * slack]
        return min(map(fit, close.tolist()), key=ORDER)
    lower = 1.0 / sizes if ks == "two-sided" else np.zeros(starts.size)

    def bounded(alive: NDArray[np.intp], points: NDArray[np.intp]) -> NDArray[np.intp]:
        """Raise the bounds of the candidates by the distance at one point each; keep the good."""
        points = np.maximum(starts[alive], firsts[points])
        gaps = _gaps_at(candidates, logs, alive, points, ks)
        raised = np.maximum(lower[alive], gaps)
        lower[alive] = raised
        return alive[raised <= best.ks_distance + slack]

    def at_fraction(alive: NDArray[np.intp], fraction: float) -> NDArray[np.intp]:
        offsets = (fraction * (sizes[alive] - 1)).astype(np.intp)
        return starts[alive] + offsets

    places = np.geomspace(1, starts.size, SEEDS).astype(np.intp)
    is_seed = np.zeros(starts.size, dtype=np.bool_)
    is_seed[starts.size - places] = True
    seeds, alive = np.flatnonzero(is_seed), np.flatnonzero(~is_seed)
    best = min(map(fit, starts[seeds].tolist()), key=ORDER)
    for fraction in FRACTIONS:
        alive = bounded(alive, at_fraction(alive, fraction))

    total, bounding = int(sizes.sum()), 0
    while alive.size:
        likeliest = alive[lower[alive].argmin()]
        trial = fit(int(starts[likeliest]))
        best = min(best, trial, key=ORDER)
        alive = alive[(lower[alive] <= best.ks_distance + slack) & (alive != likeliest)]
        dealt_with = total - int(sizes[alive].sum())
        if bounding <= BOUNDING_SHARE * dealt_with:
            # Similar tails are furthest from their fits at similar places: the same point if
            # they begin nearby, the same fraction of the tail if the sample looks alike at all
            # scales.
            bounding += 2 * alive.size
            alive = bounded(alive, np.maximum(starts[alive], trial.place))
            fraction = (trial.place - trial.start) / (sample.size - 1 - trial.start)
            alive = bounded(alive, at_fraction(alive, fraction))
    return best


def _distances(
    candidates: Candidates, logs: NDArray[np.float64], firsts: NDArray[np.intp], ks: KsKind
) -> NDArray[np.float64]:
    """KS distances of all candidates, but for rounding, from all their points at once.

    Points before a tail are taken to be its first one.
    """
    everyone = np.arange(candidates.starts.size)[:, None]
    points = np.maximum(firsts, candidates.starts[:, None])
    gaps: NDArray[np.float64] = _gaps_at(candidates, logs, everyone, points, ks).max(axis=1)
    return gaps


def _gaps_at(
    candidates: Candidates,
    logs: NDArray[np.float64],
    chosen: NDArray[np.intp],
    points: NDArray[np.intp],
    ks: KsKind,
) -> NDArray[np.float64]:
    """Distance between fit and empirical function at points of the chosen candidates' tails."""
    starts, sizes = candidates.starts[chosen], candidates.sizes[chosen]
    cdf = -np.expm1(-candidates.decays[chosen] * (logs[points] - logs[starts]))
    cdf /= candidates.masses[chosen]
    return gaps_at_ranks(cdf, points - starts, sizes, ks)
