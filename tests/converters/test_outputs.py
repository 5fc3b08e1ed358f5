"""FMT-7: outputs of converters, with whatever may be found in their place."""

import os
import stat
import threading
from pathlib import Path

import pytest
import pytorch
from conversions import FIXTURES, convert

pytestmark = [
    pytest.mark.spec("FMT-7"),
    pytest.mark.skipif(os.name != "posix", reason="pipes, devices and permissions of POSIX"),
]
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
