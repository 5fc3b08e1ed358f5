"""From weights to a report: the only place where tensors, spectra, fits and metrics meet."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from htsr_ref import metrics
from htsr_ref.analysis.bad_entries import describe_bad_entry
from htsr_ref.analysis.checks import NO_CHECKS, Checks
from htsr_ref.analysis.matrix_analysis import analyze_matrix
from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.analysis.resources import Resources
from htsr_ref.analysis.running import run_layers
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import ChangedWeightsError, HtsrError
from htsr_ref.machine.blas import blas_threads as threads_of_blas
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.report import (
    SPEC_VERSION,
    BaseSource,
    LayerReport,
    MatrixReport,
    Report,
    SkipCode,
    Source,
    Tool,
)
from htsr_ref.reports.summary import summarize
from htsr_ref.spectra.cost import Cost
from htsr_ref.spectra.solvers import NonFiniteError, SolverChoice, solver_of
from htsr_ref.version import __version__
from htsr_ref.weights.asking import asked_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from htsr_ref.analysis.journal import Journal
    from htsr_ref.spectra.store import SpectrumStore
    from htsr_ref.weights import Weights
    from htsr_ref.weights.opening import WeightSource


@dataclass(frozen=True)
class Progress:
    """How far an analysis has come.

    Attributes
    ----------
    layer : name of the layer that has just begun; empty at the end.
    done, total : estimated work, finished and altogether, in floating-point operations.
    """

    layer: str
    done: float
    total: float


def analyze(
    source: WeightSource | Weights,
    convention: Convention | str = DEFAULT,
    *,
    layers: Mapping[str, Mapping[str, Any]] | None = None,
    include: Sequence[str] | None = None,
    exclude: Sequence[str] | None = None,
    minus: WeightSource | Weights | None = None,
    base: WeightSource | Weights | None = None,
    solver: SolverChoice = "auto",
    gof: int = 0,
    compare: bool = False,
    shuffles: int = 0,
    seed: int = 0,
    jobs: int | None = None,
    blas_threads: int = 1,
    max_memory: int | None = None,
    store: SpectrumStore | None = None,
    journal: Journal | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Report:
    """Compute every HT-SR number of a set of weights.

    Parameters
    ----------
    source : a file or folder, an array, arrays by name such as a state dict, or opened weights.
    convention : the choices behind the numbers: a name, a file of one's own, or a `Convention`.
    layers, include, exclude : what is known better than the file, and what is analyzed of it.
    minus : weights to subtract first, such as those before fine-tuning.
    base : the model of an adapter, to which `source` is added.
    solver : "auto", "gram" or "svd".
    gof, shuffles : replicas that test every fit, and shuffled copies of every matrix; 0 for none.
    compare : whether other laws are fitted to every tail.
    seed : of replicas and shuffles.
    jobs, blas_threads, max_memory : layers side by side, threads for each, and bytes of them all.
    store : where eigenvalues are kept, for figures; filled from several threads.
    journal : where finished layers are kept, and found if this work was begun before.
    progress : called when a layer begins and at the end.

    Returns
    -------
    Report. A layer with bad data is skipped with its reason; the others are analyzed.

    Raises
    ------
    HtsrError : the source cannot be read, or two options do not go together.

    Spec: RPT-3, RPT-4, SCL-2.

    >>> import numpy as np
    >>> report = analyze({"fc": np.diag([1.0, 2.0, 4.0, 8.0])})
    >>> round(report.layers[0].matrices[0].alpha, 3)
    1.721
    """
    convention = get_convention(convention)
    checks = Checks(gof, compare, seed, shuffles)
    resources = Resources(jobs, blas_threads, max_memory)
    checks.require_fit_for(convention)
    weights = asked_weights(
        source, layers=layers, include=include, exclude=exclude, minus=minus, base=base
    )
    sha256 = weights.sha256()
    planned = plan(weights, convention)
    with threads_of_blas(blas_threads):
        reports = _reports(planned, convention, solver, checks, resources, store, journal, progress)
    return Report(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        source=Source(
            weights.name,
            weights.format,
            sha256,
            len(weights.layers),
            None if weights.source is None else dict(weights.source),
            _base_of(weights),
        ),
        convention=convention,
        solver=solver,
        blas_threads=resources.blas_threads,
        seed=checks.recorded_seed,
        layers=tuple(reports),
        model=summarize(reports, convention),
        warnings=weights.warnings,
    )


def _reports(
    planned: Sequence[PlannedLayer],
    convention: Convention,
    solver: SolverChoice,
    checks: Checks,
    resources: Resources,
    store: SpectrumStore | None,
    journal: Journal | None,
    progress: Callable[[Progress], None] | None,
) -> list[LayerReport]:
    """Analyze all layers; their reports in the order of the source."""
    settled = resources.settled()
    costs = [item.cost(solver) for item in planned]
    fitting = [
        _within_memory(item, cost.memory, settled.max_memory)
        for item, cost in zip(planned, costs, strict=True)
    ]
    kept = {} if journal is None else journal.kept
    is_work = [item.skipped is None and place not in kept for place, item in enumerate(fitting)]
    costs = [
        cost if is_some else Cost(0.0, 0) for is_some, cost in zip(is_work, costs, strict=True)
    ]
    done, total = 0.0, sum(cost.flops for cost in costs)
    found: dict[int, LayerReport] = {}

    def analyze_at(place: int) -> LayerReport:
        if place in kept:
            return kept[place]
        return analyze_layer(fitting[place], convention, solver, checks, place, store)

    for step in run_layers(fitting, costs, analyze_at, settled):
        if step.report is not None:
            found[step.place] = step.report
            done += costs[step.place].flops
            # With more memory, what ran out of it need not be skipped.
            if journal is not None and is_work[step.place] and step.report.skip_code != "memory":
                journal.keep(step.place, step.report)
        elif progress is not None and is_work[step.place]:
            progress(Progress(fitting[step.place].layer.name, done, total))
    if progress is not None:
        progress(Progress("", total, total))
    return [found[place] for place in range(len(planned))]


def _within_memory(item: PlannedLayer, needed: int, limit: int | None) -> PlannedLayer:
    """Skip a layer that needs more memory than there is, before anything is computed.

    Spec: SCL-5.
    """
    if item.skipped is not None or limit is None or needed <= limit:
        return item
    reason = (
        f"tensor {item.layer.tensor!r}: its analysis needs {needed / 1e9:.3g} GB of memory, and "
        f"{limit / 1e9:.3g} GB may be taken. Use a larger machine, or raise --max-memory"
    )
    return replace(item, matrices=(), skipped=reason, skip_code="memory")


def _base_of(weights: Weights) -> BaseSource | None:
    if weights.base is None:
        return None
    base = weights.base.weights
    return BaseSource(
        weights.base.relation, base.name, base.format, base.sha256(), len(base.layers)
    )


def analyze_layer(
    item: PlannedLayer,
    convention: Convention,
    solver: SolverChoice,
    checks: Checks = NO_CHECKS,
    place: int = 0,
    store: SpectrumStore | None = None,
) -> LayerReport:
    """Compute every number of one layer.

    Parameters
    ----------
    item : the layer and its matrices, as `plan_layer` gives them.
    convention, solver, checks : see `analyze`.
    place : place of the layer in its source.
    store : where eigenvalues are kept; the tensor is not loaded if all of them are there.

    Spec: RPT-3, RPT-5, SCL-7.
    """
    if item.skipped is not None:
        return _layer_report(item, (), item.skipped, item.skip_code)
    try:
        is_kept = store is not None and _is_kept(item, solver, store)
        at_hand = item if is_kept else item.loaded()
        matrices = tuple(
            analyze_matrix(
                matrix,
                convention,
                solver=solver,
                checks=checks,
                index=index,
                layer=place,
                store=store,
            )
            for index, matrix in enumerate(at_hand.matrices)
        )
    except NonFiniteError:
        return _layer_report(item, (), describe_bad_entry(item.layer), "bad-data")
    except ChangedWeightsError:
        raise  # The file is not what was opened: nothing read of it can be relied upon.
    except MemoryError:
        return _layer_report(item, (), _out_of_memory(item, solver), "memory")
    except HtsrError as error:
        tensor = f"tensor {item.layer.tensor!r}"
        reason = str(error) if str(error).startswith(tensor) else f"{tensor}: {error}"
        return _layer_report(item, (), reason, "bad-data")
    return _layer_report(item, matrices, None, None)


def _out_of_memory(item: PlannedLayer, solver: SolverChoice) -> str:
    needed = item.cost(solver).memory / 1e9
    return (
        f"tensor {item.layer.tensor!r}: memory ran out; its analysis needs about {needed:.3g} GB. "
        "Use a larger machine, or fewer --jobs"
    )


def _is_kept(item: PlannedLayer, solver: SolverChoice, store: SpectrumStore) -> bool:
    """Whether a store has the eigenvalues of all matrices of a layer."""
    return all(
        store.get(member, solver_of(member, solver)) is not None
        for matrix in item.matrices
        for member in matrix.members
    )


def _layer_report(
    item: PlannedLayer,
    matrices: tuple[MatrixReport, ...],
    skipped: str | None,
    skip_code: SkipCode | None,
) -> LayerReport:
    layer = item.layer
    means = {
        name: metrics.mean([getattr(matrix, name) for matrix in matrices])
        for name in (MEAN_FIELDS if matrices else ())
    }
    return LayerReport(
        name=layer.name,
        tensor=layer.tensor,
        role=layer.role,
        axes=layer.axes,
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
