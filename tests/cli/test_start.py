"""The program's first lines: interrupts and closed streams, whenever they come."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter

import pytest
from commands import environment, python
from conversions import FIXTURES

pytestmark = [
    pytest.mark.spec("FMT-7"),
    pytest.mark.skipif(os.name != "posix", reason="signals and descriptors of POSIX"),
]
STARTED = """
import os, sys
from htsr_ref.cli.start import run
os.write(1, b"x")
run()
"""
TOO_EARLY = re.compile(
    r'Traceback .*\n  File "<string>", line \d+, in <module>\nKeyboardInterrupt\n'
)
"""What Python says where the first line of `run` has not been reached."""


def interrupted(seconds, *arguments):
    """Exit code and messages of a run that is interrupted after so many seconds."""
    child = subprocess.Popen(
        [sys.executable, "-c", STARTED, *map(str, arguments)],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    child.stdout.read(1)
    time.sleep(seconds)
    child.send_signal(signal.SIGINT)
    _, said = child.communicate(timeout=60)
    return child.returncode, said.decode()


@pytest.mark.slow
@pytest.mark.parametrize("file", ["pytorch.pt", "jax.msgpack"])
def test_an_interrupt_at_any_moment(file):
    found = Counter(
        interrupted(0.003 + 0.05 * step, "analyze", FIXTURES / "same" / file) for step in range(24)
    )
    begun = {(code, said) for code, said in found if not TOO_EARLY.fullmatch(said)}
    assert begun <= {(130, ""), (0, ""), (1, "")}
    assert found[130, ""] >= 5


HIDDEN = """
import sys
from htsr_ref.cli import main, start

class Loud:
    def __del__(self):
        raise KeyboardInterrupt

def work():
    Loud()
    import time
    time.sleep(30)
    print("not reached")

def broken():
    import _signal
    try:
        _signal.raise_signal(_signal.SIGINT)
    except KeyboardInterrupt:
        raise ImportError("numpy") from None

main.run = {"work": work, "broken": broken}[sys.argv[1]]
start.run()
"""


@pytest.mark.parametrize("way", ["work", "broken"])
def test_an_interrupt_that_a_library_swallows_or_renames(way):
    done = python("-c", HIDDEN, way)
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"")


CLOSED = "import os, sys; os.close({}); os.execv(sys.executable, [sys.executable, *sys.argv[1:]])"


@pytest.mark.parametrize("arguments", [("conventions",), ("--help",), ("--version",)])
def test_a_closed_standard_output(arguments):
    done = python("-c", CLOSED.format(1), "-m", "htsr_ref.cli.start", *arguments)
    assert done.returncode == 2
    assert done.stderr == (
        b"htsr: error: standard output: cannot be written (Bad file descriptor)\n"
    )


@pytest.mark.slow
def test_other_closed_streams():
    done = python("-c", CLOSED.format(0), "-m", "htsr_ref.cli.start", "fit", "-")
    assert (done.returncode, done.stderr) == (
        2,
        b"htsr: error: standard input: the sample is empty\n",
    )
    done = python("-c", CLOSED.format(2), "-m", "htsr_ref.cli.start", "describe", "none")
    assert (done.returncode, done.stdout, done.stderr) == (2, b"", b"")
