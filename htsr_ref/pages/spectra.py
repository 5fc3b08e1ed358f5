"""Spectra as figures of a page need them: few points, few digits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.analysis.planning import plan
from htsr_ref.plots.density import bins
from htsr_ref.plots.thinning import top_heavy
from htsr_ref.spectra.eigenvalues import spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights

MOST_POINTS, LEAST_POINTS = 200, 24
"""Points of the survival function of one matrix."""

POINTS_OF_PAGE = 130_000
"""Points that all matrices of a report share, while each has its least."""


@dataclass(frozen=True)
class ThinSpectrum:
    """Positive eigenvalues of one matrix, thinned.

    Attributes
    ----------
    size : their number.
    ranks : of the points from the top, descending; the largest eigenvalue has 1.
    values : eigenvalues of these ranks, ascending.
    low, high : ends of the bins, which have equal ratios.
    counts : eigenvalues in each bin.

    Spec: PAG-5.
    """

    size: int
    ranks: tuple[int, ...]
    values: tuple[float, ...]
    low: float
    high: float
    counts: tuple[int, ...]


Spectra = dict[tuple[int, int], ThinSpectrum]
"""Spectra by the place of the layer in its report and the index of the matrix in the layer."""


def thin_spectra(
    report: Report, weights: Weights, store: SpectrumStore, solver: SolverChoice = "auto"
) -> Spectra:
    """Thin the spectra of all matrices of a report.

    Parameters
    ----------
    report : of the weights.
    weights : what was analyzed.
    store : the eigenvalues that the analysis kept.
    solver : of the analysis.

    Spec: PAG-5.
    """
    number = sum(len(layer.matrices) for layer in report.layers)
    most = int(np.clip(POINTS_OF_PAGE // max(1, number), LEAST_POINTS, MOST_POINTS))
    convention = report.convention
    found: Spectra = {}
    for place, (layer, item) in enumerate(
        zip(report.layers, plan(weights, convention), strict=True)
    ):
        for matrix in layer.matrices:
            positive = spectrum(
                item.matrices[matrix.index],
                normalization=convention.normalization,
                solver=solver,
                clamp=convention.counts_zeros,
                store=store,
            ).positive
            if positive.size:
                found[place, matrix.index] = thin(positive, most)
    return found


def thin(positive: NDArray[np.float64], most: int = MOST_POINTS) -> ThinSpectrum:
    """Thin one spectrum.

    Parameters
    ----------
    positive : (n,) float64, ascending, positive.
    most : points of the survival function that are kept.

    Spec: PAG-5.

    >>> thin(np.array([1.0, 2.0, 3.0])).ranks
    (3, 2, 1)
    """
    places = top_heavy(positive.size, most)
    edges = bins(positive, log=True)
    counts, _ = np.histogram(positive, edges)
    return ThinSpectrum(
        size=positive.size,
        ranks=tuple((positive.size - places).tolist()),
        values=tuple(positive[places].tolist()),
        low=float(edges[0]),
        high=float(edges[-1]),
        counts=tuple(counts.tolist()),
    )
