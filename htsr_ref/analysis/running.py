"""The layers of a plan, analyzed side by side: which go together, which must wait."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, as_completed
from dataclasses import dataclass
from functools import partial

from htsr_ref.analysis.planning import PlannedLayer
from htsr_ref.analysis.resources import Resources
from htsr_ref.errors import ExecutorError
from htsr_ref.machine.side_by_side import Task, side_by_side
from htsr_ref.reports.report import LayerReport
from htsr_ref.spectra.cost import Cost

SMALL_WORK = 3e7
"""Operations of a matrix below which Python takes most of the time, so that threads do not pay."""


@dataclass(frozen=True)
class Step:
    """News of a layer.

    Attributes
    ----------
    place : place of the layer in its source.
    report : what came of it; None where it has only begun.
    """

    place: int
    report: LayerReport | None


def run_layers(
    planned: Sequence[PlannedLayer],
    costs: Sequence[Cost],
    analyze: Callable[[int], LayerReport],
    resources: Resources,
) -> Iterator[Step]:
    """Analyze the layers of a plan in whatever order suits the machine.

    Layers of large matrices are tasks of their own, the most work first. Python, which lets only
    one thread at work, takes most of the time of small ones: together they are one task.

    Parameters
    ----------
    planned : the layers.
    costs : what each of them costs.
    analyze : makes the report of the layer at a place.
    resources : settled.

    Yields
    ------
    Step, when a layer begins and when it is at its end.

    Spec: SCL-4, SCL-6.
    """

    def run(places: Sequence[int]) -> Iterator[Step]:
        for place in places:
            yield Step(place, None)
            yield Step(place, analyze(place))

    places = range(len(planned))
    small = [
        place
        for place, (item, cost) in enumerate(zip(planned, costs, strict=True))
        if resources.jobs == 1 or not _is_large(item, cost)
    ]
    large = sorted(set(places).difference(small), key=lambda place: (-costs[place].flops, place))
    groups = [[place] for place in large] + ([small] if small else [])
    tasks = [Task(partial(run, group), max(costs[p].memory for p in group)) for group in groups]
    yield from side_by_side(tasks, resources.jobs or 1, resources.max_memory)


TOGETHER = 32
"""Layers of small matrices that are given to an executor as one piece of work."""


def run_submitted(
    planned: Sequence[PlannedLayer],
    costs: Sequence[Cost],
    places: Sequence[int],
    analyze: Callable[[tuple[int, ...]], tuple[LayerReport, ...]],
    executor: Executor,
) -> Iterator[Step]:
    """Have layers analyzed by an executor; what it has not begun is taken back in the end.

    Parameters
    ----------
    planned, costs : all layers, and what each of them costs.
    places : those that are analyzed.
    analyze : makes the reports of the layers at some places, wherever it is called.
    executor : calls it.

    Raises
    ------
    ExecutorError
        The executor, or a process of its, came to an end.

    Spec: SCL-12.
    """
    large = [place for place in places if _is_large(planned[place], costs[place])]
    small = sorted(set(places).difference(large))
    groups: list[tuple[int, ...]] = [
        (place,) for place in sorted(large, key=lambda place: -costs[place].flops)
    ]
    groups += [tuple(small[i : i + TOGETHER]) for i in range(0, len(small), TOGETHER)]
    futures: dict[Future[tuple[LayerReport, ...]], tuple[int, ...]] = {}
    try:
        futures.update((executor.submit(analyze, group), group) for group in groups)
        for future in as_completed(futures):
            for place, report in zip(futures[future], future.result(), strict=True):
                yield Step(place, None)
                yield Step(place, report)
    except (BrokenExecutor, CancelledError) as error:
        raise ExecutorError(
            f"the executor has lost its workers ({error or type(error).__name__}). Start it "
            "again, with more memory for each if that ran out"
        ) from error
    finally:
        for future in futures:
            future.cancel()


def _is_large(item: PlannedLayer, cost: Cost) -> bool:
    return cost.flops > SMALL_WORK * len(item.matrices)
