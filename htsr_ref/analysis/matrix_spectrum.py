"""The spectrum of a weight matrix under a convention."""

from htsr_ref.conventions import Convention
from htsr_ref.layers.matrices import Pool, WeightMatrix
from htsr_ref.spectra.eigenvalues import Spectrum, rounding_of, spectrum
from htsr_ref.spectra.solvers import SolverChoice
from htsr_ref.spectra.store import SpectrumStore


def spectrum_under(
    matrix: WeightMatrix | Pool,
    convention: Convention,
    solver: SolverChoice = "auto",
    store: SpectrumStore | None = None,
) -> Spectrum:
    """Compute the eigenvalues of a matrix, scaled and clamped as a convention says.

    Parameters
    ----------
    matrix : the matrix or the pool.
    convention : its `normalization`, and whether it counts zeros.
    solver, store : as for `spectrum`.

    Raises
    ------
    LayerError
        The matrix has no spectrum.

    Spec: SPC-1, SPC-5, SPC-6.
    """
    return spectrum(
        matrix,
        normalization=convention.normalization,
        solver=solver,
        clamp=convention.counts_zeros,
        rounding=rounding_of(matrix),
        store=store,
    )
