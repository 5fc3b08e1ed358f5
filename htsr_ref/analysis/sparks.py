"""The spectrum of every layer as a line of blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from htsr_ref.analysis.planning import plan
from htsr_ref.spectra.eigenvalues import spectrum

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from htsr_ref.reports.report import Report
    from htsr_ref.spectra.solvers import SolverChoice
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights

BINS = 16
"""Blocks of a line."""

BLOCKS = "▁▂▃▄▅▆▇█"


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
            spectrum(
                item.matrices[found.index],
                normalization=convention.normalization,
                solver=solver,
                clamp=convention.counts_zeros,
                store=store,
            ).positive
            for found in layer.matrices
        ]
        if spectra:
            drawn[layer.name] = blocks(np.concatenate(spectra))
    return drawn


def blocks(values: NDArray[np.float64]) -> str:
    """Draw a histogram over the logarithm, from the smallest to the largest value.

    Parameters
    ----------
    values : (n,) float64, positive.

    Returns
    -------
    `BINS` characters, the height of each in proportion to its count, a blank for none; empty
    without values.

    Spec: RPT-13.

    >>> blocks(np.geomspace(1.0, 100.0, 160)), blocks(np.array([1.0, 1e15]))
    ('████████████████', '█              █')
    """
    if not values.size:
        return ""
    counts, _ = np.histogram(np.log10(values), BINS)
    heights = np.ceil(counts * (len(BLOCKS) / counts.max())).astype(int)
    return "".join(BLOCKS[height - 1] if height else " " for height in heights)
