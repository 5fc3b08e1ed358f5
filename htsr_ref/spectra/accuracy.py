"""What arithmetic and storage leave of a spectrum: which eigenvalues are there, which are equal."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from htsr_ref.spectra.eigenvalues import Spectrum
from htsr_ref.spectra.solvers import solver_errors

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Accuracy:
    """How well the values of a spectrum, or of any sample fitted as one, are known.

    Attributes
    ----------
    resolution : difference from the largest value that errors can account for.
    resolved : (M,) bool, the values that errors alone do not explain.
    widths : (M,) float64, how far below each value another one may lie and still be equal to it.

    Spec: PL-7, SPC-6, SPC-13.
    """

    resolution: float
    resolved: NDArray[np.bool_]
    widths: Values


def accuracy_of(eigen: Spectrum) -> Accuracy:
    """Accuracy of the eigenvalues that a solver has found.

    Spec: SPC-13.
    """
    widths = 2 * solver_errors(eigen.eigenvalues, eigen.most_rows, eigen.solver)
    return Accuracy(eigen.resolution, eigen.resolved, widths)


def sample_accuracy(ascending: Values) -> Accuracy:
    """Accuracy of an ascending positive sample that may be the squares of singular values.

    Its values carry no error of storage, and all of them are there.

    Spec: CNV-21.
    """
    widths = 2 * solver_errors(ascending, ascending.size, "svd")
    return Accuracy(float(widths[-1]), np.ones(ascending.size, dtype=np.bool_), widths)


def grouped(ascending: Values, widths: Values) -> Values:
    """Set the members of every group of equal values to the least of them.

    A group holds the largest value that is in no other group, and those at most that value's
    width below it. Zeros form no groups.

    Parameters
    ----------
    ascending : (n,) float64, ascending, not negative.
    widths : (n,) float64, as in `Accuracy`.

    Returns
    -------
    (n,) float64, ascending.

    Spec: SPC-13.

    >>> grouped(np.array([0.0, 1.0, 1.5, 2.0, 2.5]), np.full(5, 0.6))
    array([0., 1., 1., 2., 2.])
    """
    values = ascending.copy()
    lows = values - widths
    zeros = int(values.searchsorted(0.0, side="right"))
    # Only a value within its successor's width can share a group.
    close = (values[:-1] >= lows[1:]).nonzero()[0] + 1
    end = values.size
    for top in close[::-1].tolist():
        if zeros < top < end:
            end = max(zeros, int(values.searchsorted(lows[top])))
            values[end : top + 1] = values[end]
    return values
