"""What an analysis takes of the machine, and that nothing of it reaches the numbers."""

import hashlib
import json
import os

import numpy as np
import pytest
from commands import environment, python, spawn
from safetensors.numpy import save_file
from threadpoolctl import threadpool_info

import htsr_ref
from htsr_ref import analyze, open_weights
from htsr_ref.analysis import layer_analysis
from htsr_ref.analysis.planning import plan
from htsr_ref.analysis.resources import Resources
from htsr_ref.errors import HtsrError
from htsr_ref.machine.blas import blas_threads
from htsr_ref.machine.cores import usable_cores
from htsr_ref.spectra.solvers import SOLVERS

SHAPES = {"a": (700, 600), "b": (20, 12), "c": (320, 300), "d": (8, 60, 3, 3), "e": (400, 300)}


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    rng = np.random.default_rng(0)
    weights = {f"{name}.weight": rng.standard_t(3, shape) for name, shape in SHAPES.items()}
    file = tmp_path_factory.mktemp("models") / "model.safetensors"
    save_file({name: W.astype(np.float32) for name, W in weights.items()}, file)
    return file


@pytest.fixture(scope="module")
def expected(path):
    return analyze(path, jobs=1).to_json()


@pytest.mark.spec("RPT-4", "SCL-2", "SCL-4")
@pytest.mark.parametrize("jobs", [2, 3, None])
def test_any_number_of_jobs_gives_the_same_bytes(path, expected, jobs):
    assert analyze(path, jobs=jobs).to_json() == expected


@pytest.mark.spec("RPT-4", "SCL-4", "FMT-18")
def test_a_digest_that_nobody_wants_is_not_taken(path, expected, htsr):
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert expected.count(f'"{digest}"') == 1
    outcome = htsr("analyze", path, "--json", "--no-digest")
    assert outcome.out == expected.replace(f'"{digest}"', "null")


@pytest.mark.spec("RPT-4", "SCL-2")
@pytest.mark.parametrize("threads", ["2", pytest.param("5", marks=pytest.mark.slow)])
def test_the_environment_does_not_reach_the_numbers(path, expected, threads):
    code = (
        f"import os; os.sched_setaffinity(0, [{min(os.sched_getaffinity(0))}]); "
        f"from htsr_ref import analyze; print(analyze({str(path)!r}).to_json(), end='')"
    )
    done = python("-c", code, env=environment(OPENBLAS_NUM_THREADS=threads))
    assert done.stdout.decode() == expected, done.stderr


@pytest.mark.spec("SCL-2")
def test_libraries_that_are_loaded_later_are_limited_too():
    code = (
        "import numpy\n"
        "from htsr_ref.machine.blas import blas_threads\n"
        "from threadpoolctl import threadpool_info\n"
        "with blas_threads(1): pass\n"
        "import scipy.linalg\n"
        "with blas_threads(1): print([one['num_threads'] for one in threadpool_info()])\n"
    )
    done = python("-c", code, env=environment(OPENBLAS_NUM_THREADS="2"))
    assert set(json.loads(done.stdout)) == {1}, done.stderr


@pytest.mark.spec("RPT-4", "SCL-2")
def test_the_command_sets_its_own_threads(path, expected):
    env = environment(OPENBLAS_NUM_THREADS="3")
    done = spawn("analyze", path, "--json", env=env)
    assert done.stdout.decode() == expected, done.stderr


@pytest.mark.spec("SCL-2")
def test_threads_are_limited_for_a_while_and_the_report_states_how_many():
    def counts():
        return {lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas"}

    before = counts()
    with blas_threads(2):
        assert counts() == {2}
    assert counts() == before
    written = analyze({"a": np.eye(3)}, jobs=1, blas_threads=2).to_json()
    assert json.loads(written)["blas_threads"] == 2
    assert analyze({"a": np.eye(3)}).blas_threads == 1


def table_of(model, folder):
    path = folder / "theirs.csv"
    path.write_text(analyze(model).to_csv())
    return path


OTHERS = {
    "spectrum": lambda model, _: htsr_ref.spectrum(model),
    "rank": lambda model, _: htsr_ref.rank({"a": model, "b": model}),
    "trend": lambda model, _: htsr_ref.trend({"a": model, "b": model}, {"a": 0.5, "b": 0.75}),
    "diff": lambda model, _: htsr_ref.diff(model, model),
    "audit": lambda model, folder: htsr_ref.audit(model, table_of(model, folder)),
}


@pytest.mark.spec("SCL-2", "SCL-26")
@pytest.mark.parametrize("function", OTHERS)
def test_every_function_limits_threads(tmp_path, monkeypatch, function):
    seen = set()

    def solver(matrix):
        seen.update(lib["num_threads"] for lib in threadpool_info() if lib["user_api"] == "blas")
        return SOLVERS["svd"](matrix)

    monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", dict.fromkeys(SOLVERS, solver))
    model = {"fc": np.diag(np.arange(1.0, 31.0))}
    with blas_threads(2):
        OTHERS[function](model, tmp_path)
    assert seen == {1}


@pytest.mark.spec("SCL-5")
def test_what_cannot_fit_is_skipped_before_anything_is_computed(path, monkeypatch):
    needed = {item.layer.name: item.cost().memory for item in plan(open_weights(path))}
    limit = max(size for name, size in needed.items() if name != "a")
    report = analyze(path, max_memory=limit)
    first, *others = report.layers
    assert (first.skip_code, first.matrices) == ("memory", ())
    assert f"{needed['a'] / 1e9:.3g} GB" in first.skipped
    assert report.bad_layers() == (first,)
    assert tuple(others) == analyze(path).layers[1:]
    monkeypatch.setattr(layer_analysis, "analyze_matrix", lambda *_, **__: pytest.fail("computed"))
    assert {layer.skip_code for layer in analyze(path, max_memory=1).layers} == {
        "memory",
        "min-dim",
    }


@pytest.mark.spec("SCL-7")
@pytest.mark.parametrize("jobs", [1, 2])
def test_memory_that_runs_out_costs_one_layer(path, monkeypatch, jobs):
    whole, plain = analyze(path), layer_analysis.analyze_matrix

    def scarce(matrix, *args, **options):
        if matrix.N == 700:
            raise MemoryError
        return plain(matrix, *args, **options)

    monkeypatch.setattr(layer_analysis, "analyze_matrix", scarce)
    first, *others = analyze(path, jobs=jobs).layers
    assert (first.skip_code, "memory ran out" in first.skipped) == ("memory", True)
    assert tuple(others) == whole.layers[1:]


@pytest.mark.spec("SCL-1", "SCL-3")
def test_what_is_not_chosen_is_what_the_machine_offers(monkeypatch):
    monkeypatch.setattr("htsr_ref.analysis.resources.usable_memory", lambda: 1000)
    assert Resources().settled() == Resources(usable_cores(), 1, 800)
    assert Resources(3, 2, 5).settled() == Resources(3, 2, 5)
    monkeypatch.setattr("htsr_ref.analysis.resources.usable_memory", lambda: None)
    assert Resources(jobs=3).settled().max_memory is None


@pytest.mark.parametrize("name", ["jobs", "blas_threads", "max_memory"])
def test_numbers_are_positive(name):
    with pytest.raises(HtsrError, match=f"{name} is 0"):
        Resources(**{name: 0})
