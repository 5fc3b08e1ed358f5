"""The shuffled matrix as a null model: what entries alone, or only their places, explain."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import HtsrError, LayerError, NoFitError
from htsr_ref.powerlaw import fit_power_law
from htsr_ref.powerlaw.extreme import tail_index
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum
from htsr_ref.spectra.solvers import solver_error

LEVEL = 0.05
"""Largest p-value that counts as evidence of correlations (RMT-64)."""

SHUFFLES = 19
"""Fewest shuffles whose p-value 1/(1 + shuffles) reaches that level, and the default."""

NullVerdict = Literal["correlations", "heavy-tailed entries", "both", "neither"]


@dataclass(frozen=True)
class ShuffleNull:
    """A matrix against copies of itself whose entries have been shuffled.

    Attributes
    ----------
    shuffles : number of shuffled copies.
    wasserstein : distance of the spectrum from a shuffled one, in units of λ; mean over the copies.
    ks_distance : two-sample KS distance of the same spectra, between 0 and 1; mean over the copies.
    lambda_max : largest eigenvalue of a copy, median.
    alpha, xi : power-law exponent and extreme-value index of a copy, medians over the copies that
        have one; None where none has.
    p_distance : p-value of the Wasserstein distance.
    p_lambda_max : p-value of the largest eigenvalue; small if it exceeds those of the copies.
    entry_share : largest squared entry over the sum of all, w_max²/‖W‖_F².
    verdict : what the spectrum is due to.

    Spec: RMT-61, RMT-62, RMT-63, RMT-64, RMT-65.
    """

    shuffles: int
    wasserstein: float
    ks_distance: float
    lambda_max: float
    alpha: float | None
    xi: float | None
    p_distance: float
    p_lambda_max: float
    entry_share: float
    verdict: NullVerdict


def check_shuffles(shuffles: int) -> None:
    """Refuse too few shuffles for a p-value of 0.05.

    Spec: RMT-62.
    """
    if shuffles < SHUFFLES:
        raise HtsrError(
            f"{shuffles} shuffles cannot give a p-value of {LEVEL}: take {SHUFFLES} or more"
        )


def _alpha(eigen: Spectrum) -> float | None:
    """Exponent of the positive eigenvalues; None where they allow none."""
    try:
        return fit_power_law(eigen.positive).alpha
    except NoFitError:
        return None


def shuffle_null(
    W: ArrayLike,
    eigen: Spectrum,
    rng: np.random.Generator,
    *,
    shuffles: int = SHUFFLES,
    alpha_of: Callable[[Spectrum], float | None] = _alpha,
) -> ShuffleNull:
    """Compare a spectrum with those of the same entries in random places.

    A shuffle keeps the distribution of the entries and takes away every correlation. So a matrix
    of independent entries, however heavy their tail, is one of its own shuffled copies, and the
    p-values are exact.

    Parameters
    ----------
    W : (N, M) real.
    eigen : spectrum of W; its solver and scale serve the copies too.
    rng : draws the permutations.
    shuffles : number of copies, at least 19. Each costs a spectrum.
    alpha_of : fits the exponent of a copy's spectrum; by default as `fit_power_law` does.

    Raises
    ------
    HtsrError
        Too few shuffles for a p-value of 0.05.
    LayerError
        W is zero.

    Spec: RMT-60, RMT-61, RMT-62.

    >>> rng = np.random.default_rng(0)
    >>> W = rng.standard_normal((60, 40)) + rng.standard_normal((60, 1))  # correlated columns
    >>> null = shuffle_null(W, spectrum(W), rng)
    >>> null.p_lambda_max, null.verdict
    (0.05, 'correlations')
    """
    check_shuffles(shuffles)
    if eigen.lambda_max == 0:
        raise LayerError("the entries of a zero matrix cannot be told apart")
    matrix = np.asarray(W, dtype=np.float64)
    copies = shuffled_spectra(matrix, eigen, rng, shuffles)
    spectra = np.stack([eigen.eigenvalues, *(copy.eigenvalues for copy in copies)])
    distances = [float(np.abs(spectra - one).mean(axis=1).sum()) / shuffles for one in spectra]
    largest = spectra[:, -1]
    tie = 4 * solver_error(eigen.N) * float(largest.max())
    p_distance, p_lambda_max = _p_value(distances, tie), _p_value(largest, tie)
    entries = matrix.ravel() / np.abs(matrix).max()
    share = float(1 / (entries @ entries))
    return ShuffleNull(
        shuffles=shuffles,
        wasserstein=distances[0],
        ks_distance=float(np.mean([_ks(spectra[0], copy) for copy in spectra[1:]])),
        lambda_max=float(np.median(largest[1:])),
        alpha=_median(alpha_of(copy) for copy in copies),
        xi=_median(_xi(copy) for copy in copies),
        p_distance=p_distance,
        p_lambda_max=p_lambda_max,
        entry_share=share,
        verdict=_verdict(
            correlated=min(p_distance, p_lambda_max) <= LEVEL,
            heavy=share > 1 / math.sqrt(entries.size),
        ),
    )


def shuffled_spectra(
    W: NDArray[np.float64], eigen: Spectrum, rng: np.random.Generator, shuffles: int
) -> list[Spectrum]:
    """Spectra of copies of a matrix, not zero, whose entries have been shuffled.

    Spec: RMT-60, RMT-61.
    """
    peak = float(np.abs(W).max())
    entries = W.ravel() / peak
    return [_shuffled(entries, peak, eigen, rng) for _ in range(shuffles)]


def _shuffled(
    entries: NDArray[np.float64], peak: float, eigen: Spectrum, rng: np.random.Generator
) -> Spectrum:
    """Shuffle entries, given over their largest, in place once more; solve for their spectrum."""
    rng.shuffle(entries)
    found = spectrum(entries.reshape(eigen.N, eigen.M), normalization="none", solver=eigen.solver)
    return replace(eigen, eigenvalues=found.eigenvalues * (eigen.scale * peak**2))


def _p_value(statistics: ArrayLike, tie: float) -> float:
    """Share of the statistics that are as large as the first, itself included.

    Spec: RMT-62. Source: Phipson & Smyth 2010 (permutation p-values are never zero).
    """
    values = np.asarray(statistics)
    return float(np.mean(values >= values[0] - tie))


def _ks(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Two-sample KS distance of ascending samples of equal size."""
    points = np.concatenate((first, second))
    below = [np.searchsorted(sample, points, side="right") for sample in (first, second)]
    return float(np.abs(below[0] - below[1]).max()) / first.size


def _xi(eigen: Spectrum) -> float | None:
    try:
        return tail_index(eigen.positive).xi
    except NoFitError:
        return None


def _median(values: Iterable[float | None]) -> float | None:
    defined = [value for value in values if value is not None]
    return float(np.median(defined)) if defined else None


def _verdict(*, correlated: bool, heavy: bool) -> NullVerdict:
    """Name what was found.

    Spec: RMT-64.
    """
    if correlated:
        return "both" if heavy else "correlations"
    return "heavy-tailed entries" if heavy else "neither"
