"""Parts of a model's layers, written apart and put together again."""

import json
import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from htsr_ref import HtsrError, ReportError
from htsr_ref.analysis import journal
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.analysis.parts import Part, merge, places_of
from htsr_ref.text.checked_lines import checked_line, checked_value

SHAPES = {"fc1.weight": (12, 8), "fc1.bias": (12,), "fc2.weight": (9, 8), "fc3.weight": (8, 6)}
"""In the order of their work, the first alone as much as the others."""


@pytest.fixture
def model(tmp_path, monkeypatch):
    """A small model in the folder that is at hand, with a shuffled copy of every matrix asked."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    save_file({name: rng.standard_t(3, shape) for name, shape in SHAPES.items()}, "m.safetensors")
    return tmp_path / "m.safetensors"


@pytest.fixture
def part(htsr, model):
    """Call that writes a part, such as "1/2", and returns its file."""

    def write(text, *options, weights=model):
        out = model.with_name(f"{len(options)}-{text.replace('/', '-')}.part")
        done = htsr("analyze", weights, "--part", text, "-o", out, *options)
        assert (done.code, done.out) == (0, ""), done.err
        return out

    return write


# SCL-18


@pytest.mark.spec("SCL-18")
@given(st.lists(st.integers(0, 50), max_size=12), st.integers(1, 5))
def test_every_layer_is_of_one_part_and_none_has_much_more_work(costs, count):
    """Whoever takes next has least: at the end none is above the mean by more than one layer."""
    parts = [places_of(costs, Part(index, count)) for index in range(1, count + 1)]
    assert sorted(place for part in parts for place in part) == list(range(len(costs)))
    work = [sum(costs[place] for place in part) for part in parts]
    assert max(work) <= sum(costs) / count + max(costs, default=0)


@pytest.mark.spec("SCL-18")
def test_the_costliest_first_of_equal_ones_the_earlier():
    assert places_of([1, 4, 4, 2, 3], Part(1, 2)) == {1, 4}  # 4, 3 against 4, 2, 1
    assert places_of([1, 4, 4, 2, 3], Part(2, 2)) == {0, 2, 3}


@pytest.mark.spec("SCL-18")
@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "a/b", "1/2/3", "-1/2", "1/1234567"])
def test_what_is_no_part(text):
    with pytest.raises(HtsrError, match="give the part and how many there are: 1/8 to 8/8"):
        Part.of(text)


@pytest.mark.spec("SCL-18")
def test_the_lines_of_a_part(part):
    header, *lines = map(checked_value, part("1/2").read_bytes().splitlines(keepends=True))
    assert (header["part"], header["all layers"]) == ({"index": 1, "count": 2}, 4)
    assert header["report"]["layers"] == []
    assert [(line["place"], line["report"]["name"]) for line in lines] == [
        (0, "fc1.bias"),
        (1, "fc1"),
    ]


@pytest.mark.spec("SCL-18")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-o", "r.json"), "--part 1/2 writes a part of the layers. Name its file, such as -o "),
        (("-o", "m.part", "--csv"), "--csv is not for a part of the layers. Leave it out; "),
        (("-o", "m.part", "--dask", "local"), "--dask is not for a part of the layers. "),
    ],
)
def test_options_that_no_part_has(htsr, model, arguments, said):
    done = htsr("analyze", model, "--part", "1/2", *arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"htsr: error: {said}")


@pytest.mark.spec("SCL-18")
def test_a_part_is_resumed(htsr, part, model, monkeypatch):
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    whole, begun = part("2/2"), []

    def analyze(item, *arguments):
        if item.skipped is None:
            begun.append(item.layer.name)
            if len(begun) == 2:
                raise KeyboardInterrupt
        return analyze_layer(item, *arguments)

    monkeypatch.setattr("htsr_ref.analysis.analyzing.analyze_layer", analyze)
    again = model.with_name("again.part")
    words = ("analyze", model, "--part", "2/2", "-o", again, "--resume")
    assert htsr(*words).code == 130
    assert htsr(*words).code == 0
    assert begun == ["fc2", "fc3", "fc3"]
    assert again.read_bytes() == whole.read_bytes()


# SCL-19


@pytest.mark.spec("SCL-18", "SCL-19")
@pytest.mark.parametrize(
    "count", [4, *(pytest.param(count, marks=pytest.mark.slow) for count in (1, 2, 3, 7))]
)
def test_merged_parts_are_the_report_of_an_undivided_run(htsr, part, model, count):
    options = ("--gof", 3, "--seed", 7, "--jobs", 1)
    parts = [part(f"{index}/{count}", *options) for index in range(count, 0, -1)]
    model_at_work = htsr("analyze", model, "-o", "whole.json", *options)
    model.rename("gone")
    assert htsr("merge", *parts, "-o", "merged.json").code == model_at_work.code == 0
    read = model.parent.joinpath
    assert read("merged.json").read_bytes() == read("whole.json").read_bytes()


@pytest.mark.slow
@pytest.mark.spec("SCL-19")
def test_forms_and_gates_are_those_of_an_undivided_run(htsr, part, model):
    parts = [part("1/2"), part("2/2")]
    options = ("--csv", "--per", "layer", "--fail-if", "layer:alpha>0")
    merged, whole = htsr("merge", *parts, *options), htsr("analyze", model, *options)
    assert whole.code == 1
    assert merged == whole


def complaint(*parts):
    with pytest.raises(ReportError) as found:
        merge(parts)
    return str(found.value)


@pytest.mark.spec("SCL-19")
def test_parts_that_are_missing_or_there_twice(part):
    one, two = part("1/3"), part("2/3")
    assert complaint(one, two) == (
        f"{one}: of the 3 parts of its work, part 3 is missing. Give all"
    )
    assert complaint(two) == (
        f"{two}: of the 3 parts of its work, parts 1, 3 are missing. Give all"
    )
    assert complaint(one, two, one) == f"{one}: it is part 1/3, as {one} is. Give one of them"
    with pytest.raises(ReportError, match="give the files of all parts"):
        merge([])


@pytest.mark.spec("SCL-19")
def test_parts_of_other_work(part, model):
    one, end = part("1/2"), "Merge parts of one and the same work"
    other = part("2/3", "--solver", "svd")
    assert complaint(one, other) == (
        f"{other}: it differs from {one} in number of parts, solver. {end}"
    )
    arrays = load_file(model)
    arrays["fc3.weight"][0, 0] += 1
    save_file(arrays, model)
    other = part("2/2")
    assert complaint(one, other) == f"{other}: it differs from {one} in source, weights. {end}"


@pytest.mark.spec("SCL-19")
def test_a_part_of_another_processor_is_not_merged(part):
    one = part("1/2")
    header, rest = one.read_bytes().split(b"\n", 1)
    changed = checked_value(header + b"\n")
    changed["made with"]["linear algebra"] = ["openblas Other"]
    other = one.with_name("other.part")
    other.write_bytes(checked_line(changed) + rest)
    assert f"{other}: it differs from {one} in linear algebra." in complaint(one, other)


@pytest.mark.spec("SCL-19")
def test_a_damaged_part(part):
    one, two = part("1/2"), part("2/2")
    whole = two.read_bytes()
    ends = np.cumsum([len(line) for line in whole.splitlines(keepends=True)])
    rng = np.random.default_rng(0)
    for cut in {0, 3, *ends[:-1], *(ends[:-1] + 1), *rng.integers(0, len(whole), 4)}:
        two.write_bytes(whole[:cut])
        assert complaint(one, two).startswith(f"{two}: it is damaged, or no part. Write it again")
    for at in rng.integers(0, len(whole), 4):
        two.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        assert complaint(one, two).startswith(f"{two}: it is damaged, or no part. Write it again")


@pytest.mark.spec("SCL-19")
def test_what_is_no_part_of_a_report(tmp_path):
    file = tmp_path / "file"
    journal_line = checked_line({"linear algebra": [], "files": []})
    for content, said in [
        (b"", "it is damaged, or no part. Write it again with "),
        (json.dumps({"spec_version": "0.3"}).encode(), "it is damaged, or no part. "),
        (checked_line([1]), "it is damaged, or no part. "),
        (checked_line({"part": 1}), "it is damaged, or no part. "),
        (checked_line({"part": {"index": 1, "count": 1}, "report": {}}), "it is damaged, or no "),
        (journal_line, "it is the journal of a run that was ended. Go on with it by --resume"),
    ]:
        file.write_bytes(content)
        assert complaint(file).startswith(f"{file}: {said}")
    assert complaint(tmp_path / "none") == (
        f"{tmp_path / 'none'}: it cannot be read (No such file or directory). Check the path"
    )


@pytest.mark.spec("SCL-19")
def test_a_part_of_no_such_number(part):
    """Nor are missing parts counted one by one that no work can have."""
    one = part("1/1")
    header, rest = one.read_bytes().split(b"\n", 1)
    for index, count in ((0, 1), (-1, 1), (2, 1), (1, 0), (1, 2**62)):
        changed = checked_value(header + b"\n") | {"part": {"index": index, "count": count}}
        one.write_bytes(checked_line(changed) + rest)
        assert complaint(one).startswith(f"{one}: it is damaged, or no part. ")


@pytest.mark.spec("SCL-19")
def test_the_name_of_a_model_need_not_be_utf_8(htsr, model, part):
    weights = model.rename(model.with_name(os.fsdecode(b"m\xff.safetensors")))
    whole = model.with_name("whole.json")
    assert htsr("analyze", weights, "-o", whole).code == 0
    report = merge([part("1/2", weights=weights), part("2/2", weights=weights)])
    assert report.to_json() == whole.read_text("utf-8")
    assert report.source.name == r"m\udcff.safetensors"


@pytest.mark.spec("SCL-19")
def test_parts_that_do_not_have_all_layers(part):
    """Such are not written, but a file may come from anyone."""
    one = part("1/1")
    lines = [checked_value(line) for line in one.read_bytes().splitlines(keepends=True)]
    for place, count in ((0, 3), (10**18, 4), ("0", 4), (0, 10**18)):
        header = lines[0] | {"its layers": 4 if place else 3, "all layers": count}
        changed = [header, lines[1] | {"place": place}, *lines[2:]]
        one.write_bytes(b"".join(map(checked_line, changed)))
        assert complaint(one).startswith(f"{one}: it")
