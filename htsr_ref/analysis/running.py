"""The layers of a plan, analyzed side by side: which go together, which must wait."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from htsr_ref.analysis.planning import PlannedLayer
from htsr_ref.analysis.resources import Resources
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
        if resources.jobs == 1 or cost.flops <= SMALL_WORK * len(item.matrices)
    ]
    large = sorted(set(places).difference(small), key=lambda place: (-costs[place].flops, place))
    groups = [[place] for place in large] + ([small] if small else [])
    tasks = [Task(partial(run, group), max(costs[p].memory for p in group)) for group in groups]
    yield from side_by_side(tasks, resources.jobs or 1, resources.max_memory)
