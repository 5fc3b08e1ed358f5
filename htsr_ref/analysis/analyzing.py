"""From weights to a report: the only place where tensors, spectra, fits and metrics meet."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from htsr_ref.analysis.agreement import stamps
from htsr_ref.analysis.checks import Checks
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.named_work import Work, analyze_named
from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.analysis.resources import Resources
from htsr_ref.analysis.running import run_layers, run_submitted
from htsr_ref.conventions import DEFAULT, Convention, get_convention
from htsr_ref.errors import shown
from htsr_ref.machine.blas import blas_threads as threads_of_blas
from htsr_ref.machine.side_by_side import beside
from htsr_ref.reports.report import (
    SPEC_VERSION,
    BaseSource,
    LayerReport,
    Report,
    Source,
    Tool,
)
from htsr_ref.reports.summary import summarize
from htsr_ref.spectra.cache import opened_cache
from htsr_ref.spectra.cost import Cost
from htsr_ref.version import __version__
from htsr_ref.weights.asking import asked_weights
from htsr_ref.weights.named import name_weights

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from concurrent.futures import Executor
    from threading import Event as Flag

    from htsr_ref.analysis.journal import Journal
    from htsr_ref.spectra.cache import Cache
    from htsr_ref.spectra.solvers import SolverChoice
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
    cache: Cache | None = None,
    store: SpectrumStore | None = None,
    journal: Journal | None = None,
    executor: Executor | None = None,
    digest: bool = True,
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
    cache : a folder in which eigenvalues are kept for the next time, and looked for; made if new.
    store : where eigenvalues are kept instead, for figures; filled from several threads.
    journal : where finished layers are kept, and found if this work was begun before.
    executor : analyzes layers elsewhere: any of `concurrent.futures`, dask and others. It is given
        names, never arrays: all weights are paths, unless it is a `ThreadPoolExecutor`.
    digest : whether the report states the SHA-256 of files, which are read once more for it.
    progress : called when a layer begins and at the end.

    Returns
    -------
    Report. A layer with bad data is skipped with its reason; the others are analyzed.

    Raises
    ------
    HtsrError : the source cannot be read, or two options do not go together.

    Spec: RPT-3, RPT-4, SCL-2, SCL-12, SCL-20.

    >>> import numpy as np
    >>> report = analyze({"fc": np.diag([1.0, 2.0, 4.0, 8.0])})
    >>> round(report.layers[0].matrices[0].alpha, 3)
    1.721
    """
    convention = get_convention(convention)
    checks = Checks(gof, compare, seed, shuffles)
    resources = Resources(jobs, blas_threads, max_memory)
    checks.require_fit_for(convention)
    named = None
    if not isinstance(executor, ThreadPoolExecutor | None):
        named = name_weights(source, layers, include, exclude, minus, base)
    weights = asked_weights(
        source, layers=layers, include=include, exclude=exclude, minus=minus, base=base
    )
    planned = plan(weights, convention)
    # What others do takes no memory of this machine.
    resources = resources.settled() if named is None else resources
    digesting = partial(_digests, weights, digest)
    digesters = resources.jobs if digest and weights.files else 1
    with (
        threads_of_blas(blas_threads),
        opened_cache(cache, blas_threads) as opened,
        beside(digesting, digesters) as digests,
    ):
        work = None
        if named is not None:
            kept = None if opened is None else opened.place
            work = Work(named, stamps(weights), convention, solver, checks, blas_threads, kept)
        reports = _reports(
            planned,
            convention,
            solver,
            checks,
            resources,
            store=opened if store is None else store,
            journal=journal,
            executor=executor,
            work=work,
            progress=progress,
        )
        sha256, sha256_of_base = digests.result()
    return Report(
        spec_version=SPEC_VERSION,
        tool=Tool("htsr-ref", __version__),
        source=Source(
            weights.name,
            weights.format,
            sha256,
            len(weights.layers),
            None if weights.source is None else dict(weights.source),
            _base_of(weights, sha256_of_base),
            weights.etag(),
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
    *,
    store: SpectrumStore | None,
    journal: Journal | None,
    executor: Executor | None,
    work: Work | None,
    progress: Callable[[Progress], None] | None,
) -> list[LayerReport]:
    """Analyze all layers; their reports in the order of the source."""
    costs = [item.cost(solver) for item in planned]
    fitting = [
        _within_memory(item, cost.memory, resources.max_memory)
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

    def analyze_all(places: tuple[int, ...]) -> tuple[LayerReport, ...]:
        return tuple(map(analyze_at, places))

    if executor is None:
        steps = run_layers(fitting, costs, analyze_at, resources)
    else:
        elsewhere = analyze_all if work is None else partial(analyze_named, work)
        found.update((place, analyze_at(place)) for place, some in enumerate(is_work) if not some)
        asked = [place for place, some in enumerate(is_work) if some]
        steps = run_submitted(fitting, costs, asked, elsewhere, executor)
    for step in steps:
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
        f"tensor {shown(item.layer.tensor)}: its analysis needs {needed / 1e9:.3g} GB of memory, "
        f"and {limit / 1e9:.3g} GB may be taken. Use a larger machine, or raise --max-memory"
    )
    return replace(item, matrices=(), skipped=reason, skip_code="memory")


def _digests(weights: Weights, wanted: bool, unwanted: Flag) -> tuple[str | None, str | None]:
    """Digests of the weights' files and of those of their base."""
    if not wanted:
        return None, None
    base = weights.base
    return weights.sha256(unwanted), None if base is None else base.weights.sha256(unwanted)


def _base_of(weights: Weights, sha256: str | None) -> BaseSource | None:
    if weights.base is None:
        return None
    base = weights.base.weights
    return BaseSource(
        weights.base.relation,
        base.name,
        base.format,
        sha256,
        len(base.layers),
        base.etag(),
    )
