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
    large, small = ([], [*places]) if resources.jobs == 1 else _by_size(planned, costs, places)
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
    large, small = _by_size(planned, costs, places)
    groups: list[tuple[int, ...]] = [(place,) for place in large]
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


def _by_size(
    planned: Sequence[PlannedLayer], costs: Sequence[Cost], places: Sequence[int]
) -> tuple[list[int], list[int]]:
    """Places of layers of large matrices, the most work first, and of the others, in order."""
    large = {
        place for place in places if costs[place].flops > SMALL_WORK * len(planned[place].matrices)
    }
    most_first = sorted(large, key=lambda place: (-costs[place].flops, place))
    return most_first, sorted(set(places) - large)
