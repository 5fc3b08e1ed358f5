"""The xmin search in many samples at once: what `search_pruned` finds in each, at less cost.

Replicas come by the thousand and are short, so that a search of their own for each would spend
most of its time on calling NumPy. Here every step serves all rows of a table of samples. The
candidates of all rows stand in one list; those that a bound rules out leave it.
"""

from dataclasses import dataclass

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
    """

    logs: NDArray[np.float64]
    ks: KsKind
    firsts: NDArray[np.intp] | None


@dataclass(frozen=True)
class _Candidates:
    """Candidates that are still possible: (m,) arrays, ascending by row, then by start.

    Attributes
    ----------
    rows : the row that each belongs to.
    starts : index in that row of the first point of the tail.
    decays : α - 1.
    bounds : lower bounds of the KS distance.
    """

    rows: NDArray[np.intp]
    starts: NDArray[np.intp]
    decays: NDArray[np.float64]
    bounds: NDArray[np.float64]

    def where(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "_Candidates":
        """Return the chosen ones."""
        return _Candidates(
            self.rows[chosen], self.starts[chosen], self.decays[chosen], self.bounds[chosen]
        )


def search_rows(logs: NDArray[np.float64], ks: KsKind) -> Found:
    """Threshold of least KS distance in every row; the smallest of several equally good ones.

    Parameters
    ----------
    logs : (r, n) float64, every row ascending: natural logarithms of r samples, each up to a
        constant of its own.
    ks : kind of the KS distance.

    Returns
    -------
    Starts, exponents and KS distances of the r rows; n, NaN and infinity for a row of equal values.

    Spec: PL-41.

    >>> logs = np.log([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 20.0]])
    >>> starts, _, distances = search_rows(logs, "two-sided")
    >>> starts, distances.round(4)
    (array([0, 0]), array([0.25, 0.5 ]))
    """
    return _best_first(logs, ks, bar=np.inf, enough=-np.inf)


def any_closer(logs: NDArray[np.float64], ks: KsKind, limit: float) -> NDArray[np.bool_]:
    """Tell for every row whether the least KS distance of its candidates is below a limit.

    One candidate below the limit settles a row, and so do bounds of all above it, long before the
    least distance is known.

    Parameters
    ----------
    logs, ks : as for `search_rows`.
    limit : distance.

    Returns
    -------
    (r,) bool.

    Spec: PL-50.

    >>> any_closer(np.log([[1.0, 2.0, 4.0, 8.0], [1.0, 1.0, 3.0, 20.0]]), "two-sided", 0.3)
    array([ True, False])
    """
    _, _, distances = _best_first(logs, ks, bar=limit, enough=limit)
    return distances < limit


def _best_first(logs: NDArray[np.float64], ks: KsKind, *, bar: float, enough: float) -> Found:
    """Evaluate in every row the candidate of least bound, until no bound is below the least seen.

    Only distances up to `bar` are looked for, and a row is left once it has one below `enough`.
    """
    count, n = logs.shape
    starts = np.full(count, n)
    decays = np.full(count, np.nan)
    distances = np.full(count, bar)
    fractions = np.full(count, MIDDLE)
    places = np.zeros(count, dtype=np.intp)

    samples = _Samples(logs, ks, step_starts(logs) if ks == "one-sided-steps" else None)
    alive = _all_candidates(logs, ks)
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


def _all_candidates(logs: NDArray[np.float64], ks: KsKind) -> _Candidates:
    """List the first point of each distinct value but the largest, in every row."""
    n = logs.shape[1]
    steps = np.diff(logs, axis=1)
    log_sums = tail_log_sums(steps)
    distinct = log_sums > 0
    distinct[:, 1:] &= steps[:, :-1] > 0
    rows, starts = np.nonzero(distinct)
    sizes = n - starts
    # At the first point of a tail the model is 0 and the upper end of the step 1/n.
    bounds = 1.0 / sizes if ks == "two-sided" else np.zeros(rows.size)
    return _Candidates(rows, starts, sizes / log_sums[distinct], bounds)


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
    starts = np.repeat(trial.starts, sizes)
    points = starts + np.arange(starts.size) - np.repeat(heads, sizes)
    rows, decays = np.repeat(trial.rows, sizes), np.repeat(trial.decays, sizes)
    gaps = _gaps_at(samples, rows, starts, decays, points)
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
    gaps = _gaps_at(samples, alive.rows, alive.starts, alive.decays, points)
    return _Candidates(alive.rows, alive.starts, alive.decays, np.maximum(alive.bounds, gaps))


def _gaps_at(
    samples: _Samples,
    rows: NDArray[np.intp],
    starts: NDArray[np.intp],
    decays: NDArray[np.float64],
    points: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Distance between fit and empirical function at one point of each listed tail."""
    n = samples.logs.shape[1]
    flat, first = samples.logs.ravel(), rows * n
    if samples.firsts is not None:
        points = samples.firsts.ravel()[first + points]
    # Absolute errors are what counts here: exp takes half the time of expm1.
    cdf = 1.0 - np.exp(decays * (flat[first + starts] - flat[first + points]))
    return gaps_at_ranks(cdf, points - starts, n - starts, samples.ks)
