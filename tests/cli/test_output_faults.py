"""FMT-7: every output of every command, with whatever may be found in its place."""

import contextlib
import os
import stat
import threading
from pathlib import Path

import numpy as np
import pytest
from commands import tensors
from safetensors.numpy import save_file

pytestmark = [
    pytest.mark.spec("FMT-7"),
    pytest.mark.skipif(os.name != "posix", reason="pipes, devices and permissions of POSIX"),
]
DRAW = ("synth", "--force", "--ensemble", "gaussian", "--shape", "9x7")
OUTPUTS = {
    "analyze.json": ("analyze", "MODEL", "-o", "OUT"),
    "analyze.md": ("analyze", "MODEL", "-o", "OUT"),
    "audit.txt": ("audit", "MODEL", "REPORT", "-o", "OUT"),
    "convert.h5": ("convert", "MODEL", "-o", "OUT"),
    "convert.safetensors": ("convert", "MODEL", "-o", "OUT"),
    "describe.json": ("describe", "MODEL", "-o", "OUT"),
    "diff.json": ("diff", "REPORT", "REPORT", "-o", "OUT"),
    "fit.json": ("fit", "SAMPLE", "-o", "OUT"),
    "fit.svg": ("fit", "SAMPLE", "--plot", "OUT"),
    "rank.csv": ("rank", "REPORT", "-o", "OUT"),
    "spectrum.txt": ("spectrum", "MODEL", "fc1", "-o", "OUT"),
    "synth.h5": (*DRAW, "OUT"),
    "synth.safetensors": (*DRAW, "OUT"),
    "trend.csv": ("trend", "REPORT", "--accuracy", "TABLE", "-o", "OUT"),
    "trend.svg": ("trend", "REPORT", "--accuracy", "TABLE", "--plot", "OUT"),
}
"""Commands, by the names of their outputs."""
FAST = ("analyze.json", "convert.h5", "convert.safetensors")
"""One for each writer; those of figures hand over bytes as the first does."""
by_output = pytest.mark.parametrize(
    "name", [pytest.param(name, marks=() if name in FAST else pytest.mark.slow) for name in OUTPUTS]
)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory):
    """Files that the commands read, by the words that stand for them."""
    from htsr_ref import analyze

    folder = tmp_path_factory.mktemp("inputs")
    found = {
        "MODEL": folder / "m.safetensors",
        "REPORT": folder / "m.json",
        "SAMPLE": folder / "x.txt",
        "TABLE": folder / "acc.csv",
    }
    save_file(tensors(), found["MODEL"])
    found["REPORT"].write_text(analyze(found["MODEL"]).to_json())
    np.savetxt(found["SAMPLE"], np.random.default_rng(0).pareto(1.5, 60) + 1)
    found["TABLE"].write_text("model,accuracy\nm,1\n")
    return found


@pytest.fixture
def run(htsr, inputs):
    """Run the command of an output; return what it says."""

    def call(name, output):
        words = inputs | {"OUT": output}
        return htsr(*(words.get(word, word) for word in OUTPUTS[name]))

    return call


@pytest.fixture
def whole(run, tmp_path):
    """Bytes of the output of a command where nothing is in the way."""

    def call(name):
        path = tmp_path / "whole" / name
        path.parent.mkdir()
        assert run(name, path).code in (0, 1)
        content = path.read_bytes()
        assert len(content) > 100
        return content

    return call


def complaint(outcome, path, problem):
    """Whether the last line names the output, and nothing was printed."""
    last = outcome.err.splitlines()[-1]
    assert (outcome.code, outcome.out) == (2, "")
    assert last == f"htsr: error: {path}: cannot be written ({problem})"
    assert "Traceback" not in outcome.err


@by_output
def test_a_file_is_replaced_with_its_permissions_through_its_links(name, run, whole, tmp_path):
    wanted = whole(name)
    target, link = tmp_path / f"old-{name}", tmp_path / name
    target.write_text("old")
    target.chmod(0o604)
    link.symlink_to(target.name)
    run(name, link)
    assert link.is_symlink()
    assert target.read_bytes() == wanted
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    target.unlink()
    run(name, link)
    assert link.is_symlink()
    assert target.read_bytes() == wanted
    assert {path.name for path in tmp_path.iterdir()} == {target.name, name, "whole"}


@by_output
def test_a_pipe_is_written_into(name, run, whole, tmp_path):
    wanted, pipe, read = whole(name), tmp_path / name, []
    os.mkfifo(pipe)
    reader = threading.Thread(target=lambda: read.append(pipe.read_bytes()))
    reader.start()
    run(name, pipe)
    reader.join(30)
    assert read == [wanted]
    assert pipe.is_fifo()


@by_output
def test_a_device_is_written_into(name, run, tmp_path):
    device = tmp_path / name
    try:
        os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
        device.open("wb").close()
    except OSError:
        pytest.skip("only the administrator can make a device")
    assert run(name, device).code in (0, 1)
    assert device.is_char_device()


@by_output
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_device(name, run, tmp_path):
    full = tmp_path / name
    full.symlink_to("/dev/full")
    complaint(run(name, full), full, "No space left on device")
    assert Path("/dev/full").is_char_device()


@by_output
def test_a_read_only_file_is_refused_for_the_administrator_too(name, run, tmp_path):
    path = tmp_path / name
    path.write_text("old")
    path.chmod(0o444)
    complaint(run(name, path), path, "Permission denied")
    assert path.read_text() == "old"


@contextlib.contextmanager
def largest_file(size):
    """Let no file grow larger."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@by_output
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_may_not_grow(name, share, run, whole, tmp_path):
    size = int(share * len(whole(name)))
    path = tmp_path / name
    path.write_text("old")
    with largest_file(size):
        outcome = run(name, path)
    complaint(outcome, path, "File too large")
    assert path.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {name, "whole"}


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no names of open files")
def test_what_was_written_to_an_open_file_stays(run, tmp_path):
    log = tmp_path / "log"
    log.write_text("before\n")
    with log.open("a") as file:
        run("rank.csv", f"/dev/fd/{file.fileno()}")
    assert log.read_text().startswith("before\nnot ranked: m.json: ")


def test_nothing_of_what_is_in_memory_is_lost_at_a_pipe_that_closes(run, tmp_path):
    pipe = tmp_path / "analyze.json"
    os.mkfifo(pipe)

    def read_a_little():
        with pipe.open("rb", buffering=0) as file:
            file.read(1)

    reader = threading.Thread(target=read_a_little)
    reader.start()
    outcome = run("analyze.json", pipe)
    reader.join(30)
    assert outcome.code in (0, 2)  # all may be in the pipe when it closes
    assert "Traceback" not in outcome.err
    assert pipe.is_fifo()
