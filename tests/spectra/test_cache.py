"""Eigenvalues kept on disk: the same numbers, nothing solved twice, and whatever may be there."""

import hashlib
import os
import struct
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from htsr_ref import analyze
from htsr_ref.conventions import CONVENTIONS, SDM2020
from htsr_ref.errors import CacheError, OutputError
from htsr_ref.layers.matrices import matrix_from_array, weight_matrix
from htsr_ref.layers.tensors import ArrayTensor
from htsr_ref.spectra import cache as module
from htsr_ref.spectra.cache import SpectrumCache, packed, size_of, unpacked
from htsr_ref.spectra.cache_folder import TAG, CacheFolder, open_folder
from htsr_ref.spectra.solvers import SOLVERS, Solved
from htsr_ref.spectra.store import solve

KEY = bytes(range(32))


def keep_everything(patch):
    """Let small matrices through, so that tests are quick; return how often each is solved."""
    patch.setattr(module, "LEAST_COLUMNS", 1)
    solved = Counter()

    def counting(name):
        def count(matrix):
            solved[name] += 1
            return SOLVERS[name](matrix)

        return count

    patch.setattr("htsr_ref.spectra.store.SOLVERS", {name: counting(name) for name in SOLVERS})
    return solved


@pytest.fixture
def solved(monkeypatch):
    return keep_everything(monkeypatch)


@pytest.fixture
def cache(tmp_path):
    return SpectrumCache(open_folder(tmp_path / "cache"))


def names(folder):
    return sorted(path.name for path in Path(folder).rglob("*.spectrum"))


# SCL-20


@pytest.mark.spec("SCL-20")
@given(
    seed=st.integers(0, 2**32 - 1),
    dtype=st.sampled_from(["float16", "float32", "float64"]),
    shape=st.sampled_from([(9, 7), (7, 9), (5, 4, 1, 2)]),
    kind=st.sampled_from(["plain", "zero", "nan", "low rank"]),
    convention=st.sampled_from(sorted(CONVENTIONS)),
    jobs=st.integers(1, 2),
)
def test_a_cache_changes_no_byte_and_spares_every_solve(seed, dtype, shape, kind, convention, jobs):
    W = np.random.default_rng(seed).standard_t(3, shape)
    W = {"zero": 0 * W, "low rank": W * (np.arange(W.shape[-1]) == 0)}.get(kind, W).astype(dtype)
    if kind == "nan":
        W.flat[3] = np.nan
    chosen = CONVENTIONS[convention].override({"min_dim": 0, "min_eigenvalues": 1})
    assume(len(shape) == 2 or chosen.conv != "skip")  # what is left out is not solved
    model = {"a": W, "bias": W[0, 0]}

    def text(**options):
        return analyze(model, chosen, jobs=jobs, **options).to_json()

    plain = text()
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        counts = keep_everything(patch)
        assert text(cache=folder) == plain
        of_good_ones = sum(counts.values()) - (kind == "nan")
        assert of_good_ones >= (kind != "nan")
        assert len(names(folder)) <= of_good_ones  # equal matrices, such as zeros, are one
        counts.clear()
        assert text(cache=Path(folder)) == plain
        assert sum(counts.values()) == (kind == "nan")


@pytest.mark.spec("SCL-20")
def test_another_convention_solves_only_for_other_matrices(solved, tmp_path):
    rng = np.random.default_rng(0)
    model = {"fc": rng.standard_normal((12, 8)), "conv": rng.standard_normal((8, 6, 2, 2))}
    every = SDM2020.override({"min_dim": 0})
    analyze(model, every, cache=tmp_path / "c")
    assert solved == {"svd": 1 + 4}
    analyze(model, every.override({"normalization": "none", "xmin": 0.5}), cache=tmp_path / "c")
    assert solved == {"svd": 5}
    analyze(model, every.override({"conv": "flattened"}), cache=tmp_path / "c")
    assert solved == {"svd": 6}


VARIANTS = {
    "another number": (np.arange(1.0, 13.0).reshape(4, 3) + np.eye(4, 3), "svd", 1),
    "another last digit": (np.nextafter(np.arange(1.0, 13.0), 99).reshape(4, 3), "svd", 1),
    "another sign": (-np.arange(1.0, 13.0).reshape(4, 3), "svd", 1),
    "another shape": (np.arange(1.0, 13.0).reshape(6, 2), "svd", 1),
    "transposed": (np.arange(1.0, 13.0).reshape(3, 4), "svd", 1),
    "another solver": (np.arange(1.0, 13.0).reshape(4, 3), "gram", 1),
    "more threads": (np.arange(1.0, 13.0).reshape(4, 3), "svd", 2),
}


@pytest.mark.spec("SCL-20")
@pytest.mark.parametrize("variant", VARIANTS)
def test_what_may_change_a_digit_is_told_apart(solved, cache, variant):
    solve(matrix_from_array(np.arange(1.0, 13.0).reshape(4, 3)), "svd", cache)
    W, solver, threads = VARIANTS[variant]
    found = solve(matrix_from_array(W), solver, SpectrumCache(cache.folder, threads))
    assert sum(solved.values()) == 2
    assert np.array_equal(found.eigenvalues, SOLVERS[solver](matrix_from_array(W)).eigenvalues)


@pytest.mark.spec("SCL-20")
@pytest.mark.parametrize("other", ["versions", "libraries"])
def test_another_program_or_library_solves_for_itself(solved, cache, monkeypatch, other):
    matrix = matrix_from_array(np.eye(4))
    solve(matrix, "svd", cache)
    name, value = {"versions": ("__version__", "0.0"), "libraries": ("libraries", lambda: ["x"])}[
        other
    ]
    monkeypatch.setattr(module, name, value)
    solve(matrix, "svd", SpectrumCache(cache.folder))
    assert solved == {"svd": 2}


@pytest.mark.spec("SCL-20")
def test_names_and_cuts_do_not_matter(solved, cache):
    W = np.random.default_rng(0).standard_normal((5, 4))
    stack = np.stack([W, W], axis=2).astype(np.float32)
    of_stack = [
        weight_matrix(ArrayTensor(stack, "s"), (slice(0, 5), slice(0, 4), place))
        for place in (0, 1)
    ]
    alone = weight_matrix(ArrayTensor(W.astype(np.float32), "other"))
    for matrix in (*of_stack, alone):
        solve(matrix, "gram", cache)
    assert solved == {"gram": 1}


@pytest.mark.spec("SCL-24")
def test_what_does_not_pay_is_neither_read_nor_kept(cache):
    for M in (module.LEAST_COLUMNS - 1, module.LEAST_COLUMNS):
        matrix = matrix_from_array(np.eye(M + 1, M))
        assert not cache.has(matrix, "gram")
        solve(matrix, "gram", cache)
    assert len(names(cache.folder.path)) == 1


# SCL-21


@pytest.mark.spec("SCL-21")
def test_the_bytes_of_a_file():
    content = packed(Solved(np.array([0.5, 2.0, np.inf]), 1.25), KEY)
    body = b"htsr spectrum 1\n" + KEY + struct.pack("<4d", 1.25, 0.5, 2.0, np.inf)
    assert content == body + hashlib.sha256(body).digest()
    assert len(content) == size_of(3)
    found = unpacked(content, KEY)
    assert (found.peak, found.eigenvalues.tolist()) == (1.25, [0.5, 2.0, np.inf])
    assert found.eigenvalues.dtype == np.float64


@pytest.mark.spec("SCL-21")
@given(place=st.integers(0, 103), change=st.integers(1, 255), other=st.binary(max_size=150))
def test_any_damage_shows(place, change, other):
    content = packed(Solved(np.array([0.5, 2.0]), 1.25), KEY)
    assert len(content) == 104
    damaged = bytearray(content)
    damaged[place] ^= change
    assert unpacked(bytes(damaged), KEY) is None
    assert unpacked(content[:place], KEY) is None
    assert unpacked(content + other, KEY) is None or not other
    assert unpacked(other, KEY) is None
    assert unpacked(content, KEY[::-1]) is None


def torn(path):
    path.write_bytes(path.read_bytes()[:-1])


def empty(path):
    path.write_bytes(b"")


def changed(path):
    path.write_bytes(path.read_bytes().replace(b"htsr", b"HTSR"))


def link(path):
    path.replace(path.with_name("moved"))
    path.symlink_to("moved")


def pipe(path):
    path.unlink()
    os.mkfifo(path)


@pytest.mark.spec("SCL-21", "SCL-22")
@pytest.mark.skipif(os.name != "posix", reason="links and pipes of POSIX")
@pytest.mark.parametrize("fault", [torn, empty, changed, link, pipe])
def test_what_is_damaged_is_solved_for_again_and_replaced(solved, cache, fault):
    matrix = matrix_from_array(np.diag([1.0, 2.0, 3.0]))
    solve(matrix, "svd", cache)
    [path] = cache.folder.path.rglob("*.spectrum")
    content = path.read_bytes()
    fault(path)
    for _ in range(2):
        assert solve(matrix, "svd", cache).eigenvalues.tolist() == [1, 4, 9]
    assert solved == {"svd": 2}
    assert not path.is_symlink()
    assert path.read_bytes() == content
    assert not path.with_name("moved").exists() or path.with_name("moved").read_bytes() == content


@pytest.mark.spec("SCL-21")
def test_many_threads_write_and_trim_at_once(solved, tmp_path):
    matrices = [matrix_from_array(np.diag([1.0, 2.0 + i])) for i in range(6)]
    path, limit, found = tmp_path / "c", 3 * size_of(2), []
    open_folder(path)

    def work():
        own = SpectrumCache(open_folder(path, limit))
        found.extend(
            solve(matrices[i], "svd", own).eigenvalues.tolist() == [1, (2.0 + i) ** 2]
            for i in (*range(6), *range(6))
        )
        found.append(own.problem is None)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * (4 * 13)
    content = {file.read_bytes()[:16] for file in path.rglob("*.spectrum")}
    assert content == {module.MARK}


# SCL-22


@pytest.mark.spec("SCL-22")
def test_which_folders_are_caches(tmp_path):
    new = tmp_path / "new"
    with pytest.raises(CacheError, match=r"new: there is no such folder\. Name that of a cache"):
        open_folder(new, is_made=False)
    open_folder(new)
    assert (new / TAG).read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55\n")
    open_folder(new, is_made=False)
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(CacheError, match="it is not a cache of spectra"):
        open_folder(empty, is_made=False)
    (empty / ".htsr-0123456789abcdef0123456789abcdef.tmp").touch()  # another run makes it one now
    open_folder(empty)


@pytest.mark.spec("SCL-22")
@pytest.mark.parametrize("what", ["full", "other tag", "pipe", "file", "deep"])
def test_what_is_something_else_is_left_alone(tmp_path, what):
    path = tmp_path / "there"
    if what == "file":
        path.write_text("mine")
    elif what != "deep":
        path.mkdir()
        if what == "pipe":
            os.mkfifo(path / TAG)
        else:
            (path / (TAG if what == "other tag" else "mine.txt")).write_text("Signature: other")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(CacheError, match="there"):
        open_folder(path / "a" if what == "deep" else path)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.spec("SCL-22")
@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_strangers_files_are_never_touched(tmp_path):
    folder = open_folder(tmp_path / "cache")
    name = "ab" + "0" * 62
    folder.write(name, b"content")
    [ours] = folder.path.rglob("*.spectrum")
    outside = tmp_path / "outside"
    outside.mkdir()
    strangers = [
        folder.path / f"{name}.spectrum",
        folder.path / "notes.txt",
        folder.path / "ab" / "notes.txt",
        folder.path / "ab" / ("cd" + "0" * 62 + ".spectrum"),
        outside / ("cd" + "0" * 62 + ".spectrum"),
        outside / "target",
    ]
    for path in strangers:
        path.write_text("mine")
    (folder.path / "cd").symlink_to(outside)
    (folder.path / "ab" / ("ab" + "1" * 62 + ".spectrum")).symlink_to(outside / "target")
    (folder.path / "ab" / ("ab" + "2" * 62 + ".spectrum")).mkdir()
    assert [entry.path for entry in folder.entries()] == [ours]
    assert [entry.path for entry in folder.trim(0)] == [ours]
    assert all(path.read_text() == "mine" for path in strangers)
    for link in ("cd" + "0" * 62, "ab" + "1" * 62):
        assert folder.read(link, 4) is None
        folder.write(link, b"new")
        assert folder.read(link, 3) == b"new"
    assert all(path.read_text() == "mine" for path in strangers)


# SCL-23


@pytest.mark.spec("SCL-23")
@given(
    sizes=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    reads=st.lists(st.integers(0, 7), max_size=4),
    limit=st.integers(50, 150),
)
def test_the_oldest_used_go_first(sizes, reads, limit):
    with tempfile.TemporaryDirectory() as path:
        folder = open_folder(Path(path) / "c", limit)
        begun = time.time() - 60  # the clock of the disk may lag behind
        clock, used = 1000.0, {}
        for place, size in enumerate(sizes):  # names share their first digits, and so a folder
            name = f"{place:064x}"
            folder.write(name, bytes(size))
            for read in (place, *(read for read in reads if f"{read:064x}" in used)):
                known = folder.path / "00" / f"{read:064x}.spectrum"
                if known.exists():
                    os.utime(known, (clock, clock))
                    folder.touch(known.stem)
                    assert known.stat().st_mtime > begun
                    clock += 1
                    os.utime(known, (clock, clock))
                    used[known.stem] = clock
            kept = {entry.path.stem for entry in folder.entries()}
            assert sum(entry.size for entry in folder.entries()) <= limit
            gone = used.keys() - kept
            assert (
                not gone
                or not kept - {name}
                or max(used[n] for n in gone) < min(used[n] for n in kept - {name})
            )
            used = {n: at for n, at in used.items() if n in kept}
        assert [e.used for e in folder.entries()] == sorted(used.values())


@pytest.mark.spec("SCL-23")
def test_what_is_larger_than_the_limit_is_not_kept(tmp_path):
    folder = open_folder(tmp_path / "c", 10)
    folder.write("0" * 64, bytes(10))
    folder.write("1" * 64, bytes(11))
    assert [entry.size for entry in folder.entries()] == [10]


@pytest.mark.spec("SCL-23")
@pytest.mark.parametrize("error", [OutputError("c", "no room"), OSError(28, "No space left")])
def test_a_cache_that_cannot_be_written_costs_one_warning(solved, tmp_path, monkeypatch, error):
    calls = []

    def fails(self, name, content):
        calls.append(name)
        raise error

    monkeypatch.setattr(CacheFolder, "write", fails)
    model = {"a": np.diag(np.arange(1.0, 31)), "b": np.diag(np.arange(2.0, 32))}
    expected = analyze(model)
    with pytest.warns(RuntimeWarning, match="cannot be written .* not all eigenvalues") as said:
        assert analyze(model, cache=tmp_path / "c", jobs=1) == expected
    assert (len(said), len(calls)) == (1, 1)
