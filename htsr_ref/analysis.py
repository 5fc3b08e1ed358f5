"""From weights to a report: the only place where tensors, spectra, fits and metrics meet."""

import math
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from itertools import accumulate
from typing import Any

from numpy.typing import ArrayLike

from htsr_ref import __version__, metrics
from htsr_ref.bad_entries import describe_bad_entry
from htsr_ref.conventions import PAPER, Convention
from htsr_ref.cost import estimate_cost
from htsr_ref.errors import HtsrError, NoFitError
from htsr_ref.evidence import compare_laws, extreme_value, fit_warnings
from htsr_ref.matrices import WeightMatrix
from htsr_ref.planning import PlannedLayer, plan
from htsr_ref.powerlaw import PowerLawFit, fit_power_law
from htsr_ref.powerlaw.uncertainty import goodness_of_fit
from htsr_ref.report import (
    MEAN_FIELDS,
    SPEC_VERSION,
    LayerReport,
    MatrixReport,
    Report,
    SkipCode,
    Source,
    Tool,
)
from htsr_ref.spectrum import (
    NonFiniteError,
    SolverChoice,
    Spectrum,
    spectrum,
)
from htsr_ref.summary import summarize
from htsr_ref.weights import Weights, open_weights

LOAD_LIMIT = 1 << 28
"""Elements of a single matrix that is loaded whole, in its stored type, before it is analysed."""

WeightSource = str | os.PathLike[str] | Mapping[str, ArrayLike] | Weights


@dataclass(frozen=True)
class Checks:
    """What is asked about every fit beside the extreme-value index, which always is.

    Attributes
    ----------
    gof : replicas of the goodness-of-fit test; 0 for none.
    compare : whether the power law is compared with other laws.
    seed : of the test's replicas, the same for every matrix.
    """

    gof: int = 0
    compare: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Progress:
    """How far an analysis has come.

    Attributes
    ----------
    layer : name of the layer about to be analysed; empty at the end.
    done, total : estimated work in floating-point operations.
    """

    layer: str
    done: float
    total: float


def analyze(
    source: WeightSource,
    convention: Convention = PAPER,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    solver: SolverChoice = "auto",
    checks: Checks = Checks(),
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Compute every HT-SR number of a set of weights.

    Parameters
    ----------
    source : a weight file or folder, a mapping of names to arrays, or opened `Weights`.
    convention : the choices behind the numbers.
    layers : what the user knows better than the file, see `open_weights`; not with `Weights`.
    solver : "auto", "gram" or "svd".
    checks : what is asked about every fit.
    progress : called before each layer and at the end.

    Returns
    -------
    Report. A layer with bad data is skipped with its reason; the others are analysed.

    Raises
    ------
    WeightFileError
        The source as a whole cannot be read.

    Spec: RPT-3, RPT-4.

    >>> import numpy as np
    >>> report = analyze({"fc": np.diag([1.0, 2.0, 4.0, 8.0])})
    >>> round(report.layers[0].matrices[0].alpha, 3)
    1.481
    """
    weights = source if isinstance(source, Weights) else open_weights(source, layers)
    sha256 = weights.sha256()
    planned = plan(weights, convention)
    done = list(accumulate((_cost(item, solver) for item in planned), initial=0.0))
    notify = progress or (lambda _: None)
    reports = []
    for before, item in zip(done, planned, strict=False):
        if item.skipped is None:
            notify(Progress(item.layer.name, before, done[-1]))
        reports.append(_analyze_layer(item, convention, solver, checks))
    notify(Progress("", done[-1], done[-1]))
    return Report(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        source=Source(
            weights.name,
            weights.format,
            sha256,
            len(weights.layers),
            None if weights.source is None else dict(weights.source),
        ),
        convention=convention,
        solver=solver,
        seed=checks.seed if checks.gof else None,
        layers=tuple(reports),
        model=summarize(reports, convention),
        warnings=weights.warnings,
    )


def _cost(item: PlannedLayer, solver: SolverChoice) -> float:
    return sum(estimate_cost(matrix, solver).flops for matrix in item.matrices)


def _analyze_layer(
    item: PlannedLayer, convention: Convention, solver: SolverChoice, checks: Checks
) -> LayerReport:
    if item.skipped is not None:
        return _layer_report(item, (), item.skipped, item.skip_code)
    try:
        # Kernel positions are strided cuts, and compressed files are read whole for each access:
        # read the tensor once, in its stored type, unless it is too large to hold.
        many = len(item.matrices) > 1
        small = math.prod(item.layer.shape) <= LOAD_LIMIT
        data = item.layer.data.load() if many or small else item.layer.data
        matrices = tuple(
            analyze_matrix(
                replace(matrix, data=data), convention, solver=solver, checks=checks, index=index
            )
            for index, matrix in enumerate(item.matrices)
        )
    except NonFiniteError:
        return _layer_report(item, (), describe_bad_entry(item.layer), "bad-data")
    except HtsrError as error:
        reason = f"tensor {item.layer.tensor!r}: {error}"
        return _layer_report(item, (), reason, "bad-data")
    return _layer_report(item, matrices, None, None)


def _layer_report(
    item: PlannedLayer,
    matrices: tuple[MatrixReport, ...],
    skipped: str | None,
    skip_code: SkipCode | None,
) -> LayerReport:
    layer = item.layer
    means = {
        name: metrics.mean(getattr(matrix, name) for matrix in matrices) for name in MEAN_FIELDS
    }
    return LayerReport(
        name=layer.name,
        tensor=layer.tensor,
        kind=layer.kind,
        shape=layer.shape,
        dtype=layer.dtype,
        decided=layer.decided,
        skipped=skipped,
        skip_code=skip_code,
        matrices=matrices,
        means={name: mean.value for name, mean in means.items()} if matrices else None,
        counts={name: mean.count for name, mean in means.items()} if matrices else None,
        warnings=layer.warnings + item.warnings,
    )


def analyze_matrix(
    matrix: WeightMatrix,
    convention: Convention,
    *,
    solver: SolverChoice = "auto",
    checks: Checks = Checks(),
    index: int = 0,
) -> MatrixReport:
    """Compute every number of one weight matrix.

    Parameters
    ----------
    matrix : the matrix.
    convention : the choices behind the numbers.
    solver : "auto", "gram" or "svd".
    checks : what is asked about the fit.
    index : place of the matrix in its layer.

    Raises
    ------
    LayerError
        The matrix has no spectrum.

    Spec: MET-1, MET-12, PL-1, PL-7, PL-8, PL-19, RPT-5.
    """
    eigen = spectrum(matrix, normalization=convention.normalization, solver=solver)
    fit, reason = _fit(eigen, convention)
    values = eigen.eigenvalues
    extreme = extreme_value(eigen.positive) if eigen.lambda_max > 0 else None
    return MatrixReport(
        index=index,
        label=matrix.label,
        N=eigen.N,
        M=eigen.M,
        Q=eigen.aspect_ratio,
        solver=eigen.solver,
        num_eigenvalues=values.size,
        num_zero=eigen.num_zero,
        lambda_max=eigen.lambda_max,
        lambda_min=float(values[0]),
        rank=eigen.rank,
        alpha_null_reason=reason,
        xmax=None,
        entropy=metrics.entropy(values, eigen.rank),
        extreme_value=extreme,
        warnings=() if fit is None else fit_warnings(fit, extreme),
        **(_norms(eigen) if eigen.lambda_max > 0 else dict.fromkeys(_NORMS)),
        **(_fit_numbers(fit, eigen) if fit is not None else dict.fromkeys(_FIT_NUMBERS)),
        **_checked(fit, eigen, checks),
    )


_NORMS = ("log10_frobenius_norm", "log10_spectral_norm", "stable_rank", "log_stable_rank")
_FIT_NUMBERS = (
    "alpha",
    "alpha_stderr",
    "alpha_ci95",
    "xmin",
    "tail_size",
    "ks_distance",
    "log10_alpha_norm",
    "weighted_alpha",
)


def _norms(eigen: Spectrum) -> dict[str, Any]:
    values = eigen.eigenvalues
    return {
        "log10_frobenius_norm": metrics.log10_frobenius_norm(values, eigen.scale),
        "log10_spectral_norm": metrics.log10_spectral_norm(values, eigen.scale),
        "stable_rank": metrics.stable_rank(values),
        "log_stable_rank": metrics.log_stable_rank(values, eigen.scale),
    }


def _fit_numbers(fit: PowerLawFit, eigen: Spectrum) -> dict[str, Any]:
    return {
        "alpha": fit.alpha,
        "alpha_stderr": fit.stderr,
        "alpha_ci95": fit.ci95,
        "xmin": fit.xmin,
        "tail_size": fit.tail_size,
        "ks_distance": fit.ks_distance,
        "log10_alpha_norm": metrics.log10_alpha_norm(eigen.positive, fit.alpha),
        "weighted_alpha": metrics.weighted_alpha(fit.alpha, eigen.lambda_max),
    }


def _checked(fit: PowerLawFit | None, eigen: Spectrum, checks: Checks) -> dict[str, Any]:
    """Carry out the checks that were asked for."""
    sample = eigen.positive
    p_value, comparisons = None, {}
    if fit is not None and checks.gof:
        p_value = goodness_of_fit(sample, fit, replicas=checks.gof, seed=checks.seed).p_value
    if fit is not None and checks.compare:
        comparisons = compare_laws(sample[sample.size - fit.tail_size :], fit.xmin)
    return {"p_value": p_value, "comparisons": comparisons}


def _fit(eigen: Spectrum, convention: Convention) -> tuple[PowerLawFit | None, str | None]:
    """Fit the positive eigenvalues, or say why that cannot be done."""
    sample = eigen.positive
    if sample.size == 0:
        return None, "all eigenvalues are zero"
    try:
        fit = fit_power_law(sample, ks=convention.ks)
    except NoFitError as error:
        return None, str(error)
    if eigen.lambda_max - fit.xmin <= eigen.resolution:
        return None, "the eigenvalues above xmin are equal within their errors"
    return fit, None
