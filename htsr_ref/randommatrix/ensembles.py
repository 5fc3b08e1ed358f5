"""Random matrices whose spectra are known beforehand: W, N×M with N ≥ M, for X = WᵀW/N.

Every function takes a NumPy Generator and draws the same matrix from the same state.
"""

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from htsr_ref.errors import EnsembleError
from htsr_ref.randommatrix.limits import check_draw, check_finite

Matrix = NDArray[np.float64]
"""(N, M) float64."""


def gaussian(N: int, M: int, rng: np.random.Generator, *, sigma: float = 1.0) -> Matrix:
    """Independent normal entries of variance σ².

    The spectrum tends to Marchenko-Pastur's law on σ²(1 ± 1/√Q)², Q = N/M, and λ_max to its upper
    edge.

    Spec: RMT-1, RMT-2. Source: Marchenko & Pastur 1967; Geman 1980 (λ_max).

    >>> gaussian(4, 2, np.random.default_rng(0)).shape
    (4, 2)
    """
    check_draw(N, M, sigma=sigma)
    return sigma * rng.standard_normal((N, M))


def pareto(N: int, M: int, mu: float, rng: np.random.Generator, *, scale: float = 1.0) -> Matrix:
    """Independent symmetric Pareto entries: density (μ/2)·W0^μ/|w|^(1+μ) for |w| ≥ W0.

    For μ < 2 the spectrum has a power-law tail of exponent α = μ/2 + 1; for 2 < μ < 4 it has one
    only in the limit; for μ > 4 the limit is Marchenko-Pastur's law with σ² = W0²·μ/(μ-2). For
    Q = 1, λ_max grows as N^(4/μ-1) below μ = 4.

    Parameters
    ----------
    mu : tail index μ > 0 of the entries.
    scale : W0.

    Spec: RMT-1, RMT-3. Source: Martin & Mahoney, SDM 2020, section 3; Auffinger, Ben Arous & Péché
    2009 (λ_max).
    """
    check_draw(N, M, mu=mu, scale=scale)
    with np.errstate(over="ignore"):
        sizes = scale * (1.0 - rng.random((N, M))) ** (-1.0 / mu)
    return check_finite(np.where(rng.random((N, M)) < 0.5, -sizes, sizes))


def levy_stable(
    N: int, M: int, mu: float, rng: np.random.Generator, *, scale: float = 1.0
) -> Matrix:
    """Independent symmetric stable entries, of characteristic function exp(-|γt|^μ), 0 < μ ≤ 2.

    For μ < 2 their tails are those of Pareto entries of the same index, and so is that of the
    spectrum, α = μ/2 + 1; μ = 2 is Gaussian of variance 2γ².

    Parameters
    ----------
    mu : stability index μ.
    scale : γ.

    Spec: RMT-1, RMT-4. Source: Chambers, Mallows & Stuck 1976 (the draw); Cizeau & Bouchaud 1994.
    """
    check_draw(N, M, mu=mu, scale=scale)
    if mu > 2:
        raise EnsembleError(f"mu is {mu}: a stable law has 0 < mu ≤ 2")
    angle = rng.uniform(-math.pi / 2, math.pi / 2, (N, M))
    waiting = rng.standard_exponential((N, M))
    with np.errstate(over="ignore"):
        # In logarithms, since each factor alone may overflow for small μ.
        size = np.log(np.abs(np.sin(mu * angle))) - np.log(np.cos(angle)) / mu
        size += (1.0 - mu) / mu * (np.log(np.cos((1.0 - mu) * angle)) - np.log(waiting))
        return check_finite(np.copysign(scale * np.exp(size), angle))


def student_t(
    N: int, M: int, dof: float, rng: np.random.Generator, *, scale: float = 1.0
) -> Matrix:
    """Independent entries of Student's law: tail index μ = ν, variance ν/(ν-2) where ν > 2.

    Parameters
    ----------
    dof : degrees of freedom ν > 0.
    scale : factor of the entries.

    Spec: RMT-1, RMT-4.
    """
    check_draw(N, M, dof=dof, scale=scale)
    return check_finite(scale * rng.standard_t(dof, (N, M)))


def spiked(
    N: int, M: int, spikes: ArrayLike, rng: np.random.Generator, *, sigma: float = 1.0
) -> Matrix:
    """Rows of a normal law with covariance σ²·diag(1+θ_1, …, 1+θ_k, 1, …, 1).

    Beside a Marchenko-Pastur bulk, each θ > 1/√Q gives an eigenvalue near
    σ²(1+θ)(1 + 1/(Qθ)); smaller ones give none.

    Parameters
    ----------
    spikes : (k,) excess θ > -1 of the population eigenvalues, k ≤ M.
    sigma : standard deviation of the other entries.

    Spec: RMT-1, RMT-5. Source: Baik, Ben Arous & Péché 2005; Baik & Silverstein 2006.
    """
    check_draw(N, M, sigma=sigma)
    excess = np.atleast_1d(np.asarray(spikes, dtype=np.float64))
    if excess.ndim != 1 or excess.size > M:
        raise EnsembleError(f"{excess.size} spikes do not fit a matrix of {M} columns")
    if not np.all((excess > -1) & np.isfinite(excess)):
        raise EnsembleError(f"spikes are {excess.tolist()}: each must be a number above -1")
    deviations = np.full(M, sigma)
    deviations[: excess.size] *= np.sqrt(1.0 + excess)
    W: Matrix = rng.standard_normal((N, M)) * deviations
    return W


def prescribed(singular_values: ArrayLike, N: int, rng: np.random.Generator) -> Matrix:
    """Given singular values between orthogonal frames drawn uniformly (Haar).

    The eigenvalues of X are σ²/N exactly.

    Parameters
    ----------
    singular_values : (M,) non-negative, M ≤ N, in any order.

    Spec: RMT-1, RMT-6. Source: Mezzadri 2007 (uniform orthogonal matrices).
    """
    values = np.asarray(singular_values, dtype=np.float64)
    if values.ndim != 1 or not np.all((values >= 0) & np.isfinite(values)):
        raise EnsembleError("singular values are a list of finite numbers of at least 0")
    check_draw(N, values.size)
    return (frame(N, values.size, rng) * values) @ frame(values.size, values.size, rng).T


def frame(rows: int, columns: int, rng: np.random.Generator) -> Matrix:
    """Uniformly distributed orthonormal columns, (rows, columns).

    Spec: RMT-6. Source: Mezzadri 2007.
    """
    Q, R = np.linalg.qr(rng.standard_normal((rows, columns)))
    # QR alone prefers some signs; with those of R's diagonal no direction is preferred.
    frame: Matrix = Q * np.sign(np.diag(R))
    return frame


def power_law_eigenvalues(
    M: int, alpha: float, rng: np.random.Generator | None = None, *, xmin: float = 1.0
) -> NDArray[np.float64]:
    """Eigenvalues of a power law: its quantiles (i-½)/M, or independent draws with `rng`.

    Parameters
    ----------
    alpha : exponent α > 1.
    xmin : smallest possible eigenvalue.

    Returns
    -------
    (M,) float64, ascending. `prescribed(np.sqrt(N * eigenvalues), N, rng)` is a matrix with them.

    Spec: RMT-7. Source: Clauset, Shalizi & Newman 2009, appendix D.

    >>> power_law_eigenvalues(2, 2.0).round(3)
    array([1.333, 4.   ])
    """
    check_draw(M, M, xmin=xmin, **{"alpha - 1": alpha - 1.0})
    p = (np.arange(M) + 0.5) / M if rng is None else np.sort(rng.random(M))
    with np.errstate(over="ignore"):
        return check_finite(xmin * (1.0 - p) ** (-1.0 / (alpha - 1.0)))


def gaussian_with_heavy_part(
    N: int,
    M: int,
    mu: float,
    rng: np.random.Generator,
    *,
    weight: float = 0.1,
    sigma: float = 1.0,
) -> Matrix:
    """Gaussian entries plus Pareto entries of scale `weight`.

    The bulk is the Gaussian's where the heavy part is small; the entries keep the tail index μ, so
    that for μ < 4 the largest eigenvalues are those of the largest entries.

    Spec: RMT-1, RMT-8. Source: Auffinger, Ben Arous & Péché 2009.
    """
    return gaussian(N, M, rng, sigma=sigma) + pareto(N, M, mu, rng, scale=weight)


def low_rank_plus_noise(
    N: int,
    M: int,
    rank: int,
    rng: np.random.Generator,
    *,
    strength: float = 2.0,
    sigma: float = 1.0,
) -> Matrix:
    """Gaussian noise plus a matrix of `rank` equal singular values s√N in uniform directions.

    For s > σ/Q^¼ X has `rank` eigenvalues near (s² + σ²)(s² + σ²/Q)/s² beside a
    Marchenko-Pastur bulk; below, none.

    Parameters
    ----------
    strength : s.
    sigma : standard deviation of the noise; 0 for none.

    Spec: RMT-1, RMT-9. Source: Benaych-Georges & Nadakuditi 2012, section 3.1.
    """
    check_draw(N, M, strength=strength)
    if not 0 <= rank <= M:
        raise EnsembleError(f"rank is {rank}: a matrix of {M} columns has 0 to {M}")
    if not 0 <= sigma < math.inf:
        raise EnsembleError(f"sigma is {sigma}: it must be a number of at least 0")
    signal = strength * math.sqrt(N) * frame(N, rank, rng) @ frame(M, rank, rng).T
    return signal + sigma * rng.standard_normal((N, M))


def correlated_rows(
    N: int, M: int, rho: float, rng: np.random.Generator, *, sigma: float = 1.0
) -> Matrix:
    """Draw normal entries of variance σ² whose correlation from row to row is ρ^distance.

    The spectrum is wider than Marchenko-Pastur's: the means of λ and λ² tend to σ² and
    σ⁴(1 + (1/Q)(1+ρ²)/(1-ρ²)).

    Parameters
    ----------
    rho : correlation of neighboring rows, -1 < ρ < 1.

    Spec: RMT-1, RMT-10. Source: Silverstein 1995; Burda, Jarosz, Nowak & Snarska 2010.
    """
    check_draw(N, M, sigma=sigma)
    if not -1 < rho < 1:
        raise EnsembleError(f"rho is {rho}: a correlation lies between -1 and 1")
    W = sigma * rng.standard_normal((N, M))
    fresh = math.sqrt(1.0 - rho * rho)
    for row in range(1, N):
        W[row] = rho * W[row - 1] + fresh * W[row]
    return W
