"""The xmin search in many samples at once: what `search_pruned` finds in each, at less cost.

Replicas come by the thousand and are short, so that a search of their own for each would spend
most of its time on calling NumPy. Here every step serves all rows of a table of samples. The
candidates of all rows stand in one list; those that a bound rules out leave it.
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw.ks import KsKind, gaps_at_ranks, step_starts
from htsr_ref.powerlaw.pruned import tail_log_sums

MIDDLE = 0.5
"""Place in every tail where the first bound is taken."""


Found = tuple[NDArray[np.intp], NDArray[np.float64], NDArray[np.float64]]
"""(r,) arrays: starts, so that the tail of row i is `logs[i, starts[i]:]`; exponents; distances."""


@dataclass(frozen=True)
class _Samples:
    """Samples to be searched.

    Attributes
    ----------
    logs : (r, n) float64, as for `search_rows`.
    ks : kind of the KS distance.
    firsts : (r, n) index in its row of the first point tied with each; None where ties do not
        matter.
    renormalized : whether each law is renormalized to end at the largest point of its row.
    """

    logs: NDArray[np.float64]
    ks: KsKind
    firsts: NDArray[np.intp] | None
    renormalized: bool


@dataclass(frozen=True)
class _Candidates:
    """Candidates that are still possible: (m,) arrays, ascending by row, then by start.

    Attributes
    ----------
    rows : the row that each belongs to.
    starts : index in that row of the first point of the tail.
    decays : α - 1.
    masses : what the law has up to the row's largest point; 1 where it is not renormalized.
    bounds : lower bounds of the KS distance.
    """

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    decays: NDArray[np.float64]
    masses: NDArray[np.float64]
    bounds: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "_Candidates":
        """Return the chosen ones."""
        return _Candidates(
            self.rows[chosen],
            self.starts[chosen],
            self.decays[chosen],
            self.masses[chosen],
            self.bounds[chosen],
        )


def search_rows(logs: NDArray[np.float64], ks: KsKind, *, renormalized: bool = False) -> Found:
    """Threshold of least KS distance in every row; the smallest of several equally good ones.

    Parameters
    ----------
    logs : (r, n) float64, every row ascending: natural logarithms of r samples, each up to a
        constant of its own.
    ks : kind of the KS distance.
    renormalized : whether each law is renormalized to end at the largest point of its row.

    Returns
    -------
    Starts, exponents and KS distances of the r rows; n, NaN and infinity for a row of equal values.

    Spec: PL-41, CNV-7.

    >>> logs = np.log([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 20.0]])
    >>> starts, _, distances = search_rows(logs, "two-sided")
    >>> starts, distances.round(4)
    (array([0, 0]), array([0.25, 0.5 ]))
    """
    return _best_first(_samples(logs, ks, renormalized), bar=np.inf, enough=-np.inf)


def any_closer(
    logs: NDArray[np.float64], ks: KsKind, limit: float, *, renormalized: bool = False
) -> NDArray[np.bool_]:
    """Tell for every row whether the least KS distance of its candidates is below a limit.

    One candidate below the limit settles a row, and so do bounds of all above it, long before the
    least distance is known.

    Parameters
    ----------
    logs, ks, renormalized : as for `search_rows`.
    limit : distance.

    Returns
    -------
    (r,) bool.

    Spec: PL-50, CNV-7.

    >>> any_closer(np.log([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 20.0]]), "two-sided", 0.3)
    array([ True, False])
    """
    _, _, distances = _best_first(_samples(logs, ks, renormalized), bar=limit, enough=limit)
    return distances < limit


def _samples(logs: NDArray[np.float64], ks: KsKind, renormalized: bool) -> _Samples:
    firsts = step_starts(logs) if ks == "one-sided-steps" else None
    return _Samples(logs, ks, firsts, renormalized)


def _best_first(samples: _Samples, *, bar: float, enough: float) -> Found:
    """Evaluate in every row the candidate of least bound, until no bound is below the least seen.

    Only distances up to `bar` are looked for, and a row is left once it has one below `enough`.
    """
    count, n = samples.logs.shape
    starts = np.full(count, n)
    decays = np.full(count, np.nan)
    distances = np.full(count, bar)
    fractions = np.full(count, MIDDLE)
    places = np.zeros(count, dtype=np.intp)

    alive = _all_candidates(samples)
    alive = _raised(samples, alive, _at_fractions(alive, fractions, n))
    alive = alive.where(alive.bounds <= distances[alive.rows])
    while alive.rows.size:
        likeliest = _likeliest(alive)
        trial = alive.where(likeliest)
        found, at = _evaluate(samples, trial)
        rows = trial.rows
        places[rows] = at
        fractions[rows] = (at - trial.starts) / (n - 1 - trial.starts)
        better = (found < distances[rows]) | (
            (found == distances[rows]) & (trial.starts < starts[rows])
        )
        starts[rows[better]] = trial.starts[better]
        decays[rows[better]] = trial.decays[better]
        distances[rows[better]] = found[better]

        alive.bounds[likeliest] = np.inf
        alive = _open(alive, distances, enough)
        # Similar tails are furthest from their fits at similar places: the same point if they
        # begin nearby, the same fraction of the tail if the sample looks alike at all scales.
        alive = _raised(samples, alive, np.maximum(alive.starts, places[alive.rows]))
        alive = _open(alive, distances, enough)
        alive = _raised(samples, alive, _at_fractions(alive, fractions, n))
        alive = _open(alive, distances, enough)
    return starts, 1.0 + decays, distances


def _all_candidates(samples: _Samples) -> _Candidates:
    """List the first point of each distinct value but the largest, in every row."""
    logs = samples.logs
    n = logs.shape[1]
    steps = np.diff(logs, axis=1)
    log_sums = tail_log_sums(steps)
    distinct = log_sums > 0
    distinct[:, 1:] &= steps[:, :-1] > 0
    rows, starts = np.nonzero(distinct)
    sizes = n - starts
    # At the first point of a tail the model is 0 and the upper end of the step 1/n.
    bounds = 1.0 / sizes if samples.ks == "two-sided" else np.zeros(rows.size)
    decays = sizes / log_sums[distinct]
    masses = np.ones(rows.size)
    if samples.renormalized:
        masses = 1.0 - np.exp(decays * (logs[rows, starts] - logs[rows, -1]))
    return _Candidates(rows, starts, decays, masses, bounds)


def _open(alive: _Candidates, distances: NDArray[np.float64], enough: float) -> _Candidates:
    """Return the candidates that can still matter."""
    least = distances[alive.rows]
    return alive.where((alive.bounds <= least) & (least >= enough))


def _at_fractions(alive: _Candidates, fractions: NDArray[np.float64], n: int) -> NDArray[np.intp]:
    """Index of the point that lies at its row's fraction of each tail."""
    offsets = (fractions[alive.rows] * (n - 1 - alive.starts)).astype(np.intp)
    return alive.starts + offsets


def _likeliest(alive: _Candidates) -> NDArray[np.intp]:
    """Index of the candidate of least bound in every row that has candidates."""
    heads = np.flatnonzero(np.diff(alive.rows, prepend=-1))
    counts = np.diff(heads, append=alive.rows.size)
    return _first_equal(alive.bounds, np.minimum.reduceat(alive.bounds, heads), heads, counts)


def _evaluate(
    samples: _Samples, trial: _Candidates
) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """KS distance of each candidate, and the index in its row of the point where it is reached."""
    sizes = samples.logs.shape[1] - trial.starts
    heads = np.cumsum(sizes) - sizes
    spread = trial.where(np.repeat(np.arange(sizes.size), sizes))
    points = spread.starts + np.arange(spread.starts.size) - np.repeat(heads, sizes)
    gaps = _gaps_at(samples, spread, points)
    distances = np.maximum.reduceat(gaps, heads)
    return distances, points[_first_equal(gaps, distances, heads, sizes)]


def _first_equal(
    values: NDArray[np.float64],
    wanted: NDArray[np.float64],
    heads: NDArray[np.intp],
    counts: NDArray[np.intp],
) -> NDArray[np.intp]:
    """Index of the first value of each group that equals the wanted one; every group has one."""
    hits = np.flatnonzero(values == np.repeat(wanted, counts))
    return hits[np.searchsorted(hits, heads)]


def _raised(samples: _Samples, alive: _Candidates, points: NDArray[np.intp]) -> _Candidates:
    """Raise the bounds by the distance at one point of each candidate's tail."""
    gaps = _gaps_at(samples, alive, points)
    return replace(alive, bounds=np.maximum(alive.bounds, gaps))


def _gaps_at(
    samples: _Samples, listed: _Candidates, points: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Distance between fit and empirical function at one point of each listed tail."""
    n = samples.logs.shape[1]
    flat, first, starts = samples.logs.ravel(), listed.rows * n, listed.starts
    if samples.firsts is not None:
        points = samples.firsts.ravel()[first + points]
    # Absolute errors are what counts here: exp takes half the time of expm1.
    cdf = 1.0 - np.exp(listed.decays * (flat[first + starts] - flat[first + points]))
    if samples.renormalized:
        cdf /= listed.masses
    return gaps_at_ranks(cdf, points - starts, n - starts, samples.ks)
