"""WCH-1 to WCH-3: what is found, when it counts, and that no number comes from half a file."""

import math
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import tensors, trained
from safetensors.numpy import save, save_file

import htsr_ref
from htsr_ref.runs.looking import MOST_INSIDE, look


def numbers(report):
    return report.model, report.layers


def names_of(checkpoints):
    return [(checkpoint.name, checkpoint.step) for checkpoint in checkpoints]


@pytest.mark.spec("WCH-3")
@pytest.mark.parametrize("pieces", [1, 2, 7])
def test_a_file_that_grows_is_analyzed_when_it_is_whole(watched, pieces):
    path, content = Path("run/step-1.safetensors"), save(trained())
    ends = [len(content) * (i + 1) // pieces for i in range(pieces)]
    grow = [lambda end=end: path.write_bytes(content[:end]) for end in ends]
    checkpoints, notices = watched(*grow, None, None, None)
    assert notices == []
    (checkpoint,) = checkpoints
    assert numbers(checkpoint.report) == numbers(htsr_ref.analyze(path))


@pytest.mark.spec("WCH-3")
def test_a_file_that_stays_torn_is_named_once_and_tried_again(watched):
    path, content = Path("run/step-1.safetensors"), save(trained())
    halves = [lambda end=end: path.write_bytes(content[:end]) for end in (1000, 2000)]
    checkpoints, notices = watched(
        halves[0], None, None, None, halves[1], None, None, lambda: path.write_bytes(content), None
    )
    assert len(notices) == 1
    assert notices[0].startswith("not read: run/step-1.safetensors: tensor ")
    assert notices[0].endswith("It is tried again when it changes")
    (checkpoint,) = checkpoints
    assert numbers(checkpoint.report) == numbers(htsr_ref.analyze(path))


@pytest.mark.spec("WCH-3")
def test_what_changes_while_it_is_analyzed_is_dropped(watched):
    path = Path("run/step-1.safetensors")
    save_file(trained(0), path)
    seen = []

    def rewrite(name, progress):
        if not seen:
            save_file(trained(1), path)
        seen.append(name)

    checkpoints, notices = watched(None, None, None, progress=rewrite)
    assert notices == []
    (checkpoint,) = checkpoints
    assert numbers(checkpoint.report) == numbers(htsr_ref.analyze(path))
    assert set(seen) == {"step-1.safetensors"}


@pytest.mark.spec("WCH-3")
def test_a_file_removed_while_it_is_analyzed_is_no_error(watched):
    path = Path("run/step-1.safetensors")
    save_file(trained(), path)
    found = watched(None, None, progress=lambda *_: path.unlink(missing_ok=True))
    assert (found, path.exists()) == (([], []), False)


@pytest.mark.spec("WCH-1", "WCH-2", "WCH-3")
def test_a_folder_is_a_checkpoint_when_all_of_it_is_written(watched):
    folder = Path("run/checkpoint-500")

    def begin():
        folder.mkdir()
        save_file(trained(), folder / "model.safetensors")

    def go_on():
        with (folder / "optimizer.pt").open("ab") as file:
            file.write(b"x")

    empty = Path("run/checkpoint-1").mkdir
    checkpoints, notices = watched(empty, begin, go_on, go_on, None, go_on, None, None)
    assert (names_of(checkpoints), notices) == ([("checkpoint-500", 500)], [])


@pytest.mark.spec("WCH-3")
def test_a_folder_of_parts_is_tried_again_when_the_missing_part_is_there(watched):
    folder = Path("run/step-3")
    folder.mkdir()
    parts = [folder / f"model-0000{i}-of-00002.safetensors" for i in (1, 2)]
    arrays = trained()
    save_file({"fc1.weight": arrays["fc1.weight"]}, parts[0])

    def add():
        save_file({"fc2.weight": arrays["fc2.weight"]}, parts[1])

    checkpoints, notices = watched(None, None, add, None, None)
    assert names_of(checkpoints) == [("step-3", 3)]
    assert len(checkpoints[0].report.analyzed()) == 2
    assert [notice.count("Put model-00002-of-00002") for notice in notices] == [1]


@pytest.mark.spec("WCH-1")
def test_what_is_no_checkpoint_is_passed_over(watched):
    run = Path("run")
    save_file(trained(), "run/a.safetensors")
    for name in (".hidden", "b.pt.tmp", "c~", "log.txt", "trainer_state.json", "ours.pt"):
        (run / name).write_bytes(b"no weights")
    (run / "last.ckpt").symlink_to("a.safetensors")
    (run / "events.out.tfevents.1.x").touch()
    os.mkfifo(run / "pipe")
    many = run / "many"
    many.mkdir()
    checkpoints, notices = watched(None, None, left_out=["run/ours.pt"])
    assert (names_of(checkpoints), notices) == ([("a.safetensors", None)], [])


@pytest.mark.spec("WCH-1")
def test_a_folder_of_very_many_files_is_not_looked_through(tmp_path, monkeypatch):
    monkeypatch.setattr("htsr_ref.runs.looking.MOST_INSIDE", 3)
    assert MOST_INSIDE == 10_000
    for size in (3, 4):
        (tmp_path / f"{size}").mkdir()
        for place in range(size):
            (tmp_path / f"{size}" / f"{place}").touch()
    assert list(look([str(tmp_path)], {}).names.values()) == ["3"]


@pytest.mark.spec("WCH-3")
def test_a_known_folder_is_looked_into_when_it_has_changed_itself(tmp_path):
    inner = tmp_path / "1" / "inner"
    inner.mkdir(parents=True)
    (inner / "a").write_bytes(b"1")
    first = look([str(tmp_path)], {})
    (inner / "a").write_bytes(b"22")
    assert look([str(tmp_path)], first.found) == first
    assert look([str(tmp_path)], {}) != first
    (tmp_path / "1" / "b").touch()
    assert look([str(tmp_path)], first.found) == look([str(tmp_path)], {}) != first


@pytest.mark.spec("WCH-1")
def test_a_pattern_and_several_places(watched):
    for step in (10, 9):
        Path(f"run/checkpoint-{step}").mkdir()
        save_file(trained(step), f"run/checkpoint-{step}/model.safetensors")
    found, _ = watched(None, None, place="run/checkpoint-*/model.*")
    assert names_of(found) == [(f"checkpoint-{step}/model.safetensors", step) for step in (9, 10)]
    found, _ = watched(
        None, place=["run/checkpoint-9/model.safetensors", Path("run/checkpoint-10")]
    )
    assert [checkpoint.step for checkpoint in found] == [9, 10]


@pytest.mark.spec("WCH-1")
def test_a_place_that_is_gone_is_waited_for(watched):
    def remove():
        shutil.rmtree("run")

    def make():
        Path("run").mkdir()
        save_file(trained(), "run/1.safetensors")

    checkpoints, notices = watched(remove, None, make, None, None, remove, None)
    assert names_of(checkpoints) == [("1.safetensors", 1)]
    gone = "run: it is not there, or cannot be read; waiting for it"
    assert notices == [gone, "run: it is there now", gone]


@pytest.mark.spec("WCH-1")
def test_once_ends_after_two_looks(watched, monkeypatch):
    monkeypatch.setattr("time.sleep", lambda _: None)
    save_file(trained(), "run/1.safetensors")
    assert names_of(htsr_ref.watch("run", once=True)) == [("1.safetensors", 1)]
    notices = []
    with pytest.raises(htsr_ref.HtsrError, match="none: it is not there"):
        list(htsr_ref.watch("none", once=True, notice=notices.append))
    assert notices == []
    with pytest.raises(htsr_ref.HtsrError, match="an address cannot be watched"):
        htsr_ref.watch("s3://bucket/run")


@pytest.mark.spec("WCH-2", "WCH-3")
def test_a_file_that_is_overwritten_counts_again_unless_its_content_is_the_same(watched):
    path = Path("run/last.safetensors")

    def write(seed):
        return lambda: save_file(trained(seed), path)

    checkpoints, _ = watched(
        write(0), None, path.touch, None, lambda: os.utime(path), None, write(1), None, None
    )
    found = [checkpoint.report.model for checkpoint in checkpoints]
    assert found == [htsr_ref.analyze(trained(seed)).model for seed in (0, 1)]


@pytest.mark.spec("WCH-2")
def test_those_that_are_there_come_in_order(watched):
    for step in (100, 9, 20):
        save_file(tensors(step), f"run/step-{step}.safetensors")
    assert [checkpoint.step for checkpoint in watched(None, None)[0]] == [9, 20, 100]


def test_other_options_reach_the_analysis(watched):
    np.savez("run/1.npz", **{"a.weight": np.eye(60), "b.weight": np.eye(70)})
    ((checkpoint,), _) = watched(None, exclude=["b*"], convention="weightwatcher", solver="svd")
    report = checkpoint.report
    assert [layer.name for layer in report.analyzed()] == ["a"]
    assert (report.convention.name, report.solver) == ("weightwatcher-0.7.7", "svd")
    with pytest.raises(htsr_ref.ConventionError):
        htsr_ref.watch("run", "none")


@pytest.mark.spec("WCH-1")
def test_no_place_and_no_interval():
    with pytest.raises(htsr_ref.HtsrError, match="there is no place to watch"):
        htsr_ref.watch([])
    for interval in (-1, math.nan, math.inf):
        with pytest.raises(htsr_ref.HtsrError, match=r"^interval .*: give seconds, from 0"):
            htsr_ref.watch("run", interval=interval)


@pytest.mark.spec("WCH-6")
def test_reports_of_names_that_are_not_utf_8_can_be_read_again(htsr, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("run").mkdir()
    np.save(os.fsdecode(b"run/step-8-\xff.npy"), np.eye(60))
    assert htsr("watch", "run", "--once", "--interval", 0.05, "--reports", "reports").code == 0
    (report,) = map(htsr_ref.Report.load, Path("reports").iterdir())
    assert report.source.name == r"step-8-\udcff.npy"
    assert report.layers[0].tensor == r"step-8-\udcff"
