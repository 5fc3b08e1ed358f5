"""One thread for matrices, and Hypothesis profiles.

Without `pytest --hypothesis-profile=ci`, or another, properties are tried on few examples.
"""

import gc
import os
import signal
from collections.abc import Callable
from functools import cache
from types import SimpleNamespace

# Before NumPy is imported: threads that wait for one another on small matrices only burn time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# What a shell starts in the background ignores interrupts, what nohup starts the end of the
# terminal, and what these start does so too.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

import pytest
from commands import Outcome
from hypothesis import Phase, settings
from typer.main import get_command

# Searches for cyclic garbage take long among so many objects, and find little.
gc.set_threshold(20_000)

settings.register_profile("ci", max_examples=50, deadline=None, derandomize=True)
settings.register_profile("fast", settings.get_profile("ci"), max_examples=10)
settings.register_profile("nightly", max_examples=2000, deadline=None)
# Mutants need no smallest example.
settings.register_profile(
    "mutation", settings.get_profile("ci"), phases=[Phase.explicit, Phase.generate]
)
settings.load_profile("fast")

command_of = cache(get_command)
"""Typer builds all commands anew at each call; a process makes one call, the tests hundreds."""


def pytest_collection_finish() -> None:
    """Keep thousands of collected tests out of every search for cyclic garbage."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def htsr(monkeypatch, capsys) -> Callable[..., Outcome]:
    """Call `htsr` in this process, from the command line's text to the exit code."""
    from htsr_ref.cli.main import run

    def call(*arguments: object) -> Outcome:
        monkeypatch.setattr("typer.main.get_command", command_of)
        monkeypatch.setattr("sys.argv", ["htsr", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run()
        return Outcome(ended.value.code, *capsys.readouterr())

    return call


@pytest.fixture
def scripts_here(monkeypatch) -> None:
    """Run the scripts of converters/ in this process, for tests of what they find.

    That each runs in a process of its own, and what that holds back, is what
    weights/test_foreign.py and the files test_hdf5_trial.py are about.
    """
    import subprocess

    import keras_files
    import scripts_here as here
    from hdf5 import matlab

    from htsr_ref.weights import hdf5_file
    from htsr_ref.weights.foreign import running

    monkeypatch.setattr(
        running, "subprocess", SimpleNamespace(**vars(subprocess) | {"run": here.run})
    )
    monkeypatch.setattr(hdf5_file, "trouble", here.trouble)
    for reader in (keras_files, matlab):
        monkeypatch.setattr(reader, "try_out", here.try_out)
