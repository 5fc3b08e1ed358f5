"""Could the tail be a sample of the fitted power law? The p-value of Clauset, Shalizi & Newman."""

from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import SampleError
from htsr_ref.powerlaw.fit import checked_sample, relative_logs
from htsr_ref.powerlaw.plain import candidate_starts, fit_above
from htsr_ref.powerlaw.pruned import search_pruned
from htsr_ref.powerlaw.tail_fit import ExponentLaw, TailFit
from htsr_ref.powerlaw.uncertainty.replicas import Progress, Seed, chunks, recorded
from htsr_ref.powerlaw.uncertainty.rows import any_closer

ROUNDING = 1e-12
"""Distances that differ by less are equal (PL-4)."""


@dataclass(frozen=True)
class GoodnessOfFit:
    """How often samples of the fitted law lie as far from their own fits as the data do.

    Attributes
    ----------
    p_value : share of the replicas whose KS distance is not smaller than that of the data.
    replicas : number of replicas.
    seed : seed of the random generator; None if a generator was given.

    Spec: PL-42, PL-50.
    """

    p_value: float
    replicas: int
    seed: int | None


def goodness_of_fit(
    sample: ArrayLike,
    fit: TailFit[ExponentLaw],
    *,
    xmin: Literal["searched", "known"] = "searched",
    renormalized: bool = False,
    dropped: ArrayLike = (),
    replicas: int = 2500,
    seed: Seed = 0,
    progress: Progress | None = None,
) -> GoodnessOfFit:
    """Test whether a sample can have come from the power law that was fitted to it.

    Parameters
    ----------
    sample : (n,) real, positive, in any order: the fitted sample.
    fit : its fit.
    xmin : "searched": as the threshold of least distance, and it is searched again in every
        replica. "known": by other means, and every replica is a tail above it.
    renormalized : whether the law was renormalized to end at the largest point; then that of each
        replica ends at the replica's own.
    dropped : (d,) values that belong to the sample, all as small as its least, and that were left
        out before it was fitted; of each replica the d smallest are left out likewise.
    replicas : number of samples drawn. The standard error of p is √(p(1-p)/replicas).
    seed : seed of the random generator, or a generator.
    progress : called with the numbers of replicas done and of all.

    Returns
    -------
    GoodnessOfFit. A small p, below 0.1 by the source, speaks against the power law.

    Raises
    ------
    SampleError
        The fit is not one of this sample, or its threshold is not the one that the search finds.
    ValueError
        No replicas are asked for.

    Spec: PL-50, PL-52, PL-73. Source: Clauset, Shalizi & Newman 2009, section 4.1.

    >>> from htsr_ref.powerlaw import fit_power_law
    >>> quantiles = (1 - (np.arange(1, 129) - 0.5) / 128) ** (-1 / 1.5)
    >>> goodness_of_fit(quantiles, fit_power_law(quantiles)).p_value
    1.0
    """
    x = checked_sample(sample)
    start = x.size - fit.tail_size
    below = x[start - 1] if start > 0 else 0.0
    if fit.sample_size != x.size or not below <= fit.xmin <= x[start]:
        raise SampleError("the fit is not one of this sample: fit the sample first")
    rng = np.random.default_rng(seed)
    limit = fit.ks_distance - ROUNDING
    smaller = 0
    left_out = np.sort(np.asarray(dropped, dtype=np.float64))
    if xmin == "searched":
        logs = relative_logs(x)
        starts = candidate_starts(x)
        found = search_pruned(x, logs, starts, fit.ks, renormalized=renormalized)
        if found is None or found.start != start:
            raise SampleError(
                f'xmin = {fit.xmin} is not the threshold of least distance: pass xmin="known"'
            )
        d = left_out.size
        logs = relative_logs(np.concatenate((left_out, x)))
        logs -= logs[d + start]
        for count in chunks(replicas, logs.size, progress):
            drawn = draw_samples(rng, logs, d + start, fit.alpha, count, dropped=d)
            smaller += int(any_closer(drawn, fit.ks, limit, renormalized=renormalized).sum())
    else:
        d = int(np.count_nonzero(left_out >= fit.xmin))
        refit = partial(fit_above, start=0, xmin=1.0, ks=fit.ks, renormalized=renormalized)
        begins = bool(x[start] == fit.xmin)
        for count in chunks(replicas, d + fit.tail_size, progress):
            tails = draw_tails(rng, d + fit.tail_size, count, begin_at_xmin=begins)[:, d:]
            smaller += sum(refit(tail).ks_distance < limit for tail in tails)
    return GoodnessOfFit((replicas - smaller) / replicas, replicas, recorded(seed))


def draw_samples(
    rng: np.random.Generator,
    log_ratios: NDArray[np.float64],
    start: int,
    alpha: float,
    count: int,
    *,
    dropped: int = 0,
) -> NDArray[np.float64]:
    """Draw ln(x/xmin) of samples that follow the sample below xmin and the law above it.

    Of each sample the `dropped` smallest points are left out.

    Each point is one of the sample's, each as likely as any other; one of the tail's stands for a
    point of the law. Replicas of equal values are drawn again.

    Spec: PL-40, PL-49, PL-73.
    """
    picks = rng.integers(log_ratios.size, size=(count, log_ratios.size))
    drawn = log_ratios[picks]
    in_tail = picks >= start
    drawn[in_tail] = rng.exponential(1.0 / (alpha - 1.0), np.count_nonzero(in_tail))
    drawn.sort(axis=1)
    drawn = drawn[:, dropped:]
    without_fit = drawn[:, 0] == drawn[:, -1]
    if without_fit.any():
        again = int(without_fit.sum())
        drawn[without_fit] = draw_samples(rng, log_ratios, start, alpha, again, dropped=dropped)
    return drawn


def draw_tails(
    rng: np.random.Generator, size: int, count: int, *, begin_at_xmin: bool
) -> NDArray[np.float64]:
    """Draw ln(x/xmin) of tails of the law, up to a factor, which changes no distance.

    Spec: PL-53.
    """
    drawn = rng.standard_exponential((count, size))
    if begin_at_xmin:
        drawn[:, 0] = 0.0
    drawn.sort(axis=1)
    return drawn
