"""Work done side by side in threads, as far as memory allows; results as they come."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Event as Flag
from threading import Thread
from typing import Generic, TypeVar

Event = TypeVar("Event")
Answer = TypeVar("Answer")


@dataclass(frozen=True, eq=False)
class Task(Generic[Event]):
    """Something to do.

    Attributes
    ----------
    run : does it and yields what is to be known, such as what has begun and what has come of it.
    memory : bytes that it takes at its peak.
    """

    run: Callable[[], Iterator[Event]]
    memory: int


@dataclass(frozen=True)
class _End(Generic[Event]):
    """The end of a task, with what it raised."""

    task: Task[Event]
    error: BaseException | None


def side_by_side(
    tasks: Sequence[Task[Event]], jobs: int, memory: int | None = None
) -> Iterator[Event]:
    """Do tasks, several at a time, and yield what they yield in the order in which it comes.

    A task waits while those at work leave too little memory for it; the next that fits is begun
    in its place. One that fits nowhere runs alone. With one job, or one task, no thread is
    started. What a task raises is raised here; the others are then given up, as they are when the
    caller stops.

    Parameters
    ----------
    tasks : the first ones are begun first.
    jobs : how many may be at work at a time, at least 1.
    memory : bytes that all may take together; None for any number.

    Spec: SCL-4, SCL-6.
    """
    if jobs == 1 or len(tasks) <= 1:
        for task in tasks:
            yield from task.run()
        return
    news: SimpleQueue[Event | _End[Event]] = SimpleQueue()
    waiting, at_work, stop = list(tasks), list[Task[Event]](), Flag()
    try:
        while waiting or at_work:
            for task in admitted(waiting, at_work, jobs, memory):
                waiting.remove(task)
                at_work.append(task)
                # A daemon, so that an interrupted program need not wait for a long solve.
                Thread(target=_tell, args=(task, news, stop), daemon=True).start()
            while not isinstance(event := news.get(), _End):
                yield event
            at_work.remove(event.task)
            if event.error is not None:
                raise event.error
    finally:
        stop.set()


def _tell(task: Task[Event], news: "SimpleQueue[Event | _End[Event]]", stop: Flag) -> None:
    error = None
    try:
        for event in task.run():
            if stop.is_set():
                return
            news.put(event)
    except BaseException as raised:  # It is raised again where it is waited for.
        error = raised
    finally:
        news.put(_End(task, error))


def admitted(
    waiting: Sequence[Task[Event]],
    at_work: Sequence[Task[Event]],
    jobs: int,
    memory: int | None,
) -> list[Task[Event]]:
    """Choose the tasks that can be begun now.

    Spec: SCL-6.
    """
    chosen: list[Task[Event]] = []
    taken, free = sum(task.memory for task in at_work), jobs - len(at_work)
    for task in waiting:
        if len(chosen) == free:
            break
        is_alone = not at_work and not chosen
        if is_alone or memory is None or taken + task.memory <= memory:
            chosen.append(task)
            taken += task.memory
    return chosen


@contextmanager
def beside(compute: Callable[[Flag], Answer], jobs: int | None) -> Iterator[Future[Answer]]:
    """Compute something in a thread of its own while a block runs.

    Parameters
    ----------
    compute : given a flag, which is set when the block ends: the answer is then no longer wanted.
    jobs : with 1, no thread is started, and the block begins when the answer is there.

    Yields
    ------
    What `result()` waits for the answer of, or raises what was raised.

    Spec: SCL-4.
    """
    unwanted, answer = Flag(), Future[Answer]()

    def answering() -> None:
        try:
            answer.set_result(compute(unwanted))
        except BaseException as raised:  # It is raised again where it is waited for.
            answer.set_exception(raised)

    if jobs == 1:
        answering()
    else:
        Thread(target=answering, daemon=True).start()
    try:
        yield answer
    finally:
        unwanted.set()
