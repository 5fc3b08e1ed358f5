"""Layers analyzed by executors: of threads, of processes, and of whoever else."""

import multiprocessing
import os
import pickle
import shutil
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import numpy as np
import pytest
from safetensors.numpy import save_file

from htsr_ref import analyze, open_weights
from htsr_ref.errors import (
    ChangedWeightsError,
    ConventionError,
    ExecutorError,
    HtsrError,
    JournalError,
    OutputError,
    WeightFileError,
)
from htsr_ref.spectra.solvers import SOLVERS

SHAPES = {"a": (300, 260), "b": (20, 12), "c": (270, 300), "d": (8, 60, 3, 3), "e": (30, 40)}
pytestmark = pytest.mark.spec("SCL-12")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    weights = {f"{name}.weight": rng.standard_t(3, shape) for name, shape in SHAPES.items()}
    file = tmp_path_factory.mktemp("models") / "model.safetensors"
    arrays = {name: W.astype(np.float32) for name, W in weights.items()}
    save_file(arrays | {"a.bias": np.ones(300, np.float32)}, file)
    return file


@pytest.fixture(scope="module")
def expected(path):
    return analyze(path).to_json()


class Posted(Executor):
    """Another process, as far as what is given to it can tell: all passes through bytes."""

    def __init__(self):
        self.sizes = []

    def submit(self, function, /, *arguments):
        posted, future = pickle.dumps((function, arguments)), Future()
        self.sizes.append(len(posted))
        function, arguments = pickle.loads(posted)
        try:
            future.set_result(pickle.loads(pickle.dumps(function(*arguments))))
        except HtsrError as error:
            future.set_exception(pickle.loads(pickle.dumps(error)))
        return future


def test_threads(path, expected):
    with ThreadPoolExecutor(3) as executor:
        assert analyze(path, executor=executor).to_json() == expected


@pytest.mark.spec("SCL-20")
@pytest.mark.parametrize("kind", [Posted, ThreadPoolExecutor])
def test_workers_use_the_cache(path, expected, tmp_path, monkeypatch, kind):
    cache = tmp_path / "cache"
    assert analyze(path, executor=kind(), cache=cache).to_json() == expected
    assert len(list(cache.rglob("*.spectrum"))) == 2  # a and c are wide enough
    solvers = SOLVERS

    def narrow(name):
        def solve(matrix):
            assert matrix.M < 256
            return solvers[name](matrix)

        return solve

    monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", {name: narrow(name) for name in solvers})
    assert analyze(path, executor=kind(), cache=cache).to_json() == expected


@pytest.mark.spec("SCL-20")
def test_a_worker_without_the_cache_solves(path, expected, tmp_path):
    class Elsewhere(Posted):
        def submit(self, function, /, *arguments):
            shutil.rmtree(tmp_path / "cache", ignore_errors=True)
            return super().submit(function, *arguments)

    assert analyze(path, executor=Elsewhere(), cache=tmp_path / "cache").to_json() == expected
    assert not (tmp_path / "cache").exists()


def test_threads_may_analyze_what_is_in_memory():
    arrays = {"a": np.random.default_rng(0).standard_normal((30, 20))}
    with ThreadPoolExecutor(2) as executor:
        assert analyze(arrays, executor=executor) == analyze(arrays)


@pytest.mark.slow
def test_processes(path, expected):
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        assert analyze(path, executor=executor).to_json() == expected


def test_any_executor_is_given_names_and_no_numbers(path, expected):
    """A piece of work is smaller than the numbers of any tensor that has some 1,000."""
    executor = Posted()
    assert analyze(path, executor=executor).to_json() == expected
    assert len(executor.sizes) == 3  # a and c by themselves, the others together
    assert max(executor.sizes) < 4 * 30 * 40


def test_a_path_from_the_folder_at_hand(path, expected, monkeypatch):
    monkeypatch.chdir(path.parent)
    executor = Posted()
    assert analyze(path.name, executor=executor).to_json() == expected


def test_corrections_choices_and_checks_reach_the_workers(path):
    corrections = {"a": {"axes": ["in", "out"]}, "c": {"skip": "not wanted"}}
    asked = {"layers": corrections, "shuffles": 19, "seed": 3}
    assert analyze(path, executor=Posted(), **asked) == analyze(path, **asked)


def test_other_models_and_choices_reach_the_workers(path, tmp_path):
    base = tmp_path / "base.safetensors"
    save_file({"a.weight": np.eye(300, 260, dtype=np.float32)}, base)
    asked = {"include": ["a*"], "minus": base}
    report = analyze(path, executor=Posted(), **asked)
    assert report == analyze(path, **asked)
    assert [layer.name for layer in report.analyzed()] == ["a"]
    assert report.source.base.relation == "minus"


@pytest.mark.parametrize("opened", [False, True])
def test_what_is_in_memory_is_refused(opened):
    arrays = {"a": np.eye(9)}
    source = open_weights(arrays) if opened else arrays
    with pytest.raises(ExecutorError, match="Write them to a file and give its path"):
        analyze(source, executor=Posted())


def test_memory_is_that_of_the_workers(path, expected, monkeypatch):
    monkeypatch.setattr("htsr_ref.analysis.resources.usable_memory", lambda: 1000)
    assert analyze(path, executor=Posted()).to_json() == expected
    limited = analyze(path, executor=Posted(), max_memory=100_000)
    assert "memory" in {layer.skip_code for layer in limited.layers}


class Touching(Posted):
    """A worker before which the file has changed."""

    def __init__(self, path):
        super().__init__()
        self.path = path

    def submit(self, function, /, *arguments):
        os.utime(self.path, ns=(1, 1))
        return super().submit(function, *arguments)


def test_a_worker_that_sees_another_file(tmp_path):
    path = tmp_path / "m.safetensors"
    save_file({"a.weight": np.eye(20, dtype=np.float32)}, path)
    with pytest.raises(ChangedWeightsError, match="a disk that all workers share"):
        analyze(path, executor=Touching(path))


def end_at_once(*_):
    os._exit(1)


def test_a_worker_that_ends(path, monkeypatch):
    monkeypatch.setattr("htsr_ref.analysis.analyzing.analyze_named", end_at_once)
    context = multiprocessing.get_context("fork")
    with (
        ProcessPoolExecutor(1, mp_context=context) as executor,
        pytest.raises(ExecutorError, match="the executor has lost its workers"),
    ):
        analyze(path, executor=executor)


@pytest.mark.parametrize(
    "error",
    [
        WeightFileError("m", "it is bad", "Mend it", "fc1"),
        ChangedWeightsError("m", "it has changed", "Wait"),
        OutputError("m", "full"),
        JournalError("m", "held"),
        ConventionError("unknown"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_errors_pass_from_process_to_process(error):
    found = pickle.loads(pickle.dumps(error))
    assert type(found) is type(error)
    assert str(found) == str(error)
    assert vars(found) == vars(error)
