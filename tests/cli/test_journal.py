"""Interrupted runs and the journals that they leave."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from commands import environment, python
from safetensors.numpy import save_file

from htsr_ref.analysis import journal
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.errors import ChangedWeightsError, JournalError
from htsr_ref.machine.locks import lock
from htsr_ref.text.checked_lines import checked_line, checked_value

LAYERS = ("fc1", "fc2", "fc3")
"""Layers that are analyzed; the bias is not."""
SHAPES = {"fc1.weight": (40, 30), "fc1.bias": (40,), "fc2.weight": (30, 24), "fc3.weight": (24, 36)}

pytestmark = pytest.mark.skipif(os.name != "posix", reason="locks and signals of POSIX")


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A small model, whose layers are kept from the first moment on."""
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    path = tmp_path / "model.safetensors"
    rng = np.random.default_rng(0)
    save_file({name: rng.standard_t(3, shape) for name, shape in SHAPES.items()}, path)
    return path


@pytest.fixture
def out(tmp_path):
    return tmp_path / "report.json"


@pytest.fixture
def kept(out):
    """The journal's file."""
    return out.with_name("report.json.journal")


def stop_at(count, monkeypatch, error):
    """Let the analysis of so many layers end well, and that of the next in an error.

    The names of those that are analyzed are put into the list that is returned.
    """
    begun = []

    def analyze(item, *arguments):
        if item.skipped is None:
            begun.append(item.layer.name)
            if len(begun) > count:
                raise error
        return analyze_layer(item, *arguments)

    monkeypatch.setattr("htsr_ref.analysis.analyzing.analyze_layer", analyze)
    return begun


@pytest.fixture
def begun(monkeypatch):
    """Names of the layers that are analyzed from here on."""
    return stop_at(99, monkeypatch, AssertionError)


@pytest.fixture
def whole(htsr, model, out):
    """Report of a run that nothing disturbs; its file is removed."""
    assert htsr("analyze", model, "-o", out).code == 0
    text = out.read_bytes()
    out.unlink()
    return text


@pytest.fixture
def interrupted(htsr, model, out, kept, whole, monkeypatch):
    """The lines of a journal of two layers, beside an output that is not there."""
    with monkeypatch.context() as patch:
        stop_at(2, patch, ChangedWeightsError(model, "it has changed", "Wait"))
        assert htsr("analyze", model, "-o", out).code == 2
    assert not out.exists()
    return kept.read_bytes().splitlines(keepends=True)


def one_line(outcome):
    """The only line that a refused run says."""
    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    return line.removeprefix("htsr: error: ")


# SCL-9


@pytest.mark.spec("SCL-9")
def test_nothing_is_left_of_a_run_that_ends_well(htsr, model, out, whole):
    assert sorted(path.name for path in out.parent.iterdir()) == [model.name]
    assert whole


@pytest.mark.spec("SCL-9")
def test_the_lines_of_a_journal(interrupted):
    header, *records = map(checked_value, interrupted)
    assert header["solver"] == "auto"
    assert header["convention"]["name"] == "sdm2020"
    assert [record["report"]["name"] for record in records] == list(LAYERS[:2])


@pytest.mark.spec("SCL-9")
def test_short_work_leaves_no_journal(htsr, model, out, kept, monkeypatch):
    monkeypatch.setattr(journal, "PATIENCE", 600.0)
    stop_at(2, monkeypatch, KeyboardInterrupt())
    assert htsr("analyze", model, "-o", out).err == ""
    assert not kept.exists()


@pytest.mark.spec("SCL-9")
@pytest.mark.parametrize("arguments", [(), ("-o", "/dev/stdout")])
def test_no_journal_without_a_file_as_output(htsr, model, monkeypatch, arguments):
    monkeypatch.setattr(journal, "open_journal", None)
    assert htsr("analyze", model, *arguments).code == 0
    said = one_line(htsr("analyze", model, "--resume", *arguments))
    assert said == "--resume goes on with the journal beside a file. Name it with -o"


@pytest.mark.spec("SCL-9", "SCL-10")
def test_a_link_to_the_output_has_the_journal_of_its_target(htsr, model, out, interrupted, begun):
    out.touch()
    link = out.with_name("link.json")
    link.symlink_to(out)
    assert htsr("analyze", model, "-o", link, "--resume").code == 0
    assert begun == ["fc3"]


@pytest.mark.spec("SCL-9", "SCL-10")
def test_what_memory_was_lacking_for_is_tried_again(htsr, model, out, kept, monkeypatch, whole):
    with monkeypatch.context() as patch:
        patch.setattr("htsr_ref.analysis.layer_analysis.analyze_matrix", raise_memory_error)
        patch.setattr("htsr_ref.cli.output.emit", raise_error)
        assert htsr("analyze", model, "-o", out).code == 2
    assert not kept.exists()


def raise_memory_error(*_, **__):
    raise MemoryError


def raise_error(*_):
    raise JournalError("report.json", "cannot be written")


FULL = """
import resource, signal, sys
from htsr_ref.analysis import journal
journal.PATIENCE = 0.0
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
from htsr_ref.cli.start import run
run()
"""


@pytest.mark.spec("SCL-9", "SCL-10")
def test_a_full_disk(htsr, model, out, kept, interrupted, whole, begun):
    kept.unlink()
    room = sum(map(len, interrupted[:2])) + 100
    done = python("-c", FULL, str(room), "analyze", str(model), "-o", str(out), "--jobs", "1")
    assert done.returncode == 2
    hint, error = done.stderr.decode().splitlines()
    assert hint.startswith(f"htsr: 1 finished layer kept in {kept}. Go on with: htsr analyze ")
    assert error == f"htsr: error: {kept}: cannot be written (File too large)"
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert begun == list(LAYERS[1:])
    assert out.read_bytes() == whole


# SCL-10


@pytest.mark.spec("SCL-10")
def test_only_what_is_missing_is_analyzed(htsr, model, out, kept, interrupted, whole, begun):
    done = htsr("analyze", model, "-o", out, "--resume")
    assert (done.code, done.err) == (0, "")
    assert begun == ["fc3"]
    assert out.read_bytes() == whole
    assert not kept.exists()


@pytest.mark.spec("SCL-10")
def test_a_journal_cut_at_any_byte(htsr, model, out, kept, interrupted, whole, begun):
    """Its beginning up to a byte is what a process leaves that is killed while it writes."""
    content = b"".join(interrupted)
    ends = np.cumsum([len(line) for line in interrupted])
    edges = {end + step for end in (0, *ends) for step in (-1, 0, 1)}
    rng = np.random.default_rng(0)
    cuts = edges | set(rng.integers(0, len(content), 12).tolist())
    for cut in sorted(cut for cut in cuts if 0 <= cut <= len(content)):
        kept.write_bytes(content[:cut])
        begun.clear()
        assert htsr("analyze", model, "-o", out, "--resume").code == 0
        whole_lines = int((ends <= cut).sum())
        assert begun == list(LAYERS[max(0, whole_lines - 1) :])
        assert out.read_bytes() == whole
        assert not kept.exists()


@pytest.mark.spec("SCL-10")
@pytest.mark.parametrize("damage", ["flipped", "zeros", "joined", "not of a layer"])
def test_a_damaged_line_is_a_layer_to_do(htsr, model, out, kept, interrupted, whole, begun, damage):
    header, first, second = interrupted
    middle = first[: len(first) // 2]
    broken = {
        "flipped": middle + bytes([first[len(middle)] ^ 1]) + first[len(middle) + 1 :],
        "zeros": middle + bytes(len(first) - len(middle)),
        "joined": middle,
        "not of a layer": checked_line({"place": 0, "report": {}}),
    }[damage]
    kept.write_bytes(header + broken + second)
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert begun == [*LAYERS] if damage in ("zeros", "joined") else ["fc1", "fc3"]
    assert out.read_bytes() == whole


@pytest.mark.spec("SCL-10")
def test_what_was_resumed_is_interrupted_again(
    htsr, model, out, kept, interrupted, whole, monkeypatch, begun
):
    kept.write_bytes(b"".join(interrupted[:2]) + interrupted[2][:50])
    with monkeypatch.context() as patch:
        stop_at(1, patch, KeyboardInterrupt())
        assert htsr("analyze", model, "-o", out, "--resume").code == 130
    assert kept.read_bytes() == b"".join(interrupted)
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert out.read_bytes() == whole


@pytest.mark.spec("SCL-10")
@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (("--convention", "sdm2020-text"), "convention"),
        (("--set", "min_dim=9"), "convention"),
        (("--solver", "svd"), "solver"),
        (("--compare",), "tests"),
        (("--null", "shuffle"), "tests"),
        (("--null", "shuffle", "--seed", 1), "tests"),
        (("--blas-threads", 2), "blas_threads"),
        (("--exclude", "fc2"), "layers"),
        (("--layers", "MAP"), "layers, layers map"),
    ],
)
def test_other_options_are_refused(htsr, model, out, kept, interrupted, arguments, what):
    corrections = model.with_name("map.json")
    corrections.write_text(json.dumps({"fc1": {"skip": "not wanted"}}))
    given = [str(corrections) if word == "MAP" else word for word in arguments]
    assert one_line(htsr("analyze", model, "-o", out, "--resume", *given)) == (
        f"{kept}: it differs from this run in {what}. Give what it was made with, "
        "or remove it to begin anew"
    )
    assert kept.read_bytes() == b"".join(interrupted)


@pytest.mark.spec("SCL-10")
def test_other_jobs_and_memory_are_not(htsr, model, out, interrupted, begun):
    done = htsr(
        "analyze", model, "-o", out, "--resume", "--jobs", 2, "--max-memory", "1G", "--quiet"
    )
    assert done.code == 0
    assert begun == ["fc3"]


def touch(model):
    os.utime(model, ns=(1, 1))


def add_settings(model):
    model.with_name("config.json").write_text("{}")


def put_a_copy_in_its_place(model):
    status = model.stat()
    copy = model.with_name("copy")
    copy.write_bytes(model.read_bytes())
    os.utime(copy, ns=(status.st_atime_ns, status.st_mtime_ns))
    copy.replace(model)


@pytest.mark.spec("SCL-10")
@pytest.mark.parametrize("change", [touch, add_settings, put_a_copy_in_its_place])
def test_a_changed_source_is_refused(htsr, model, out, kept, interrupted, change):
    change(model)
    assert one_line(htsr("analyze", model, "-o", out, "--resume")) == (
        f"{kept}: the files that are read have changed since. Give what it was made with, "
        "or remove it to begin anew"
    )


@pytest.mark.spec("SCL-10")
@pytest.mark.parametrize("program", ["htsr-ref", "numpy", "linear algebra"])
def test_another_program_is_refused(htsr, model, out, kept, interrupted, program):
    header = checked_value(interrupted[0])
    kept.write_bytes(checked_line(header | {program: "0"}) + b"".join(interrupted[1:]))
    assert f"it differs from this run in {program}." in one_line(
        htsr("analyze", model, "-o", out, "--resume")
    )


@pytest.mark.spec("SCL-10")
def test_without_a_journal_everything_is_analyzed(htsr, model, out, whole):
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert out.read_bytes() == whole


# SCL-11


@pytest.mark.spec("SCL-11")
def test_a_journal_is_not_overwritten(htsr, model, out, kept, interrupted):
    assert one_line(htsr("analyze", model, "-o", out)) == (
        f"{kept}: it holds 2 finished layers of a run that was ended. Add --resume to go on with "
        "them, or remove it to begin anew"
    )
    assert kept.read_bytes() == b"".join(interrupted)


@pytest.mark.spec("SCL-11")
@pytest.mark.parametrize("resume", [(), ("--resume",)])
def test_a_second_run_is_refused(htsr, model, out, kept, interrupted, resume):
    with kept.open("rb") as file:
        assert lock(file.fileno())
        assert one_line(htsr("analyze", model, "-o", out, *resume)) == (
            f"{kept}: another run is writing it. Wait for its end"
        )
    assert kept.read_bytes() == b"".join(interrupted)


@pytest.mark.spec("SCL-11")
@pytest.mark.parametrize("content", [b"mine\n", b"mine", b"\n", b"htsr mine\n", bytes(90)])
def test_what_is_no_journal_is_left_as_it_is(htsr, model, out, kept, content):
    kept.write_bytes(content)
    assert one_line(htsr("analyze", model, "-o", out, "--resume")) == (
        f"{kept}: it is not a journal, or damaged in its first line. Remove it to begin anew"
    )
    assert kept.read_bytes() == content


@pytest.mark.spec("SCL-11")
def test_a_pipe_or_a_link_is_left_as_it_is(htsr, model, out, kept):
    os.mkfifo(kept)
    assert "not a regular file" in one_line(htsr("analyze", model, "-o", out))
    kept.unlink()
    other = model.with_name("other")
    kept.symlink_to(other)
    assert "cannot be written" in one_line(htsr("analyze", model, "-o", out))
    assert not other.exists()


@pytest.mark.spec("SCL-11")
@pytest.mark.parametrize(
    ("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)], ids=["INT", "TERM"]
)
def test_the_message_names_the_command(htsr, model, out, kept, whole, monkeypatch, error, code):
    with monkeypatch.context() as patch:
        stop_at(2, patch, error)
        done = htsr("analyze", model, "-o", out)
    assert (done.code, done.out) == (code, "")
    command = f"htsr analyze {model} -o {out} --resume"
    assert done.err.splitlines()[0] == (
        f"htsr: 2 finished layers kept in {kept}. Go on with: {command}"
    )
    assert htsr(*shlex.split(command)[1:]).code == 0
    assert out.read_bytes() == whole


AT_ONCE = """
import os
from htsr_ref.analysis import journal
journal.PATIENCE = 0.0
from htsr_ref.cli.start import run
os.write(1, b"x")
run()
"""


class Killed:
    """Runs that a signal ends at random moments, each going on with the last."""

    def __init__(self, model: Path, out: Path) -> None:
        self.command = ["analyze", str(model), "-o", str(out), "--resume", "--jobs", "2"]
        self.journal = out.with_name(f"{out.name}.journal")
        self.ends: Counter[int] = Counter()
        self.rng = np.random.default_rng(0)

    def lines(self) -> int:
        """Lines of the journal, one for each layer that is kept."""
        try:
            return len(self.journal.read_bytes().splitlines())
        except FileNotFoundError:
            return 0

    def run(self, number: signal.Signals) -> None:
        """Run once, and send the signal a moment after any number of layers were kept."""
        child = subprocess.Popen(
            [sys.executable, "-c", AT_ONCE, *self.command],
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        child.stdout.read(1)
        lines = self.lines() + self.rng.integers(0, 6)
        while child.poll() is None and self.lines() < lines:
            time.sleep(0.001)
        time.sleep(self.rng.uniform(0, 0.1))
        child.send_signal(number)
        child.communicate(timeout=60)
        self.ends[child.returncode] += 1


@pytest.mark.slow
@pytest.mark.spec("SCL-9", "SCL-10", "SCL-11")
@pytest.mark.parametrize(
    ("number", "code", "times"),
    [(signal.SIGKILL, -9, 8), (signal.SIGTERM, 143, 6), (signal.SIGINT, 130, 6)],
    ids=["KILL", "TERM", "INT"],
)
def test_a_signal_at_random_moments(htsr, tmp_path, number, code, times):
    """Until so many runs have ended so; every report that is made meanwhile is compared."""
    model, out, reference = (tmp_path / name for name in ("m.safetensors", "r.json", "whole.json"))
    rng = np.random.default_rng(1)
    layers = {f"fc{i:02}.weight": rng.standard_t(3, (300 + i, 280)) for i in range(24)}
    save_file({name: W.astype(np.float32) for name, W in layers.items()}, model)
    assert htsr("analyze", model, "-o", reference).code == 0
    runs, finished, held = Killed(model, out), 0, Counter()
    while runs.ends[code] < times:
        runs.run(number)
        assert runs.ends.keys() <= {code, -number, 0}  # -number before handlers are set
        assert runs.ends.total() < 20 * times, "signals do not reach the runs"
        held[runs.lines()] += 1
        if out.exists():
            assert out.read_bytes() == reference.read_bytes()
            finished += 1
            out.unlink()
    assert htsr("analyze", model, "-o", out, "--resume").code == 0
    assert out.read_bytes() == reference.read_bytes()
    assert len(held) > 2, "no layer was finished before an end"
    print(dict(runs.ends), finished, sorted(held.items()))
