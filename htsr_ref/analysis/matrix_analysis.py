"""Every number of one weight matrix, or of several put together."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from htsr_ref.analysis.checks import NO_CHECKS, Checks
from htsr_ref.analysis.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.analysis.fitting import fit_eigenvalues, selected
from htsr_ref.analysis.matrix_spectrum import spectrum_under
from htsr_ref.analysis.replicating import goodness_under
from htsr_ref.conventions import Convention
from htsr_ref.errors import NoFitError
from htsr_ref.layers.matrices import Pool, WeightMatrix
from htsr_ref.metric_table import Fit, Measured, measure
from htsr_ref.powerlaw.extreme import TailIndex, tail_index_or_none
from htsr_ref.randommatrix.phases import phase_of
from htsr_ref.reports.report import LawComparison, MatrixReport
from htsr_ref.spectra.accuracy import accuracy_of
from htsr_ref.spectra.eigenvalues import Spectrum
from htsr_ref.spectra.shuffle import ShuffleNull, shuffle_null
from htsr_ref.spectra.solvers import SolverChoice
from htsr_ref.spectra.store import SpectrumStore


def analyze_matrix(
    matrix: WeightMatrix | Pool,
    convention: Convention,
    *,
    solver: SolverChoice = "auto",
    checks: Checks = NO_CHECKS,
    index: int = 0,
    layer: int = 0,
    store: SpectrumStore | None = None,
) -> MatrixReport:
    """Compute every number of one weight matrix, or of several put together.

    Parameters
    ----------
    matrix : the matrix or the pool.
    convention : the choices behind the numbers.
    solver : "auto", "gram" or "svd".
    checks : what is asked about the fit.
    index : place of the matrix in its layer.
    layer : place of the layer in its source.
    store : where eigenvalues are kept.

    Raises
    ------
    LayerError
        The matrix has no spectrum.

    Spec: PL-1, PL-7, PL-8, PL-19, RPT-5.
    """
    eigen = spectrum_under(matrix, convention, solver, store)
    found, reason = _fit_or_reason(eigen, convention)
    p_value, comparisons, without = _checked(found, eigen, convention, checks)
    positive = (
        eigen.eigenvalues[eigen.resolved]
        if convention.eigenvalue_floor == "rounding"
        else eigen.positive
    )
    index_of_tail = tail_index_or_none(positive)
    extreme = extreme_value(index_of_tail)
    return MatrixReport(
        index=index,
        label=matrix.label,
        solver=eigen.solver,
        alpha_null_reason=reason,
        extreme_value=extreme,
        comparisons=comparisons,
        null_model=_null_model(matrix, eigen, convention, checks, (layer, index)),
        warnings=(
            *((NO_NULL_MODEL,) if checks.shuffles and isinstance(matrix, Pool) else ()),
            *(() if found is None else fit_warnings(found.tail_size, extreme)),
            *without,
        ),
        **_phase(
            matrix,
            eigen,
            lambda part: index_of_tail if part.size == positive.size else tail_index_or_none(part),
        ),
        **measure(
            Measured(
                eigen,
                convention,
                found,
                convention.failed_alpha if found is None else found.alpha,
                None if found is None else _ks_xmin(found, eigen, convention),
                p_value,
            )
        ),
    ).judged()


NO_NULL_MODEL = "no null model: shuffling is for single matrices, and several are put together here"
"""Warning of a spectrum that shuffles were asked for but not computed (RMT-66)."""


def _fit_or_reason(eigen: Spectrum, convention: Convention) -> tuple[Fit | None, str | None]:
    try:
        return fit_eigenvalues(eigen.eigenvalues, accuracy_of(eigen), convention), None
    except NoFitError as error:
        return None, str(error)


def _ks_xmin(found: Fit, eigen: Spectrum, convention: Convention) -> float | None:
    """Threshold of least KS distance, under the conventions that give Δλ_min.

    Spec: MET-17.
    """
    if convention.xmin not in ("ks", "erg"):
        return None
    searched: Fit | None = found
    if convention.xmin == "erg":
        searched, _ = _fit_or_reason(eigen, replace(convention, xmin="ks"))
    return None if searched is None else searched.xmin


def _phase(
    matrix: WeightMatrix | Pool,
    eigen: Spectrum,
    index_of: Callable[[NDArray[np.float64]], TailIndex | None],
) -> dict[str, Any]:
    """Bulk and phase of a single matrix; a pool mixes several bulks.

    Spec: RMT-37.
    """
    if isinstance(matrix, Pool):
        return dict.fromkeys(("mp", "phase", "phase_reason"))
    phase = phase_of(eigen.eigenvalues, eigen.N, rank=eigen.rank, index_of=index_of)
    return {"mp": phase.bulk, "phase": phase.name, "phase_reason": phase.reason}


def _null_model(
    matrix: WeightMatrix | Pool,
    eigen: Spectrum,
    convention: Convention,
    checks: Checks,
    place: tuple[int, int],
) -> ShuffleNull | None:
    """Compare a matrix with its shuffled copies, if that was asked for and can be done.

    Spec: RMT-66.
    """
    if not checks.shuffles or isinstance(matrix, Pool) or eigen.lambda_max == 0:
        return None

    def alpha_of(copy: Spectrum) -> float | None:
        found, _ = _fit_or_reason(copy, convention)
        return None if found is None else found.alpha

    rng = np.random.default_rng((checks.seed, *place))
    return shuffle_null(matrix.to_array(), eigen, rng, shuffles=checks.shuffles, alpha_of=alpha_of)


def _checked(
    found: Fit | None, eigen: Spectrum, convention: Convention, checks: Checks
) -> tuple[float | None, dict[str, LawComparison | None], tuple[str, ...]]:
    """Carry out the checks that were asked for; with warnings of laws that cannot be compared."""
    p_value: float | None = None
    comparisons: dict[str, LawComparison | None] = {}
    warnings: tuple[str, ...] = ()
    if found is None or not (checks.gof or checks.compare):
        return p_value, comparisons, warnings
    accuracy = accuracy_of(eigen)
    if checks.gof:
        p_value = goodness_under(
            eigen.eigenvalues, accuracy, convention, found, replicas=checks.gof, seed=checks.seed
        ).p_value
    if checks.compare:
        sample = selected(eigen.eigenvalues, accuracy, convention)
        tail = sample[found.start : found.sample_size]
        comparisons, warnings = compare_laws(tail, found.xmin)
    return p_value, comparisons, warnings
