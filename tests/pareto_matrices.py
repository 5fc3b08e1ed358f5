"""Matrices of independent Pareto entries, drawn apart from the ensembles of the package."""

import numpy as np
from numpy.typing import NDArray

from htsr_ref.powerlaw import fit_power_law
from htsr_ref.spectra.eigenvalues import Spectrum, spectrum


def pareto_spectrum(mu: float, N: int, M: int, rng: np.random.Generator) -> Spectrum:
    """Eigenvalues of X = WᵀW/N, W of random sign with P(|w| > t) = t^-μ for t ≥ 1."""
    W = (1 + rng.pareto(mu, (N, M))) * rng.choice([-1.0, 1.0], (N, M))
    return spectrum(W, solver="gram")


def fitted_alphas(
    mu: float, N: int, M: int, draws: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Exponents that the fit finds in as many matrices."""
    spectra = (pareto_spectrum(mu, N, M, rng) for _ in range(draws))
    return np.array([fit_power_law(X.positive).alpha for X in spectra])
