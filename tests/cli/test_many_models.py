"""Several models: a report each in a folder, whatever becomes of one of them."""

import io
import os
import re
import shlex
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from htsr_ref.analysis import journal
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.cli import records
from htsr_ref.cli.models_progress import ModelsProgress
from htsr_ref.cli.report_names import report_names
from htsr_ref.cli.resuming import go_on
from htsr_ref.cli.sources import Given, given_models
from htsr_ref.errors import HtsrError
from htsr_ref.reports.report import Report
from htsr_ref.weights import open_weights


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two models of two layers, a.safetensors and b.safetensors, in the folder that is at hand."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in "ab":
        layers = {key: rng.standard_t(3, (12, 8)) for key in ("fc1.weight", "fc2.weight")}
        save_file(layers, f"{name}.safetensors")
    return "a.safetensors", "b.safetensors"


@pytest.fixture
def reports(tmp_path):
    """The folder of the reports, which is not there yet."""
    return tmp_path / "reports"


@pytest.fixture
def begun(monkeypatch):
    """Names of layers that are analyzed; what `stop` says of one is raised instead."""
    seen = SimpleNamespace(layers=[], stop={})

    def analyze(item, *arguments):
        seen.layers.append(item.layer.name)
        if (error := seen.stop.get(len(seen.layers))) is not None:
            raise error
        return analyze_layer(item, *arguments)

    monkeypatch.setattr("htsr_ref.analysis.analyzing.analyze_layer", analyze)
    return seen


def cells(outcome, name):
    """Cells of a model's row in the table."""
    [line] = [line for line in outcome.out.splitlines() if line.startswith(f"{name} ")]
    return line.split(maxsplit=9)


def results(outcome):
    """What came of each model, by the name of its report."""
    rows = outcome.out.split("\n\n")[0].splitlines()[2:]
    return {line.split()[0]: line.split(maxsplit=9)[9] for line in rows}


def refused(outcome):
    """The only line that a refused command says."""
    assert (outcome.code, outcome.out) == (2, "")
    [line] = outcome.err.splitlines()
    return line.removeprefix("htsr: error: ")


# SCL-14


@pytest.mark.spec("SCL-14")
def test_each_report_is_that_of_the_model_alone(htsr, two, reports):
    done = htsr("analyze", *two, "-o", "reports/")
    assert (done.code, done.err) == (0, "")
    assert (reports / "b.json").read_text() == htsr("analyze", two[1], "--json").out
    for name in "ab":
        model = Report.load(reports / f"{name}.json").model
        found = cells(done, name)
        assert found[1:5] == ["2", "0", f"{model.alpha_hat:.3f}", f"{model.mean_alpha:.3f}"]
        assert sum(map(int, found[5:9])) == model.matrices == 2
        assert found[9] == "written"
    assert sorted(path.name for path in reports.iterdir()) == [".htsr", "a.json", "b.json"]
    assert "\n2 models: 2 written.\n" in done.out
    assert "\nConvention sdm2020.\n" in done.out


@pytest.mark.spec("SCL-14")
def test_a_failure_stops_no_other_model(htsr, two, reports):
    done = htsr("analyze", "none.npy", *two, "-o", "reports/")
    problem = "it cannot be read (No such file or directory). Check the path"
    assert done.code == 2
    assert done.err == f"htsr: error: none.npy: {problem}\n"
    assert results(done) == {"none": "failed", "a": "written", "b": "written"}
    assert f"\n\nnone: {problem}\n\n" in done.out
    assert "\n3 models: 2 written, 1 failed.\n" in done.out


@pytest.mark.spec("SCL-14")
def test_nor_does_an_error_that_nobody_foresaw(htsr, two, reports, begun):
    begun.stop = {1: ZeroDivisionError("ours")}
    done = htsr("analyze", *two, "-o", "reports/")
    problem = "it cannot be analyzed (ZeroDivisionError: ours)"
    assert (done.code, done.err) == (2, f"htsr: error: a.safetensors: {problem}\n")
    assert results(done) == {"a": "failed", "b": "written"}


@pytest.mark.spec("SCL-14")
def test_the_exit_code_is_the_worst(htsr, two, reports, broken):
    done = htsr("analyze", two[0], broken, "-o", "reports/")
    assert done.code == 1
    assert done.err.startswith(f"htsr: {broken}: layer skipped: tensor 'fc1.weight'")
    assert results(done) == {"a": "written", "broken": "written; 1 failure"}
    assert cells(done, "broken")[1:3] == ["1", "2"]  # the convolution is below min_dim


@pytest.mark.spec("SCL-14")
@pytest.mark.slow
def test_gates_are_those_of_each_model(htsr, two, reports, broken):
    assert htsr("analyze", two[0], broken, "-o", "reports/", "--allow-skipped").code == 0
    gate = ("--convention", "sdm2020", "--fail-if", "layer:alpha>0")
    gated = htsr("analyze", *two, "-o", "reports/", *gate)
    assert gated.code == 1
    assert [line.split(": ")[1:3] for line in gated.err.splitlines()] == [
        [file, "check failed"] for file in two
    ]


@pytest.mark.slow
@pytest.mark.spec("SCL-14")
def test_another_form_in_a_folder_that_is_there(htsr, two, reports):
    reports.mkdir()
    assert htsr("analyze", two[0], "-o", "reports", "--csv").code == 0
    assert (reports / "a.csv").read_text() == htsr("analyze", two[0], "--csv").out


@pytest.mark.spec("SCL-14")
@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.safetensors", "b.safetensors"), "2 models are given, and each gets a report of its "),
        (
            ("[ab].safetensors", "-o", "r"),
            "2 models are given, and each gets a report of its own. ",
        ),
        (("a.safetensors", "-o", "no/reports/"), "no/reports: there is no folder no. Create it"),
        (("a.safetensors", "-o", "b.safetensors/"), "b.safetensors: it is a file. Name a folder"),
        (("a.safetensors", "-o", "r/", "--part", "1/2"), "--part with a folder shares several"),
        (("a.safetensors", "--skip-existing"), "--skip-existing keeps reports in a folder."),
        (
            ("a.safetensors", "-o", "r/", "--csv", "--skip-existing"),
            "--skip-existing compares JSON",
        ),
        ((), "no model is given. Usage: `htsr analyze --help` shows it"),
    ],
)
def test_what_is_refused_at_once(htsr, two, tmp_path, arguments, said):
    before = sorted(tmp_path.iterdir())
    assert refused(htsr("analyze", *arguments)).startswith(said)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.spec("SCL-14", "SCL-18")
def test_parts_share_the_models_out(htsr, two, reports):
    assert results(htsr("analyze", *two, two[0], "-o", "reports/", "--part", "2/2")) == {
        "b": "written"
    }
    assert "0 models" in htsr("analyze", *two, "-o", "reports/", "--part", "3/3").out


@pytest.mark.spec("SCL-14")
def test_progress_is_that_over_all_models(tmp_path):
    """Two files, and an address, which counts as much as they do on average and was no work."""
    for name, size in (("b", 10), ("c", 30)):
        (tmp_path / name).write_bytes(bytes(size))
    progress, shown = ModelsProgress(["hf://a/a", str(tmp_path / "b"), str(tmp_path / "c")]), []
    for at, name in enumerate("abc"):
        show = progress.showing(at, name, lambda *step: shown.append(step))
        show(SimpleNamespace(layer="fc", done=1.0, total=4.0))
        progress.end(at, was_work=at > 0)
    assert shown == [("a: fc", 5.0, 60.0), ("b: fc", 2.5, 40.0), ("c: fc", 17.5, 40.0)]


# SCL-15


@pytest.mark.spec("SCL-15")
def test_a_list_of_models(htsr, two, reports, tmp_path):
    lists = tmp_path / "[lists]"
    lists.mkdir()
    (lists / "of.txt").write_bytes(
        b"\xef\xbb\xbf# two models\r\n\r\n  ../a.safetensors  \n ../[b].safetensors\n#last\nno*.npy"
    )
    done = htsr("analyze", "--manifest", "[lists]/of.txt", "-o", "reports/")
    assert results(done)["a"] == results(done)["b"] == "written"
    assert done.err == (
        "htsr: error: [lists]/of.txt: line 6: [lists]/no*.npy: it cannot be read (No such file or "
        "directory). Check the path\n"
    )


@pytest.mark.spec("SCL-15")
def test_a_list_on_standard_input(two, monkeypatch):
    listed = b"b.safetensors\nhf://org/model\n/there/*.npy"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(listed)))
    assert given_models(["a.safetensors"], "-") == [
        Given("a.safetensors"),
        Given("b.safetensors", "standard input: line 1"),
        Given("hf://org/model", "standard input: line 2"),
        Given("/there/*.npy", "standard input: line 3"),
    ]


@pytest.mark.spec("SCL-15")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a.safetensors\n\0\n", "line 2: it holds a null byte"),
        ("a.safetensors".encode("utf-16"), "line 1: it holds a null byte"),
        (b"# none\n", "the list names no model"),
        (b"x" * 31, "cannot be read (it is longer than 0 MiB)"),
        (None, "cannot be read (No such file or directory)"),
    ],
)
def test_a_list_that_is_none(tmp_path, monkeypatch, content, said):
    monkeypatch.setattr("htsr_ref.text.reading.MOST_BYTES", 30)
    path = tmp_path / "list.txt"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(HtsrError, match=re.escape(f"{path}: {said}")):
        given_models(["a.safetensors"] * (said != "the list names no model"), str(path))


@pytest.mark.spec("SCL-15")
def test_a_model_twice_is_one(two, tmp_path, capsys):
    (tmp_path / "link").symlink_to("a.safetensors")
    found = given_models(["*.safetensors", two[1], "**/link"], None)
    assert [model.file for model in found] == [*two]
    assert capsys.readouterr().err == "htsr: link: given twice; it is counted once\n"


@pytest.mark.spec("SCL-15")
def test_a_folder_is_one_model(htsr, two, tmp_path, reports):
    done = htsr("analyze", tmp_path, two[0], "-o", "reports/")
    assert done.code == 2
    assert "the folder has several models (a.safetensors, b.safetensors)" in done.err
    assert "htsr analyze 'FOLDER/*.safetensors' -o reports/" in done.err
    assert list(results(done).values())[1] == "written"


# SCL-16


@pytest.mark.spec("SCL-16")
@pytest.mark.parametrize(
    ("files", "names"),
    [
        (["x/a.npz", "x/b.c.h5"], ["a", "b.c"]),
        (["x/a.npz", "x/a.h5"], ["a.npz", "a.h5"]),
        (["x/1/a.h5", "x/2/a.h5", "y/2/a.h5"], ["1-a.h5", "x-2-a.h5", "y-2-a.h5"]),
        (["/a.h5", "/A.h5"], ["a.h5", "A.h5-2"]),
        (["hf://org/one", "https://h/one.st?key=1"], ["one", "one.st"]),
        (["https://h/a%3A b:c"], ["a%3A b_c"]),
    ],
)
def test_names(files, names):
    assert report_names(files) == names


@pytest.mark.spec("SCL-16")
@given(st.lists(st.text("aA.-2/", min_size=1, max_size=8), unique=True, max_size=8))
def test_no_two_names_are_equal(files):
    names = report_names(files)
    assert len({name.casefold() for name in names}) == len(files)
    assert not any("/" in name for name in names)


@pytest.mark.spec("SCL-16")
def test_the_report_of_another_model_is_not_replaced(htsr, two, reports, tmp_path):
    assert htsr("analyze", two[0], "-o", "reports/").code == 0
    before = (reports / "a.json").read_text()
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / two[1]).rename(other / "a.safetensors")
    done = htsr("analyze", other / "a.safetensors", "-o", "reports/")
    assert done.code == 2
    assert done.err == (
        f"htsr: error: reports/a.json: it is the report of {tmp_path / 'a.safetensors'}. Remove "
        "it, or name another folder with -o\n"
    )
    assert (reports / "a.json").read_text() == before


@pytest.mark.spec("SCL-16")
def test_what_is_no_report_is_not_replaced(htsr, two, reports):
    reports.mkdir()
    (reports / "a.json").write_text("{}")
    done = htsr("analyze", *two, "-o", "reports")
    assert results(done) == {"a": "failed", "b": "written"}
    assert (
        "\na: reports/a.json: it was not made by such a run. Remove it, or name another" in done.out
    )
    assert (reports / "a.json").read_text() == "{}"


# SCL-17


@pytest.fixture
def made(htsr, two, reports):
    """The report of the first model, as bytes."""
    assert htsr("analyze", two[0], "-o", "reports/").code == 0
    return (reports / "a.json").read_bytes()


def again(htsr, two, *options):
    return htsr("analyze", *two, "-o", "reports/", "--skip-existing", *options)


@pytest.mark.spec("SCL-17")
def test_reports_are_kept(htsr, two, reports, made, begun):
    os.utime(two[0], ns=(1, 1))
    done = again(htsr, two, "--jobs", 2, "--convention", "sdm2020", "--fail-if", "layer:alpha>0")
    assert done.code == 1
    assert begun.layers == ["fc1", "fc2"]  # those of the second
    assert results(done) == {"a": "kept; 1 failure", "b": "written; 1 failure"}
    assert (reports / "a.json").read_bytes() == made


@pytest.mark.spec("SCL-17")
def test_reports_that_are_not_as_they_were_are_written_again(htsr, two, reports, made):
    report, settings = reports / "a.json", reports.parent / "config.json"
    for change in (
        lambda: report.write_bytes(made + b" "),
        lambda: settings.write_text("{}"),
    ):
        change()
        assert results(again(htsr, two[:1])) == {"a": "written"}
        assert report.read_bytes() == made


@pytest.mark.spec("SCL-17")
def test_weights_of_other_numbers_are_analyzed(htsr, two, reports, made):
    path = Path(two[0])
    status, arrays = path.stat(), load_file(path)
    arrays["fc2.weight"][0, 0] += 1
    save_file(arrays, path)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert path.stat().st_size == status.st_size
    assert results(again(htsr, two[:1])) == {"a": "written"}
    assert (reports / "a.json").read_bytes() != made


@pytest.mark.spec("SCL-17")
@pytest.mark.parametrize(
    "options",
    [
        ("--exclude", "fc2"),
        *(
            pytest.param(options, marks=pytest.mark.slow)
            for options in [
                ("--solver", "svd"),
                ("--set", "min_dim=9"),
                ("--compare",),
                ("--null", "shuffle"),
                ("--blas-threads", 2),
                ("--include", "fc*", "--exclude", "fc1"),
            ]
        ),
    ],
)
def test_other_choices_make_another_report(htsr, two, reports, made, options):
    assert results(again(htsr, two[:1], *options)) == {"a": "written"}
    assert (reports / "a.json").read_text() == htsr("analyze", two[0], "--json", *options).out


@pytest.mark.slow
@pytest.mark.spec("SCL-17")
def test_a_report_that_memory_was_lacking_for_is_not_kept(htsr, two, reports):
    for _ in range(2):
        assert results(again(htsr, two[:1], "--max-memory", "1K"))["a"].startswith("written")
    assert results(again(htsr, two[:1])) == {"a": "written"}


@pytest.mark.slow
@pytest.mark.spec("SCL-17")
def test_a_report_without_a_digest_is_not_kept(htsr, two, reports):
    for _ in range(2):
        assert results(again(htsr, two[:1], "--no-digest")) == {"a": "written"}


@pytest.mark.spec("SCL-16", "SCL-17")
def test_a_damaged_record_tells_nothing(htsr, two, reports, made):
    place = reports / records.FOLDER / "a.json"
    place.write_bytes(place.read_bytes().replace(b"solver", b"solves"))
    assert "it was not made by such a run" in again(htsr, two[:1]).err


@pytest.mark.spec("SCL-17")
def test_the_command_that_goes_on_has_its_flags_before_names_that_begin_with_a_dash(monkeypatch):
    words = ["htsr", "analyze", "--resume", "-o", "r/", "--", "--resume", "-a.npz"]
    monkeypatch.setattr("sys.argv", words)
    assert go_on("--resume") == "Go on with: htsr analyze -o r/ --resume -- --resume -a.npz"


@pytest.mark.spec("SCL-14", "SCL-17")
@pytest.mark.parametrize(
    ("error", "code"),
    [(KeyboardInterrupt(), 130), pytest.param(SystemExit(143), 143, marks=pytest.mark.slow)],
)
def test_the_command_that_goes_on(htsr, two, reports, begun, monkeypatch, error, code):
    """The second model is interrupted at its second layer; its first is kept in a journal."""
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    begun.stop = {4: error}
    done = htsr("analyze", *two, "-o", "reports/")
    assert (done.code, done.out) == (code, "")
    command = "htsr analyze a.safetensors b.safetensors -o reports/ --skip-existing --resume"
    assert done.err.splitlines()[:2] == [
        f"htsr: 1 finished layer kept in {reports / 'b.json.journal'}",
        f"htsr: 1 of 2 models done, with reports in reports. Go on with: {command}",
    ]
    done = htsr(*shlex.split(command)[1:])
    assert results(done) == {"a": "kept", "b": "written"}
    assert begun.layers[4:] == ["fc2"]
    assert (reports / "b.json").read_text() == htsr("analyze", two[1], "--json").out


@pytest.mark.spec("SCL-16", "SCL-17")
def test_a_report_of_a_name_that_is_not_utf_8_is_kept(htsr, two, reports):
    name = os.fsdecode(b"a\xff.safetensors")
    Path(two[0]).rename(name)
    words = ("analyze", name, "-o", "reports/", "--skip-existing")
    assert htsr(*words).code == 0
    kept = htsr(*words)
    assert (kept.code, kept.err) == (0, "")
    assert kept.out.splitlines()[2].endswith("kept")
    assert Report.load(reports / os.fsdecode(b"a\xff.json")).source.name == r"a\udcff.safetensors"


@pytest.mark.spec("SCL-17")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_record_that_is_a_pipe_is_not_waited_for(htsr, two, made):
    record = Path("reports", records.FOLDER, "a.json")
    record.unlink()
    os.mkfifo(record)
    done = again(htsr, two[:1])
    assert done.code == 2
    assert "it was not made by such a run. Remove it" in done.err


@pytest.mark.spec("SCL-17")
@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
def test_a_report_that_is_a_pipe_is_not_waited_for(two, made, reports):
    report = reports / "a.json"
    report.unlink()
    os.mkfifo(report)
    assert not records.is_made(report, open_weights(two[0]), {})


@pytest.mark.spec("SCL-17")
def test_a_report_that_was_never_seen_is_not_kept(htsr, two, made, reports, monkeypatch):
    """It may vanish before its digest is taken."""
    with monkeypatch.context() as vanishing:
        vanishing.setattr(records, "_digest", lambda out: None)
        assert again(htsr, two[:1]).code == 0
    (reports / "a.json").unlink()
    assert again(htsr, two[:1]).code == 0
    assert (reports / "a.json").read_bytes() == made
