"""Layers by name: what another process is asked to analyze, and how it does that."""

from dataclasses import dataclass
from functools import lru_cache

from htsr_ref.analysis.agreement import Stamp, stamps
from htsr_ref.analysis.checks import Checks
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.planning import PlannedLayer, plan
from htsr_ref.conventions import Convention
from htsr_ref.errors import CacheError, ChangedWeightsError
from htsr_ref.machine.blas import blas_threads
from htsr_ref.reports.report import LayerReport
from htsr_ref.spectra.cache import SpectrumCache
from htsr_ref.spectra.cache_folder import Place, open_folder
from htsr_ref.spectra.solvers import SolverChoice
from htsr_ref.weights.named import NamedWeights
from htsr_ref.weights.remote.addresses import shown_address


@dataclass(frozen=True)
class Work:
    """Everything that the numbers of a file's layers depend on, but none of the file's numbers.

    Attributes
    ----------
    weights : where they are.
    stamps : the files as they are where the work is given out.
    convention, solver, checks : see `analyze`.
    blas_threads : threads of each call of linear algebra.
    cache : where eigenvalues are kept, if anywhere.

    Spec: SCL-12.
    """

    weights: NamedWeights
    stamps: tuple[Stamp, ...]
    convention: Convention
    solver: SolverChoice
    checks: Checks
    blas_threads: int
    cache: Place | None = None


def analyze_named(work: Work, places: tuple[int, ...]) -> tuple[LayerReport, ...]:
    """Analyze the layers at these places, in a process that may know nothing of them yet.

    Raises
    ------
    WeightFileError
        This process cannot read the files, or (`ChangedWeightsError`) they are not the same here.

    Spec: SCL-2, SCL-12.
    """
    with blas_threads(work.blas_threads):
        planned = _planned(work.weights, work.stamps, work.convention)
        cache = None if work.cache is None else _opened(work.cache, work.blas_threads)
        return tuple(
            analyze_layer(planned[place], work.convention, work.solver, work.checks, place, cache)
            for place in places
        )


@lru_cache(maxsize=1)
def _planned(
    named: NamedWeights, expected: tuple[Stamp, ...], convention: Convention
) -> tuple[PlannedLayer, ...]:
    """Read headers and plan, once for all layers of the same files."""
    weights = named.open()
    if stamps(weights) != expected:
        raise ChangedWeightsError(
            shown_address(named.source),
            "a worker finds another file there, or it has changed",
            "Put it on a disk that all workers share, and leave it alone",
        )
    return plan(weights, convention)


@lru_cache(maxsize=1)
def _opened(place: Place, blas_threads: int) -> SpectrumCache | None:
    """Open a cache, once for all layers; None if this machine does not have it."""
    try:
        return SpectrumCache(open_folder(*place, is_made=False), blas_threads)
    except CacheError:
        return None
