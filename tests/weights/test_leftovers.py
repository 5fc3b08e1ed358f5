"""FMT-28: what killed runs leave is removed by the next one, and nothing else is."""

import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from commands import environment

from htsr_ref.errors import HtsrError
from htsr_ref.weights import write_weights
from htsr_ref.weights.leftovers import create_beside, temporary_folder

pytestmark = [
    pytest.mark.spec("FMT-28"),
    pytest.mark.skipif(os.name != "posix", reason="locks of this kind"),
]
DIGITS = "0123456789abcdef" * 2
HOLDER = """
import sys
from pathlib import Path
from htsr_ref.weights.leftovers import create_beside, temporary_folder
create_beside(Path("x"), 0o600)
with temporary_folder() as folder:
    (folder / "file").write_text("numbers")
    print(flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder that is also that of the system's temporary files."""
    folder = tmp_path / "place"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


def names(folder):
    return {path.name for path in folder.iterdir()}


def next_run(place):
    """Make a file and a folder, and remove them."""
    write_weights(place / "next.npz", {"a": np.ones(2)})
    (place / "next.npz").unlink()
    with pytest.raises(HtsrError, match="over"), temporary_folder():
        raise HtsrError("over")


def test_what_a_killed_run_leaves_goes_and_what_a_living_one_has_stays(place):
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER],
        cwd=place,
        env=environment(TMPDIR=str(place)),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    child.stdout.read(1)
    before = names(place)
    assert len(before) == 2
    next_run(place)
    assert names(place) == before
    child.send_signal(signal.SIGKILL)
    child.communicate()
    next_run(place)
    assert names(place) == set()


def test_what_this_process_has_stays(place):
    temporary, descriptor = create_beside(place / "x", 0o600)
    with pytest.raises(HtsrError, match="over"), temporary_folder() as folder:
        next_run(place)
        assert names(place) == {temporary.name, folder.name}
        raise HtsrError("over")
    os.close(descriptor)
    next_run(place)
    assert names(place) == set()


@pytest.mark.skipif(os.name != "posix", reason="without locks nothing is removed")
@pytest.mark.spec("FMT-7", "FMT-28")
def test_what_is_about_to_get_its_name_is_not_taken_for_abandoned(tmp_path, monkeypatch):
    replace = Path.replace

    def after_another_run_has_cleaned_up(source, target):
        os.close(create_beside(tmp_path / "other.npz", 0o600)[1])
        return replace(source, target)

    monkeypatch.setattr(Path, "replace", after_another_run_has_cleaned_up)
    write_weights(tmp_path / "x.safetensors", {"w": np.eye(3)})
    assert (tmp_path / "x.safetensors").is_file()


def test_only_such_names_are_removed_and_links_are_not_followed(place, tmp_path):
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("numbers")
    (place / f"htsr-tmp-{DIGITS}").symlink_to(precious)
    (place / f".htsr-{DIGITS}.tmp").symlink_to(precious / "file")
    (place / "htsr-results").mkdir()
    (place / "htsr-tmp-").mkdir()
    (place / f"htsr-tmp-{DIGITS}-").mkdir()
    (place / f".htsr-{DIGITS}.tmp.bak").touch()
    os.mkfifo(place / f".htsr-{DIGITS[::-1]}.tmp")
    inside = place / f"htsr-tmp-{DIGITS[::-1]}"
    inside.mkdir()
    (inside / "link").symlink_to(precious)
    before = names(place)
    next_run(place)
    assert names(place) == before - {inside.name}
    assert (precious / "file").read_text() == "numbers"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs another user")
def test_what_belongs_to_another_user_stays(place):
    theirs = place / f"htsr-tmp-{DIGITS}"
    theirs.mkdir()
    os.chown(theirs, 65534, 65534)
    file = place / f".htsr-{DIGITS}.tmp"
    file.touch()
    os.chown(file, 65534, 65534)
    next_run(place)
    assert names(place) == {theirs.name, file.name}


def test_a_folder_without_the_permission_to_list_it_is_no_obstacle(place, monkeypatch):
    def denied(_):
        raise PermissionError

    monkeypatch.setattr(os, "scandir", denied)
    temporary, descriptor = create_beside(place / "x", 0o640)
    os.close(descriptor)
    assert Path(temporary).stat().st_mode & 0o777 == 0o640 & ~_umask()


def _umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask
