"""The spectrum of every layer as a line of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.analysis.matrix_spectrum import spectrum_under
from htsr_ref.analysis.planning import plan
from htsr_ref.text.sparklines import log_histogram

if TYPE_CHECKING:
    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights


def spectra_in_blocks(
    report: Report, weights: Weights, solver: SolverChoice, store: SpectrumStore
) -> dict[str, str]:
    """Draw the positive eigenvalues of every analyzed layer, by its name.

    Parameters
    ----------
    report : of the weights.
    weights, solver, store : those of the analysis; the store has the eigenvalues.

    Spec: RPT-13.
    """
    convention = report.convention
    drawn = {}
    for layer, item in zip(report.layers, plan(weights, convention), strict=True):
        spectra = [
            spectrum_under(item.matrices[found.index], convention, solver, store).positive
            for found in layer.matrices
        ]
        if spectra:
            drawn[layer.name] = log_histogram(np.concatenate(spectra))
    return drawn
