"""What the process may use: affinity, quotas, limits of memory."""

import os
import resource

import pytest
from commands import python

from htsr_ref.machine.cgroups import groups, words
from htsr_ref.machine.cores import quota_of, usable_cores
from htsr_ref.machine.memory import left_in, physical_memory, usable_memory


def write(folder, **settings):
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in settings.items():
        (folder / name.replace("__", ".")).write_text(text)


@pytest.mark.spec("SCL-1")
def test_affinity_counts():
    first = min(os.sched_getaffinity(0))
    code = (
        f"import os; os.sched_setaffinity(0, [{first}]); "
        "from htsr_ref.machine.cores import usable_cores; print(usable_cores())"
    )
    assert python("-c", code).stdout == b"1\n"
    assert 1 <= usable_cores() <= len(os.sched_getaffinity(0))


@pytest.mark.spec("SCL-1")
@pytest.mark.parametrize(
    ("settings", "cores"),
    [
        ({"cpu__max": "200000 100000"}, 2),
        ({"cpu__max": "350000 100000"}, 3),
        ({"cpu__max": "50000 100000"}, 0),
        ({"cpu__max": "max 100000"}, None),
        ({"cpu__cfs_quota_us": "400000", "cpu__cfs_period_us": "100000"}, 4),
        ({"cpu__cfs_quota_us": "-1", "cpu__cfs_period_us": "100000"}, None),
        ({}, None),
    ],
)
def test_a_quota_is_whole_cores(settings, cores, tmp_path):
    write(tmp_path, **settings)
    assert quota_of(tmp_path) == cores


@pytest.mark.spec("SCL-1")
def test_a_quota_limits_the_cores_but_one_is_left(monkeypatch, tmp_path):
    monkeypatch.setattr("htsr_ref.machine.cores.groups", lambda _: [tmp_path])
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)))
    found = []
    for quota in ("300000", "20000"):
        write(tmp_path, cpu__max=f"{quota} 100000")
        found.append(usable_cores())
    assert found == [3, 1]


def test_groups_of_both_versions_the_innermost_first(tmp_path):
    root, membership = tmp_path / "groups", tmp_path / "membership"
    for name in ("a/b", "memory/c", "cpu"):
        (root / name).mkdir(parents=True)
    membership.write_text("4:memory:/c\n3:cpu,cpuacct:/elsewhere\n0::/a/b\n")

    def found(controller):
        folders = groups(controller, root=root, membership=membership)
        return [str(folder.relative_to(root)) for folder in folders]

    assert found("memory") == ["memory/c", "memory", "a/b", "a", "."]
    assert found("cpu") == ["cpu", "a/b", "a", "."]
    assert groups("cpu", root=root, membership=tmp_path / "missing") == []
    assert words(root, ["missing"]) is None


@pytest.mark.spec("SCL-3")
def test_a_group_leaves_its_limit_less_what_is_used_but_for_pages_of_files(tmp_path):
    assert left_in(tmp_path) is None
    stat = "anon 300\nactive_file 40\ninactive_file 60\n"
    write(tmp_path, memory__max="1000", memory__current="500", memory__stat=stat)
    assert left_in(tmp_path) == 600
    write(tmp_path, memory__max="max")
    assert left_in(tmp_path) is None


@pytest.mark.spec("SCL-3")
def test_the_least_limit_counts(monkeypatch, tmp_path):
    free = usable_memory()
    assert 0 < free <= physical_memory()
    write(tmp_path, memory__max="5000", memory__current="1000")
    monkeypatch.setattr("htsr_ref.machine.memory.groups", lambda _: [tmp_path])
    assert usable_memory() == 4000


@pytest.mark.spec("SCL-3")
def test_the_limit_of_addresses_counts():
    def limit():
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))

    code = "from htsr_ref.machine.memory import usable_memory; print(usable_memory())"
    left = int(python("-c", code, preexec_fn=limit).stdout)
    assert (1 << 30) - (1 << 29) < left < 1 << 30
