"""Tasks side by side: all of them, in any order, never more than fit."""

import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.machine.side_by_side import Task, admitted, beside, side_by_side


class Meter:
    """Counts the tasks at work and the memory they take, and keeps the most of both."""

    def __init__(self):
        self.lock, self.tasks, self.memory = threading.Lock(), 0, 0
        self.most_tasks, self.most_memory = 0, 0

    def task(self, name, memory):
        def run():
            self.change(1, memory)
            yield "begun", name
            time.sleep(0.0005)
            self.change(-1, -memory)
            yield "ended", name

        return Task(run, memory)

    def change(self, tasks, memory):
        with self.lock:
            self.tasks += tasks
            self.memory += memory
            self.most_tasks = max(self.most_tasks, self.tasks)
            self.most_memory = max(self.most_memory, self.memory)


@pytest.mark.spec("SCL-4", "SCL-6")
@given(st.lists(st.integers(0, 9), max_size=8), st.integers(1, 4), st.integers(1, 20))
def test_every_task_is_done_and_no_more_at_a_time_than_fit(sizes, jobs, memory):
    meter = Meter()
    tasks = [meter.task(name, size) for name, size in enumerate(sizes)]
    events = list(side_by_side(tasks, jobs, memory))
    names = range(len(sizes))
    assert sorted(events) == [*(("begun", n) for n in names), *(("ended", n) for n in names)]
    assert all(events.index(("begun", n)) < events.index(("ended", n)) for n in names)
    assert meter.most_tasks <= jobs
    assert meter.most_memory <= max([memory, *sizes])


@pytest.mark.spec("SCL-6")
def test_one_that_waits_is_overtaken_by_those_that_fit():
    big, bigger, small = (Task(lambda: iter(()), size) for size in (6, 7, 3))
    assert admitted([big, bigger, small], [], 3, 10) == [big, small]
    assert admitted([bigger, small], [big], 2, 10) == [small]
    assert admitted([bigger, big], [], 2, 5) == [bigger]
    assert admitted([bigger, big], [small, small], 2, None) == []


@pytest.mark.spec("SCL-4")
@pytest.mark.parametrize(("jobs", "count"), [(1, 3), (4, 1)])
def test_without_company_no_thread_is_started(jobs, count):
    tasks = [Task(lambda: iter([threading.current_thread()]), 0)] * count
    assert set(side_by_side(tasks, jobs)) == {threading.main_thread()}


def test_what_a_task_raises_is_raised_and_the_others_are_given_up():
    begun = []

    def fail():
        yield "soon"
        raise ValueError("it fails")

    def work(name):
        begun.append(name)
        yield name

    tasks = [Task(fail, 0), *(Task(lambda name=name: work(name), 0) for name in range(50))]
    with pytest.raises(ValueError, match="it fails"):
        list(side_by_side(tasks, 2))
    assert len(begun) < 50


def test_who_stops_listening_stops_the_work():
    done = []

    def count():
        for number in range(10**6):
            done.append(number)
            yield number
            time.sleep(0.0005)

    events = side_by_side([Task(count, 0), Task(count, 0)], 2)
    next(events)
    events.close()
    time.sleep(0.05)
    stopped = len(done)
    time.sleep(0.05)
    assert len(done) == stopped


@pytest.mark.spec("SCL-4")
@pytest.mark.parametrize("jobs", [1, 2])
def test_an_answer_comes_from_a_thread_beside_or_before(jobs):
    with beside(lambda unwanted: threading.current_thread(), jobs) as answer:
        assert (answer.result() is threading.main_thread()) == (jobs == 1)


@pytest.mark.spec("SCL-4")
@pytest.mark.parametrize("jobs", [1, 2])
def test_what_is_raised_beside_is_raised_where_it_is_waited_for(jobs):
    def fail(unwanted):
        raise ValueError("it fails")

    with beside(fail, jobs) as answer, pytest.raises(ValueError, match="it fails"):
        answer.result()


@pytest.mark.spec("SCL-4")
def test_an_answer_that_nobody_waits_for_is_no_longer_wanted():
    told = threading.Event()

    def wait(unwanted):
        if unwanted.wait(60):
            told.set()

    with beside(wait, 2):
        pass
    assert told.wait(60)
