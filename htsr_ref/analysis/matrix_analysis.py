"""Every number of one weight matrix, or of several put together."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np

from htsr_ref import metrics
from htsr_ref.analysis.checks import NO_CHECKS, Checks
from htsr_ref.analysis.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.analysis.fitting import fit_eigenvalues, selected
from htsr_ref.conventions import Convention
from htsr_ref.errors import NoFitError
from htsr_ref.layers.matrices import Pool, WeightMatrix
from htsr_ref.powerlaw.tail_fit import ExponentLaw, TailFit
from htsr_ref.powerlaw.uncertainty import goodness_of_fit
from htsr_ref.randommatrix.phases import phase_of
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.accuracy import accuracy_of
from htsr_ref.spectra.eigenvalues import Spectrum, rounding_of, spectrum
from htsr_ref.spectra.shuffle import ShuffleNull, shuffle_null
from htsr_ref.spectra.solvers import SolverChoice
from htsr_ref.spectra.store import SpectrumStore

Fit = TailFit[ExponentLaw]

WEAK = 1e-6
"""Eigenvalues below this are counted in `weak_rank_loss` (MET-18)."""


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

    Spec: MET-1, MET-12, MET-15, MET-18, PL-1, PL-7, PL-8, PL-19, RPT-5.
    """
    eigen = spectrum(
        matrix,
        normalization=convention.normalization,
        solver=solver,
        clamp=convention.counts_zeros,
        rounding=rounding_of(matrix),
        store=store,
    )
    found, reason = _fit_or_reason(eigen, convention)
    checked, without = _checked(found, eigen, convention, checks)
    values = eigen.eigenvalues
    rank = RANKS[convention.rank](eigen)
    nonzero = eigen.lambda_max > 0
    positive = (
        values[eigen.resolved] if convention.eigenvalue_floor == "rounding" else eigen.positive
    )
    extreme = extreme_value(positive) if positive.size else None
    return MatrixReport(
        index=index,
        label=matrix.label,
        N=eigen.N,
        M=eigen.M,
        Q=eigen.aspect_ratio,
        solver=eigen.solver,
        num_eigenvalues=values.size,
        num_zero=eigen.num_zero,
        weak_rank_loss=int(np.count_nonzero(values < WEAK)),
        lambda_max=eigen.lambda_max,
        lambda_min=MINIMA[convention.lambda_min](eigen.minima),
        rank=rank,
        alpha_null_reason=reason,
        entropy=ENTROPIES[convention.entropy](values, rank) if nonzero else None,
        extreme_value=extreme,
        null_model=_null_model(matrix, eigen, convention, checks, (layer, index)),
        warnings=(
            *((NO_NULL_MODEL,) if checks.shuffles and isinstance(matrix, Pool) else ()),
            *(() if found is None else fit_warnings(found.tail_size, extreme)),
            *without,
        ),
        **(_norms(eigen, convention) if nonzero else dict.fromkeys(_NORMS)),
        **_phase(matrix, eigen),
        **_fit_numbers(found, eigen, convention),
        **checked,
    )


NO_NULL_MODEL = "no null model: shuffling is for single matrices, and several are put together here"
"""Warning of a spectrum that shuffles were asked for but not computed (RMT-66)."""

RANKS: Mapping[str, Callable[[Spectrum], int]] = MappingProxyType(
    {
        "rounding": lambda eigen: eigen.rank,
        "matrix-rank": lambda eigen: metrics.matrix_rank(eigen.eigenvalues, eigen.N),
    }
)
"""Counts of singular values by the value of `rank` (SPC-6, MET-15)."""

ENTROPIES: Mapping[str, Callable[[metrics.Eigenvalues, int], float | None]] = MappingProxyType(
    {"ranked": metrics.entropy, "shifted": metrics.shifted_entropy}
)
"""Matrix entropies by the value of `entropy` (MET-7, MET-15)."""

MINIMA: Mapping[str, Callable[[tuple[float, ...]], float]] = MappingProxyType(
    {"least": min, "greatest": max}
)
"""Smallest eigenvalues by the value of `lambda_min` (MET-1, MET-15)."""

_NORMS = (
    "log10_frobenius_norm",
    "log10_spectral_norm",
    "stable_rank",
    "log_stable_rank",
    "erg_tail_size",
)
FIT_NUMBERS = (
    "alpha",
    "alpha_stderr",
    "alpha_ci95",
    "xmin",
    "xmax",
    "tail_size",
    "ks_distance",
    "log10_alpha_norm",
    "weighted_alpha",
    "delta_lambda_min",
)
"""Numbers that come from the fit."""


def _fit_or_reason(eigen: Spectrum, convention: Convention) -> tuple[Fit | None, str | None]:
    try:
        return fit_eigenvalues(eigen.eigenvalues, accuracy_of(eigen), convention), None
    except NoFitError as error:
        return None, str(error)


def _norms(eigen: Spectrum, convention: Convention) -> dict[str, Any]:
    """Norms and ranks of a matrix that is not zero.

    Spec: MET-14.
    """
    values = eigen.eigenvalues
    scale = eigen.scale if convention.norms == "weights" else 1.0
    return {
        "log10_frobenius_norm": metrics.log10_frobenius_norm(values, scale),
        "log10_spectral_norm": metrics.log10_spectral_norm(values, scale),
        "stable_rank": metrics.stable_rank(values),
        "log_stable_rank": metrics.log_stable_rank(values, scale),
        "erg_tail_size": metrics.erg_tail_size(values, eigen.resolution),
    }


def _fit_numbers(found: Fit | None, eigen: Spectrum, convention: Convention) -> dict[str, Any]:
    """Numbers of the fit; without one, those of the number that stands for a failure, if any.

    Spec: CNV-10.
    """
    numbers: dict[str, Any] = dict.fromkeys(FIT_NUMBERS)
    alpha = convention.failed_alpha
    if found is not None:
        alpha = found.alpha
        numbers |= {
            "alpha_stderr": found.stderr,
            "alpha_ci95": found.ci95,
            "xmin": found.xmin,
            "xmax": found.xmax,
            "tail_size": found.tail_size,
            "ks_distance": found.ks_distance,
            "delta_lambda_min": _delta_lambda_min(found, eigen, convention),
        }
    numbers["alpha"] = alpha
    if alpha is not None and eigen.lambda_max > 0:
        kept = eigen.eigenvalues[max(convention.drop_smallest, eigen.num_zero) :]
        if kept.size:
            numbers["log10_alpha_norm"] = metrics.log10_alpha_norm(kept, alpha)
        numbers["weighted_alpha"] = metrics.weighted_alpha(
            alpha, eigen.lambda_max, convention.log_base
        )
    return numbers


def _delta_lambda_min(found: Fit, eigen: Spectrum, convention: Convention) -> float | None:
    """Distance between the thresholds of the power law and of the ERG condition.

    Spec: MET-17.
    """
    if convention.xmin not in ("ks", "erg"):
        return None
    searched: Fit | None = found
    if convention.xmin == "erg":
        searched, _ = _fit_or_reason(eigen, replace(convention, xmin="ks"))
    if searched is None:
        return None
    return metrics.delta_lambda_min(eigen.eigenvalues, searched.xmin, eigen.resolution)


def _phase(matrix: WeightMatrix | Pool, eigen: Spectrum) -> dict[str, Any]:
    """Bulk and phase of a single matrix; a pool mixes several bulks.

    Spec: RMT-37.
    """
    if isinstance(matrix, Pool):
        return dict.fromkeys(("mp", "phase", "phase_reason"))
    phase = phase_of(eigen.eigenvalues, eigen.N, rank=eigen.rank)
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
) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Carry out the checks that were asked for; with warnings of laws that cannot be compared."""
    numbers: dict[str, Any] = {"p_value": None, "comparisons": {}}
    warnings: tuple[str, ...] = ()
    if found is None or not (checks.gof or checks.compare):
        return numbers, warnings
    sample = selected(eigen.eigenvalues, accuracy_of(eigen), convention)
    if checks.gof:
        numbers["p_value"] = goodness_of_fit(
            sample,
            found,
            xmin="searched" if convention.xmin == "ks" else "known",
            replicas=checks.gof,
            seed=checks.seed,
        ).p_value
    if checks.compare:
        tail = sample[found.start : found.sample_size]
        numbers["comparisons"], warnings = compare_laws(tail, found.xmin)
    return numbers, warnings
