"""--cache of every command, `htsr cache`, and reports under another convention."""

import json
import os
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from commands import environment, trained
from safetensors.numpy import save_file

from htsr_ref.analysis import running
from htsr_ref.spectra import cache as module
from htsr_ref.spectra.cache_folder import open_folder
from htsr_ref.spectra.solvers import SOLVERS

USES = {
    "analyze": ("analyze", "MODEL", "--json"),
    "analyze, spark": ("analyze", "MODEL", "--spark"),
    "audit": ("audit", "MODEL", "TABLE", "--json"),
    "diff": ("diff", "MODEL", "OTHER", "--json"),
    "rank": ("rank", "MODEL", "OTHER", "--json"),
    "report": ("report", "MODEL", "OTHER"),
    "spectrum": ("spectrum", "MODEL", "fc1"),
    "trend": ("trend", "MODEL", "OTHER", "--accuracy", "ACCURACY", "--bootstrap", "100", "--json"),
}
"""Commands that compute spectra of weights."""
FAST = ("analyze", "audit")
SEVERAL = ("diff", "rank", "report", "trend")


def others_slow(uses, fast):
    return [pytest.param(use, marks=() if use in fast else pytest.mark.slow) for use in uses]


@pytest.fixture
def every_size(monkeypatch):
    monkeypatch.setattr(module, "LEAST_COLUMNS", 1)


@pytest.fixture
def unsolvable(monkeypatch):
    """Call it, and no matrix can be solved any more."""

    def forbidden(_):
        pytest.fail("this is in the cache")

    def forbid():
        monkeypatch.setattr("htsr_ref.spectra.store.SOLVERS", dict.fromkeys(SOLVERS, forbidden))

    return forbid


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HTSR_CACHE", raising=False)
    save_file(trained(), "a.safetensors")
    save_file(trained(seed=1), "b.safetensors")
    (tmp_path / "acc.csv").write_text("model,accuracy\na,0.5\nb,0.75\n")
    (tmp_path / "theirs.csv").write_text("layer,alpha\nfc1,3\n")
    return {
        "MODEL": "a.safetensors",
        "OTHER": "b.safetensors",
        "ACCURACY": "acc.csv",
        "TABLE": "theirs.csv",
    }


def count(cache, suffix="spectrum"):
    return len(list(cache.rglob(f"*.{suffix}")))


def one_line(outcome):
    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    return line.removeprefix("htsr: error: ")


@pytest.mark.spec("SCL-20")
@pytest.mark.parametrize("use", others_slow(USES, FAST))
def test_with_a_cache_and_without_one(htsr, tmp_path, files, every_size, unsolvable, use):
    words = [files.get(word, word) for word in USES[use]]
    if use == "audit":
        assert htsr("analyze", "a.safetensors", "--csv", "-o", "theirs.csv").code == 0
    plain = htsr(*words)
    assert plain.code == 0
    assert htsr(*words, "--cache", "c") == plain
    assert count(tmp_path / "c") >= 1
    unsolvable()
    assert htsr(*words, "--cache", "c") == plain


@pytest.mark.spec("SCL-20")
def test_what_one_command_keeps_another_takes(
    htsr, tmp_path, files, every_size, unsolvable, monkeypatch
):
    monkeypatch.setenv("HTSR_CACHE", "c")
    for file in ("a.safetensors", "b.safetensors"):
        assert htsr("analyze", file, "--set", "min_dim=0").code == 0
    kept = count(tmp_path / "c")
    unsolvable()
    for use in ("rank", "diff", "spectrum"):
        words = [files.get(word, word) for word in USES[use]]
        outcome = htsr(*words, "--convention", "alphapruning", "--set", "conv=slices")
        assert outcome.code == 0, outcome.err
    assert count(tmp_path / "c") == kept


@pytest.mark.spec("SCL-20")
def test_reports_in_a_folder_and_parts_share_a_cache(htsr, tmp_path, files, every_size, unsolvable):
    models, part = ("a.safetensors", "b.safetensors"), ("a.safetensors", "--part", "1/1", "-o")
    assert htsr("analyze", *models, "-o", "one/").code == 0
    assert htsr("analyze", *part, "one.part").code == 0
    for folder in ("two", "three"):
        assert htsr("analyze", *models, "-o", f"{folder}/", "--cache", "c").code == 0
        assert htsr("analyze", *part, f"{folder}.part", "--cache", "c").code == 0
        unsolvable()
        for path in (*Path("one").glob("*.json"), Path("one.part")):
            other = str(path).replace("one", folder)
            assert Path(other).read_bytes() == path.read_bytes()
    assert len(list(Path("three").glob("*.json"))) == 2


@pytest.mark.spec("SCL-22", "SCL-23")
def test_what_is_no_cache_or_size_is_refused_before_any_work(htsr, tmp_path, files, unsolvable):
    unsolvable()
    for use in ("analyze", "audit", "rank", "spectrum"):
        words = [files.get(word, word) for word in USES[use]]
        assert one_line(htsr(*words, "--cache", ".")) == (
            ".: it is not a cache of spectra. Name an empty folder, or one that is not there yet"
        )
    said = one_line(htsr("rank", "a.safetensors", "--cache", "x/y"))
    assert said == "x/y: it cannot be used as a cache (No such file or directory)"
    said = one_line(htsr("rank", "a.safetensors", "--cache", "c", "--cache-size", "huge"))
    assert said == "--cache-size 'huge': give a size, such as 800M or 12G"
    assert not (tmp_path / "c").exists()


@pytest.mark.spec("SCL-23")
@pytest.mark.skipif(sys.platform != "linux", reason="limits of Linux")
def test_a_full_disk_is_said_once_and_changes_nothing(htsr, tmp_path, files, every_size):
    plain = htsr("analyze", "a.safetensors")
    assert htsr("cache", "c").code == 2
    assert htsr("analyze", "a.safetensors", "--include", "fc2", "--cache", "c").code == 0
    kept = count(tmp_path / "c")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100, before[1]))
    try:
        outcome = htsr("analyze", "a.safetensors", "--cache", "c")
        quiet = htsr("analyze", "a.safetensors", "--cache", "c", "--quiet")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (outcome.code, outcome.out) == (plain.code, plain.out)
    [line] = outcome.err.splitlines()
    assert line == (
        "htsr: warning: c: the cache cannot be written (File too large); not all eigenvalues of "
        "this run are kept"
    )
    assert (quiet.out, quiet.err) == (plain.out, "")
    assert (count(tmp_path / "c"), count(tmp_path / "c", "tmp")) == (kept, 0)


@pytest.mark.spec("SCL-23")
def test_the_size_that_is_asked_for_holds(htsr, tmp_path, files, every_size):
    htsr("analyze", "a.safetensors", "--set", "min_dim=0", "--cache", "c", "--cache-size", "500")
    sizes = [path.stat().st_size for path in (tmp_path / "c").rglob("*.spectrum")]
    assert sizes
    assert sum(sizes) <= 500


# htsr cache


@pytest.fixture
def cache(htsr, tmp_path, files, every_size):
    """A cache of two spectra, of 24 and 16 columns; the wider one is older."""
    assert htsr("analyze", "a.safetensors", "--include", "fc*", "--cache", "c").code == 0
    found = sorted((tmp_path / "c").rglob("*.spectrum"), key=lambda path: -path.stat().st_size)
    # Mark, name, peak and eigenvalues, digest.
    assert [path.stat().st_size for path in found] == [88 + 8 * 24, 88 + 8 * 16]
    for path, time in zip(found, (86_400, 1_000_000_000), strict=True):
        os.utime(path, (time, time))
    return tmp_path / "c"


@pytest.mark.spec("SCL-23")
def test_what_a_cache_holds(htsr, cache, monkeypatch):
    outcome = htsr("cache", "c")
    assert (outcome.code, outcome.err) == (0, "")
    assert [
        line.split(maxsplit=1 if " use" not in line else 2) for line in outcome.out.splitlines()
    ] == [
        ["spectra", "2"],
        ["size", "0.000 MB"],
        ["oldest", "use", "1970-01-02 00:00 UTC"],
        ["newest", "use", "2001-09-09 01:46 UTC"],
    ]
    monkeypatch.setenv("HTSR_CACHE", "c")
    assert htsr("cache") == outcome


@pytest.mark.spec("SCL-22", "SCL-23")
def test_the_oldest_or_all_are_removed(htsr, cache):
    (cache / "notes.txt").write_text("mine")
    outcome = htsr("cache", "c", "--limit", "1K")
    assert (outcome.err, count(cache)) == ("htsr: removed: 0 files, 0.000 MB\n", 2)
    outcome = htsr("cache", "c", "--limit", str(88 + 8 * 24))
    assert outcome.err == "htsr: removed: 1 file, 0.000 MB\n"
    assert [path.stat().st_size for path in cache.rglob("*.spectrum")] == [88 + 8 * 16]
    outcome = htsr("cache", "c", "--clear")
    assert (outcome.err, count(cache)) == ("htsr: removed: 1 file, 0.000 MB\n", 0)
    assert outcome.out.splitlines()[0].split() == ["spectra", "0"]
    assert len(outcome.out.splitlines()) == 2
    assert (cache / "notes.txt").read_text() == "mine"
    assert htsr("cache", "c", "--clear").code == 0


@pytest.mark.spec("SCL-22")
def test_what_cannot_be_removed_is_said_and_does_not_keep_the_rest(htsr, tmp_path, monkeypatch):
    cache = open_folder(tmp_path / "c")
    for first in "abc":
        cache.write(first * 64, b"x" * 100)
    remove = Path.unlink

    def unlink(path, missing_ok=False):
        if path.name.startswith("a"):
            raise PermissionError
        remove(path, missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    done = htsr("cache", tmp_path / "c", "--clear")
    assert (done.code, done.out.splitlines()[0].split()) == (2, ["spectra", "1"])
    assert done.err.startswith("htsr: removed: 2 files")
    assert "not all of that could be removed. Check the permissions in it" in done.err


@pytest.mark.spec("SCL-22")
def test_no_other_folder_is_listed_or_cleared(htsr, files, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    assert one_line(htsr("cache", ".", "--clear")).startswith(".: it is not a cache of spectra.")
    assert one_line(htsr("cache", "no")) == "no: there is no such folder. Name that of a cache"
    assert "Choose one" in one_line(htsr("cache", ".", "--clear", "--limit", "1K"))
    assert "--limit 'x'" in one_line(htsr("cache", ".", "--limit", "x"))
    assert sorted(tmp_path.rglob("*")) == before


# SCL-25


@pytest.fixture
def report(htsr, files, every_size):
    """A report of sdm2020 beside its weights; the cache has their spectra."""
    assert htsr("analyze", "a.safetensors", "--cache", "c", "-o", "a.json").code == 0
    return "a.json"


def renamed(outcome, before, after):
    return outcome.out.replace(before, after)


@pytest.mark.spec("SCL-25")
def test_a_report_under_another_convention_comes_from_the_cache(htsr, report, unsolvable, tmp_path):
    other = ("--convention", "alphapruning", "--json")
    expected = htsr("rank", "a.safetensors", *other)
    refused = one_line(htsr("rank", report, *other))
    assert refused == (
        "a.json: it follows sdm2020, not alphapruning. Give its weights, 'a.safetensors', in its "
        "place, or leave out the convention"
    )
    elsewhere = tmp_path / "reports"
    elsewhere.mkdir()
    (tmp_path / report).rename(elsewhere / report)
    htsr("rank", "a.safetensors", *other, "--cache", "c")
    unsolvable()
    outcome = htsr("rank", f"reports/{report}", *other, "--cache", "c")
    assert (outcome.code, outcome.err) == (0, "")
    assert renamed(outcome, "reports/a.json", "a.safetensors") == expected.out


def edited(path, **changes):
    found = json.loads(path.read_text())
    found["source"] |= changes
    path.write_text(json.dumps(found))


@pytest.mark.spec("SCL-25")
@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"sha256": "0" * 64}, "its weights, 'a.safetensors', have changed since"),
        ({"sha256": None}, "it does not state the digest of its weights"),
        ({"name": "b/../a.safetensors"}, "are not in its folder or this one"),
        ({"name": ".."}, "its weights, '..', are not in its folder or this one"),
        ({"name": "\0"}, r"its weights, '\\x00', are not in its folder or this one"),
        ({"name": "x" * 5000}, "are not in its folder or this one"),
        ({"name": "gone.h5"}, "its weights, 'gone.h5', are not in its folder or this one"),
    ],
)
def test_weights_that_a_report_is_not_of_are_not_taken(htsr, report, tmp_path, changes, problem):
    edited(tmp_path / report, **changes)
    outcome = htsr("rank", report, "--convention", "alphapruning", "--cache", "c")
    said = one_line(outcome)
    assert said.startswith("a.json: it follows sdm2020, not alphapruning, and ")
    assert problem.replace("\\\\", "\\") in said
    assert said.endswith(". Give its weights in its place")


@pytest.mark.spec("SCL-25")
def test_a_report_of_other_layers_or_of_two_files_is_not_made_again(htsr, report):
    options = ("--convention", "alphapruning", "--cache", "c")
    htsr("analyze", "a.safetensors", "--exclude", "fc2", "-o", report)
    assert "made with other --layers, --include or --exclude" in one_line(
        htsr("rank", report, *options)
    )
    assert htsr("rank", report, *options, "--exclude", "fc2").code == 0
    htsr("analyze", "a.safetensors", "--minus", "b.safetensors", "-o", report)
    assert "its weights were computed from two files" in one_line(htsr("rank", report, *options))


# SCL-26


@pytest.mark.spec("SCL-26")
@pytest.mark.parametrize("use", others_slow(SEVERAL, ("diff", "rank")))
def test_layers_of_several_models_are_analyzed_side_by_side(htsr, files, monkeypatch, use):
    given = []

    def recorded(tasks, jobs, memory):
        given.append((jobs, memory))
        return side_by_side(tasks, jobs, memory)

    side_by_side = running.side_by_side
    monkeypatch.setattr(running, "side_by_side", recorded)
    words = [files.get(word, word) for word in USES[use]]
    plain = htsr(*words, "--jobs", "1")
    assert plain.code == 0
    assert htsr(*words, "--jobs", "3", "--max-memory", "123M") == plain
    assert [jobs for jobs, _ in given] == [1, 1, 3, 3]
    assert given[2:] == [(3, 123_000_000)] * 2
    poor = htsr(*words, "--max-memory", "1K")
    assert "may be taken" in poor.err
    assert one_line(htsr(*words, "--max-memory", "x")).startswith("--max-memory 'x': give a size")


@pytest.mark.slow
@pytest.mark.spec("SCL-21")
def test_processes_share_a_cold_cache(tmp_path):
    rng = np.random.default_rng(0)
    shapes = {f"fc{i}.weight": (300, 260) for i in range(6)}
    path = tmp_path / "m.safetensors"
    save_file({name: rng.standard_normal(s).astype(np.float32) for name, s in shapes.items()}, path)

    def started(*options):
        words = [sys.executable, "-m", "htsr_ref.cli.start", "analyze", path, "--json", *options]
        return subprocess.Popen(words, env=environment(), stdout=subprocess.PIPE)

    cache = tmp_path / "cache"
    together = [started("--cache", cache) for _ in range(3)]
    outputs = {process.communicate()[0] for process in (*together, started())}
    assert len(outputs) == 1
    assert count(cache) == 6
    warm = started("--cache", cache)
    assert {warm.communicate()[0]} == outputs
