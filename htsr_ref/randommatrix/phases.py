"""The phases of training, told apart by the bulk of a spectrum and what rises above it."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from htsr_ref.errors import NoFitError
from htsr_ref.powerlaw.extreme import TailIndex, tail_index_or_none
from htsr_ref.randommatrix.bulk import BulkFit, fit_bulk

PhaseName = Literal[
    "random-like",
    "bleeding-out",
    "bulk+spikes",
    "bulk-decay",
    "heavy-tailed",
    "rank-collapse",
    "undecided",
]

COLLAPSED_SHARE = 0.1
"""Share of zero eigenvalues at which a spectrum has collapsed (RMT-35)."""

MISPLACED_SHARE = 0.15
"""Share of eigenvalues outside the law at which there is no bulk (RMT-35)."""


@dataclass(frozen=True)
class Phase:
    """The phase of a spectrum and the measured quantities that decide it.

    Attributes
    ----------
    name : one of the 5+1 phases, or "undecided" where none of them fits.
    reason : the rule that decided, with its numbers.
    zero_share : share of the eigenvalues that are zero.
    bulk : the fitted bulk; None where there is none.
    index : extreme-value index of the positive eigenvalues; None where they have none.

    Spec: RMT-35.
    """

    name: PhaseName
    reason: str
    zero_share: float
    bulk: BulkFit | None
    index: TailIndex | None


def phase_of(
    eigenvalues: NDArray[np.float64],
    N: int,
    *,
    rank: int | None = None,
    index_of: Callable[[NDArray[np.float64]], TailIndex | None] = tail_index_or_none,
) -> Phase:
    """Find the phase of a spectrum.

    Parameters
    ----------
    eigenvalues : (M,) float64, ascending, non-negative, of X = WᵀW/N in any scale.
    N : rows of W.
    rank : number of eigenvalues that do not count as zero; by default those above 0.
    index_of : gives the extreme-value index of the eigenvalues that do not, if it is known already.

    Returns
    -------
    Phase

    Raises
    ------
    SampleError
        N is less than the rank.

    Spec: RMT-35, RMT-36. Source: Martin & Mahoney, arXiv 1810.01075 (the phases).

    >>> W = np.random.default_rng(0).standard_normal((400, 200))
    >>> phase_of(np.linalg.eigvalsh(W.T @ W / 400), 400).name
    'random-like'
    """
    if rank is None:
        rank = int(np.count_nonzero(eigenvalues > 0.0))
    positive = eigenvalues[eigenvalues.size - rank :]
    bulk = None
    with suppress(NoFitError):
        bulk = fit_bulk(positive, N)
    return decide(1.0 - rank / eigenvalues.size, bulk, index_of(positive))


def decide(zero_share: float, bulk: BulkFit | None, index: TailIndex | None) -> Phase:
    """Apply the rules to what was measured.

    Spec: RMT-35.
    """
    name, reason = _rule(zero_share, bulk, index)
    return Phase(name, reason, zero_share, bulk, index)


def _rule(
    zero_share: float, bulk: BulkFit | None, index: TailIndex | None
) -> tuple[PhaseName, str]:
    if zero_share >= COLLAPSED_SHARE:
        return "rank-collapse", f"{zero_share:.0%} of the eigenvalues are zero"
    if bulk is None:
        return _without_bulk("there is no Marchenko-Pastur bulk", index)
    fits = bulk.ks_distance <= bulk.ks_limit
    if not fits and bulk.misplaced_share >= MISPLACED_SHARE:
        outside = f"Marchenko-Pastur's law misplaces {bulk.misplaced_share:.0%} of the eigenvalues"
        return _without_bulk(outside, index)
    shape = f"KS distance of the bulk {bulk.ks_distance:.3f}, limit {bulk.ks_limit:.3f}"
    if not bulk.num_spikes:
        return "random-like" if fits else "undecided", f"nothing rises above the bulk; {shape}"
    if bulk.lambda_max <= bulk.apart:
        near = f"λ_max {bulk.lambda_max:.3g} is above {bulk.edge:.3g} and up to {bulk.apart:.3g}"
        return "bleeding-out", near
    far = f"λ_max {bulk.lambda_max:.3g} is above {bulk.apart:.3g}"
    return "bulk+spikes" if fits else "bulk-decay", f"{far}; {shape}"


def _without_bulk(outside: str, index: TailIndex | None) -> tuple[PhaseName, str]:
    if index is None:
        return "undecided", f"{outside}, and they have no extreme-value index"
    found = f"{outside}, and the extreme-value index is {index.xi:.2f}"
    return "heavy-tailed" if index.xi > 0.0 else "undecided", found
