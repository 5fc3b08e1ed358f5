"""What figures of one spectrum or sample show, put together as data."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from htsr_ref.analysis.fitting import fit_eigenvalues, selected
from htsr_ref.analysis.matrix_spectrum import spectrum_under
from htsr_ref.errors import NoFitError
from htsr_ref.layers.matrices import Pool
from htsr_ref.powerlaw.distributions import DISTRIBUTIONS
from htsr_ref.powerlaw.scan import scan_thresholds
from htsr_ref.spectra.accuracy import accuracy_of, sample_accuracy
from htsr_ref.spectra.shuffle import shuffled_spectra

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from htsr_ref.analysis.checks import Checks
    from htsr_ref.conventions import Convention
    from htsr_ref.layers.matrices import WeightMatrix
    from htsr_ref.powerlaw.distributions import Distribution
    from htsr_ref.powerlaw.scan import ThresholdScan
    from htsr_ref.powerlaw.tail_fit import TailFit
    from htsr_ref.randommatrix.bulk import BulkFit
    from htsr_ref.reports.report import MatrixReport
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore


@dataclass(frozen=True)
class TailView:
    """A sample of positive numbers with what was fitted to it.

    Attributes
    ----------
    values : (n,) float64, ascending, positive.
    fit : the fitted tail; None where there is none.
    scan : power laws above other thresholds; None where there is no fit.
    laws : laws that the power law was compared with, fitted to the same tail, by name.
    N : rows of the weight matrix that the values are the eigenvalues of; None for other samples.
    num_zero : eigenvalues that count as zero, which `values` leaves out.
    bulk : the Marchenko-Pastur bulk of the eigenvalues; None without one.
    shuffled : (k, M) float64, ascending, eigenvalues of shuffled copies; None without any.

    Spec: FIG-5.
    """

    values: NDArray[np.float64]
    fit: TailFit[Any] | None = None
    scan: ThresholdScan | None = None
    laws: Mapping[str, Distribution] = field(default_factory=dict)
    N: int | None = None
    num_zero: int = 0
    bulk: BulkFit | None = None
    shuffled: NDArray[np.float64] | None = None


def view_sample(
    sample: NDArray[np.float64],
    fit: TailFit[Any],
    convention: Convention,
    compared: Iterable[str] = (),
) -> TailView:
    """Put together what figures of a sample show.

    Parameters
    ----------
    sample : (n,) float64, positive, in any order.
    fit, convention : the tail fitted to it, and the choices that were followed.
    compared : names of the laws that the fit was compared with.

    Spec: FIG-5.
    """
    values = np.sort(sample)
    fitted = selected(values, sample_accuracy(values), convention)[: fit.sample_size]
    return TailView(
        values,
        fit,
        _scan(fitted, fit, renormalized=convention.ks_model == "renormalized"),
        _laws(fitted[fit.start :], fit.xmin, compared),
    )


def view_matrix(
    matrix: WeightMatrix | Pool,
    found: MatrixReport,
    convention: Convention,
    *,
    solver: SolverChoice = "auto",
    checks: Checks | None = None,
    layer: int = 0,
    store: SpectrumStore | None = None,
) -> TailView:
    """Put together what figures of a weight matrix show.

    Parameters
    ----------
    matrix : the matrix or the pool.
    found : what was reported of it.
    convention, solver, checks : of that report.
    layer : place of its layer in the source.
    store : where its eigenvalues were kept; without it they are computed.

    Spec: FIG-5.
    """
    eigen = spectrum_under(matrix, convention, solver, store)
    fit, scan, laws = None, None, {}
    accuracy = accuracy_of(eigen)
    with suppress(NoFitError):
        fit = fit_eigenvalues(eigen.eigenvalues, accuracy, convention)
        sample = selected(eigen.eigenvalues, accuracy, convention)[: fit.sample_size]
        scan = _scan(sample, fit, renormalized=convention.ks_model == "renormalized")
        laws = _laws(sample[fit.start :], fit.xmin, found.comparisons)
    shuffled = None
    if found.null_model is not None and checks is not None and not isinstance(matrix, Pool):
        # The generator of the analysis: these are the copies that its p-values are of.
        rng = np.random.default_rng((checks.seed, layer, found.index))
        copies = shuffled_spectra(matrix.to_array(), eigen, rng, found.null_model.shuffles)
        shuffled = np.stack([copy.eigenvalues for copy in copies])
    return TailView(eigen.positive, fit, scan, laws, eigen.N, eigen.num_zero, found.mp, shuffled)


def _scan(
    sample: NDArray[np.float64], fit: TailFit[Any], *, renormalized: bool
) -> ThresholdScan | None:
    if sample[0] == sample[-1]:
        return None
    return scan_thresholds(sample, fit.ks, renormalized=renormalized)


def _laws(
    tail: NDArray[np.float64], xmin: float, compared: Iterable[str]
) -> dict[str, Distribution]:
    """Laws fitted to a tail; one that cannot be is left out."""
    laws = {}
    for name in compared:
        with suppress(NoFitError):
            laws[name] = DISTRIBUTIONS[name].fit(tail, xmin)
    return laws
