"""FMT-7: outputs of converters, with whatever may be found in their place."""

import os
import re
import stat
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
import pytorch
from common.leftovers import folder_in
from conversions import CONVERTERS, FIXTURES, convert
from safetensors.numpy import load

from htsr_ref.weights.outputs import writing

pytestmark = [
    pytest.mark.spec("FMT-7"),
    pytest.mark.skipif(os.name != "posix", reason="pipes, devices and permissions of POSIX"),
]
FOLDER = Path(pytorch.__file__).parent
MODEL = FIXTURES / "same" / "pytorch.pt"


@pytest.fixture(params=["safetensors", "h5"])
def path(request, tmp_path):
    return tmp_path / "folder" / f"x.{request.param}"


@pytest.fixture
def wanted(path, tmp_path):
    """Bytes of the output where nothing is in the way."""
    path.parent.mkdir()
    whole = tmp_path / path.name
    assert convert(pytorch, MODEL, "-o", whole).code == 0
    return whole.read_bytes()


def run(path):
    """Convert to a path; the error, if there is one."""
    outcome = convert(pytorch, MODEL, "-o", path)
    assert outcome.code == (2 if outcome.err else 0)
    return outcome.err


def test_a_file_is_replaced_with_its_permissions_through_its_links(path, wanted):
    target = path.with_name("target")
    target.write_text("old")
    target.chmod(0o604)
    path.symlink_to(target.name)
    assert run(path) == ""
    assert path.is_symlink()
    assert target.read_bytes() == wanted
    assert stat.S_IMODE(target.stat().st_mode) == 0o604
    assert {found.name for found in path.parent.iterdir()} == {"target", path.name}


def test_a_pipe_is_written_into(path, wanted):
    read = []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: read.append(path.read_bytes()))
    reader.start()
    assert run(path) == ""
    reader.join(30)
    assert read == [wanted]
    assert path.is_fifo()


@pytest.mark.usefixtures("wanted")
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no full device")
def test_a_full_device(path):
    path.symlink_to("/dev/full")
    assert run(path) == (
        f"error: {path}: it cannot be written (No space left on device). Name another output.\n"
    )
    assert Path("/dev/full").is_char_device()


@pytest.mark.usefixtures("wanted")
def test_a_read_only_file_is_refused_for_the_administrator_too(path):
    path.write_text("old")
    path.chmod(0o444)
    assert "it cannot be written (Permission denied)" in run(path)
    assert path.read_text() == "old"


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_file_that_may_not_grow(path, wanted, share):
    import resource

    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(share * len(wanted)), before[1]))
    try:
        said = run(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert said == f"error: {path}: it cannot be written (File too large). Name another output.\n"
    assert path.read_text() == "old"
    assert [found.name for found in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "script",
    [
        script if script == "pytorch" else pytest.param(script, marks=pytest.mark.slow)
        for script in CONVERTERS.values()
    ],
)
def test_an_interrupt_during_imports_is_one_line(script, tmp_path):
    path = tmp_path / "numpy.py"
    path.write_text("import os, signal, time\nos.kill(os.getpid(), signal.SIGINT)\ntime.sleep(60)")
    ended = subprocess.run(
        [sys.executable, FOLDER / f"{script}.py", MODEL, "-o", tmp_path / "x"],
        env=os.environ | {"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = "interrupted: nothing was written\n"
    assert (ended.returncode, ended.stdout, ended.stderr) == (130, "", said)


@pytest.mark.spec("FMT-28")
@pytest.mark.parametrize("by_script", [True, False])
def test_what_a_killed_run_left_is_removed_by_the_next(by_script, tmp_path):
    killed = (
        "import os, signal; from pathlib import Path; from common.leftovers import folder_in\n"
        f"with folder_in(Path({str(tmp_path)!r})) as folder:\n"
        "    (folder / 'output').write_text('half'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", killed], cwd=FOLDER, check=False).returncode < 0
    (left,) = tmp_path.iterdir()
    other, target, link = (
        tmp_path / name for name in (".htsr-1.tmp", "t", f".htsr-{'e' * 32}.tmp")
    )
    other.mkdir()
    target.mkdir()
    link.symlink_to(target)
    output = tmp_path / "x.safetensors"
    with folder_in(tmp_path) as alive:
        assert not left.exists()
        left.mkdir()
        if by_script:
            assert convert(pytorch, MODEL, "-o", output).code == 0
        else:
            with writing(output) as file:
                file.write(b"whole")
        assert set(tmp_path.iterdir()) == {alive, link, other, output, target}
    assert set(tmp_path.iterdir()) == {link, other, output, target}


SCRIPT = (sys.executable, FOLDER / "pytorch.py", MODEL)
COMMAND = (sys.executable, "-m", "htsr_ref.cli.start", "convert", MODEL)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
@pytest.mark.parametrize("arguments", [("--dry-run",), ("--places",), ("-o", "x.safetensors")])
@pytest.mark.parametrize("stream", ["/dev/full", None])
def test_standard_output_that_is_full_or_closed_is_one_line(arguments, stream, tmp_path):
    with Path(stream or os.devnull).open("w") as out:
        ended = subprocess.run(
            [*SCRIPT, *arguments],
            cwd=tmp_path,
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=60,
            preexec_fn=None if stream else partial(os.close, 1),
        )
    assert ended.returncode == 2
    assert re.fullmatch(r"error: standard output: it cannot be written \(.*\)\..*\n", ended.stderr)


@pytest.mark.skipif(not Path("/dev/stdout").exists(), reason="no names of open files")
@pytest.mark.parametrize(
    ("command", "before", "mode"),
    [
        (SCRIPT, b"before", "ab"),
        (SCRIPT, b"", "wb"),
        (COMMAND, b"before", "ab"),
        pytest.param(COMMAND, b"", "wb", marks=pytest.mark.slow),
    ],
)
def test_standard_output_is_continued_and_has_nothing_but_the_weights(
    command, before, mode, tmp_path
):
    log = tmp_path / "log"
    log.write_bytes(before)
    with log.open(mode) as out:
        ended = subprocess.run(
            [*command, "-o", "/dev/stdout"],
            stdout=out,
            stderr=subprocess.PIPE,
            check=True,
            timeout=60,
        )
    assert ended.stderr.endswith(b"/dev/stdout: 4 tensors\n")
    content = log.read_bytes()
    assert content.startswith(before)
    assert len(load(content[len(before) :])) == 4
