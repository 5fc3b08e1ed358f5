"""--dask: clusters on this machine, and what becomes of their loss."""

import builtins
import os
import signal
import socket
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest
from commands import environment
from safetensors.numpy import save_file

from htsr_ref.analysis import journal
from htsr_ref.cli.dask import lost_workers_named
from htsr_ref.errors import ExecutorError

pytestmark = pytest.mark.spec("SCL-13")


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    path = tmp_path / "model.safetensors"
    rng = np.random.default_rng(0)
    layers = {f"fc{i:02}.weight": rng.standard_t(3, (420 + i, 400)) for i in range(16)}
    save_file({name: W.astype(np.float32) for name, W in layers.items()}, path)
    return path


def test_without_dask(htsr, model, monkeypatch):
    plain = builtins.__import__

    def without(name, *arguments):
        if name.startswith("distributed"):
            raise ImportError(name)
        return plain(name, *arguments)

    monkeypatch.setattr(builtins, "__import__", without)
    done = htsr("analyze", model, "--dask", "local")
    assert (done.code, done.out) == (2, "")
    assert done.err == "htsr: error: --dask needs Dask: pip install 'htsr-ref[dask]'\n"


@pytest.fixture
def cluster():
    """Address of a scheduler, its process and those of two workers, each a command."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    worker = ("worker", address, "--nthreads", "1", "--nanny", "--no-dashboard")
    commands = [("scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "dask", *command],
            env=environment(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for command in (*commands, worker, worker)
    ]
    yield address, running[0]
    for process in running:
        os.killpg(process.pid, signal.SIGKILL)
    for process in running:
        process.wait(30)


def on_progress(monkeypatch, act):
    """Do something once the first layer is finished."""
    from htsr_ref.analysis.journal import Journal

    plain, seen = Journal.keep, []

    def keep(self, *arguments):
        plain(self, *arguments)
        if not seen:
            seen.append(True)
            act()

    monkeypatch.setattr(Journal, "keep", keep)


@pytest.mark.dask
def test_a_cluster_of_this_machine(htsr, model):
    whole = htsr("analyze", model, "--json").out
    assert htsr("analyze", model, "--json", "--dask", "local").out == whole


@pytest.mark.dask
def test_a_worker_that_is_killed(htsr, model, cluster, monkeypatch):
    from distributed import Client

    whole = htsr("analyze", model, "--json").out
    out = model.with_name("report.json")
    address, _ = cluster
    with Client(address, set_as_default=False) as client:
        client.wait_for_workers(2, timeout=60)
        first, _ = client.run(os.getpid).values()
    on_progress(monkeypatch, lambda: os.kill(first, signal.SIGKILL))
    assert htsr("analyze", model, "-o", out, "--dask", address).code == 0
    assert out.read_text() == whole


@pytest.mark.dask
def test_a_scheduler_that_is_gone(htsr, model, cluster, monkeypatch):
    whole = htsr("analyze", model, "--json").out
    out = model.with_name("report.json")
    address, scheduler = cluster
    with monkeypatch.context() as patch:
        on_progress(patch, scheduler.kill)
        done = htsr("analyze", model, "-o", out, "--dask", address)
    assert done.code == 2
    kept, error = done.err.splitlines()
    assert "finished layer" in kept
    assert error.startswith("htsr: error: the executor has lost its workers")
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert out.read_text() == whole


@pytest.mark.dask
def test_a_scheduler_that_does_not_answer(htsr, model, monkeypatch):
    monkeypatch.setattr("htsr_ref.cli.dask.PATIENCE", 1)
    done = htsr("analyze", model, "--dask", "tcp://127.0.0.1:9")
    assert done.code == 2
    assert done.err.startswith("htsr: error: --dask tcp://127.0.0.1:9: no scheduler answers there")


@pytest.mark.dask
def test_work_that_ends_several_workers():
    from distributed import KilledWorker

    with (
        pytest.raises(ExecutorError, match="a layer has ended several workers"),
        lost_workers_named(),
    ):
        raise KilledWorker("task", None, 3)
