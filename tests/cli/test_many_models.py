"""Several models: a report each in a folder, whatever becomes of one of them."""

import io
import os
import shlex
from pathlib import Path
from types import SimpleNamespace

import pytest
from commands import trained
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import load_file, save_file

from htsr_ref.analysis import journal
from htsr_ref.analysis.layer_analysis import analyze_layer
from htsr_ref.cli import records
from htsr_ref.cli.report_names import report_names
from htsr_ref.cli.share_of_models import ShareOfModels
from htsr_ref.reports.report import Report


@pytest.fixture
def two(tmp_path, monkeypatch):
    """Two models, a.safetensors and b.safetensors, in the folder that is at hand."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("ab"):
        arrays = trained(seed)
        save_file({key: arrays[key] for key in ("fc1.weight", "fc2.weight")}, f"{name}.safetensors")
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
    for name in "ab":
        assert htsr("analyze", f"{name}.safetensors", "-o", "alone.json").code == 0
        assert (reports / f"{name}.json").read_text() == (reports.parent / "alone.json").read_text()
        model = Report.load("alone.json").model
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
    assert results(done) == {"none": f"failed: {problem}", "a": "written", "b": "written"}
    assert "\n3 models: 2 written, 1 failed.\n" in done.out


@pytest.mark.spec("SCL-14")
def test_nor_does_an_error_that_nobody_foresaw(htsr, two, reports, begun):
    begun.stop = {1: ZeroDivisionError("ours")}
    done = htsr("analyze", *two, "-o", "reports/")
    problem = "it cannot be analyzed (ZeroDivisionError: ours)"
    assert (done.code, done.err) == (2, f"htsr: error: a.safetensors: {problem}\n")
    assert results(done) == {"a": f"failed: {problem}", "b": "written"}


@pytest.mark.spec("SCL-14")
def test_the_exit_code_is_the_worst(htsr, two, reports, broken):
    done = htsr("analyze", two[0], broken, "-o", "reports/")
    assert done.code == 1
    assert done.err.startswith(f"htsr: {broken}: layer skipped: tensor 'fc1.weight'")
    assert results(done) == {"a": "written", "broken": "written; 1 failure"}
    assert cells(done, "broken")[1:3] == ["1", "2"]  # the convolution is below min_dim
    assert htsr("analyze", two[0], broken, "-o", "reports/", "--allow-skipped").code == 0
    gated = htsr(
        "analyze", *two, "-o", "reports/", "--convention", "sdm2020", "--fail-if", "alpha_hat>0"
    )
    assert gated.code == 1
    assert [line.split(": ")[1:3] for line in gated.err.splitlines()] == [
        [file, "check failed"] for file in two
    ]


@pytest.mark.spec("SCL-14")
@pytest.mark.parametrize(("flag", "suffix"), [("--csv", "csv"), ("--markdown", "md")])
def test_other_forms(htsr, two, reports, flag, suffix):
    reports.mkdir()
    assert htsr("analyze", two[0], "-o", "reports", flag).code == 0
    assert (reports / f"a.{suffix}").read_text() == htsr("analyze", two[0], flag).out


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
        (("a.safetensors", "-o", "r/", "--spark"), "--spark draws in the table, and json is"),
        (("a.safetensors", "-o", "r/", "--keep-converted", "k.h5"), "--keep-converted keeps one"),
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
    assert results(htsr("analyze", *two, "-o", "reports/", "--part", "1/2")) == {"a": "written"}
    assert "0 models" in htsr("analyze", *two, "-o", "reports/", "--part", "3/3").out


@pytest.mark.spec("SCL-14")
def test_progress_is_that_over_all_models(tmp_path):
    """Two files, and an address, which counts as much as they do on average and was no work."""
    for name, size in (("b", 10), ("c", 30)):
        (tmp_path / name).write_bytes(bytes(size))
    share, shown = ShareOfModels(["hf://a/a", str(tmp_path / "b"), str(tmp_path / "c")]), []
    for at, name in enumerate("abc"):
        show = share.showing(at, name, lambda *step: shown.append(step))
        show(SimpleNamespace(layer="fc", done=1.0, total=4.0))
        share.end(at, was_work=at > 0)
    assert shown == [("a: fc", 5.0, 60.0), ("b: fc", 2.5, 40.0), ("c: fc", 17.5, 40.0)]


# SCL-15


@pytest.mark.spec("SCL-15")
def test_a_list_of_models(htsr, two, reports, tmp_path):
    lists = tmp_path / "lists"
    lists.mkdir()
    (lists / "of.txt").write_bytes(
        b"\xef\xbb\xbf# two models\r\n\r\n  ../a.safetensors  \n ../[b].safetensors\n#last"
    )
    done = htsr("analyze", "--manifest", "lists/of.txt", "-o", "reports/")
    assert results(done) == {"a": "written", "b": "written"}


@pytest.mark.spec("SCL-15")
def test_a_list_on_standard_input(htsr, two, reports, monkeypatch):
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"b.safetensors\nno*.npy")))
    done = htsr("analyze", "a.safetensors", "--manifest", "-", "-o", "reports/")
    assert list(results(done)) == ["a", "b", "no_"]
    assert done.err.startswith("htsr: error: standard input: line 2: no*.npy: it cannot be read")


@pytest.mark.spec("SCL-15")
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"a.safetensors\n\0\n", "list.txt: line 2: it holds a null byte"),
        ("a.safetensors".encode("utf-16"), "list.txt: line 1: it holds a null byte"),
        (b"# none\n", "list.txt: the list names no model"),
        (b"x" * 21, "list.txt: cannot be read (it is longer than 0 MiB)"),
        (None, "list.txt: cannot be read (No such file or directory)"),
    ],
)
def test_a_list_that_is_none(htsr, two, tmp_path, monkeypatch, content, said):
    monkeypatch.setattr("htsr_ref.text.reading.MOST_BYTES", 20 if content == b"x" * 21 else 2**20)
    if content is not None:
        (tmp_path / "list.txt").write_bytes(content)
    assert refused(htsr("analyze", "--manifest", "list.txt", "-o", "reports/")).startswith(said)


@pytest.mark.spec("SCL-15")
def test_a_model_twice_is_one(htsr, two, tmp_path, reports):
    (tmp_path / "link").symlink_to("a.safetensors")
    done = htsr("analyze", "*.safetensors", two[1], "link", "-o", "reports/")
    assert results(done) == {"a": "written", "b": "written"}
    assert done.err == "htsr: link: given twice; it is counted once\n"


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
    assert htsr("analyze", *two, "-o", "reports/").code == 0
    before = (reports / "a.json").read_text()
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.safetensors").symlink_to(tmp_path / "b.safetensors")
    (tmp_path / "b.safetensors").rename(other / "a")
    (other / "a.safetensors").unlink()
    (other / "a").rename(other / "a.safetensors")
    done = htsr("analyze", other / "a.safetensors", "-o", "reports/")
    assert done.code == 2
    assert done.err == (
        f"htsr: error: reports/a.json: it is the report of {tmp_path / 'a.safetensors'}. Remove "
        "it, or name another folder with -o\n"
    )
    assert (reports / "a.json").read_text() == before
    assert htsr("analyze", two[0], "-o", "reports/").code == 0  # its own


@pytest.mark.spec("SCL-16")
def test_what_is_no_report_is_not_replaced(htsr, two, reports):
    reports.mkdir()
    (reports / "a.json").write_text("{}")
    done = htsr("analyze", *two, "-o", "reports")
    assert results(done) == {
        "a": "failed: reports/a.json: it was not made by such a run. Remove it, or name another "
        "folder with -o",
        "b": "written",
    }
    assert (reports / "a.json").read_text() == "{}"


# SCL-17


@pytest.fixture
def made(htsr, two, reports):
    """Reports of both models, as bytes."""
    assert htsr("analyze", *two, "-o", "reports/").code == 0
    return [(reports / f"{name}.json").read_bytes() for name in "ab"]


def again(htsr, two, *options):
    return htsr("analyze", *two, "-o", "reports/", "--skip-existing", *options)


@pytest.mark.spec("SCL-17")
def test_reports_are_kept(htsr, two, reports, made, begun):
    os.utime(two[0], ns=(1, 1))
    done = again(htsr, two, "--jobs", 2, "--convention", "sdm2020", "--fail-if", "alpha_hat>0")
    assert done.code == 1
    assert begun.layers == []
    assert results(done) == {"a": "kept; 1 failure", "b": "kept; 1 failure"}
    assert [(reports / f"{name}.json").read_bytes() for name in "ab"] == made


def change_a_number(reports):
    arrays = load_file("a.safetensors")
    arrays["fc2.weight"][0, 0] += 1
    status = Path("a.safetensors").stat()
    save_file(arrays, "a.safetensors")
    os.utime("a.safetensors", ns=(status.st_atime_ns, status.st_mtime_ns))


def change_the_report(reports):
    with (reports / "a.json").open("a") as file:
        file.write(" ")


def remove_the_report(reports):
    (reports / "a.json").unlink()


def change_the_record(reports):
    place = reports / records.FOLDER / "a.json"
    place.write_bytes(place.read_bytes().replace(b"sha256", b"sha257"))


def add_settings(reports):
    (reports.parent / "config.json").write_text("{}")


@pytest.mark.spec("SCL-17")
@pytest.mark.parametrize(
    ("change", "options"),
    [
        (change_a_number, ()),
        (change_the_report, ()),
        (remove_the_report, ()),
        (add_settings, ()),
        (None, ("--solver", "svd", "--exclude", "fc2")),
    ],
)
def test_reports_that_would_be_others_are_not(htsr, two, reports, made, change, options):
    if change is not None:
        change(reports)
    done = again(htsr, two[:1], *options)
    assert (done.code, results(done)) == (0, {"a": "written"})
    assert htsr("analyze", two[0], "-o", "alone.json", *options).code == 0
    assert (reports / "a.json").read_bytes() == (reports.parent / "alone.json").read_bytes()


@pytest.mark.spec("SCL-16", "SCL-17")
def test_a_damaged_record_tells_nothing(htsr, two, reports, made):
    change_the_record(reports)
    assert "it was not made by such a run" in again(htsr, two[:1]).err


@pytest.mark.spec("SCL-14", "SCL-17")
@pytest.mark.parametrize(("error", "code"), [(KeyboardInterrupt(), 130), (SystemExit(143), 143)])
def test_the_command_that_goes_on(htsr, two, reports, made, begun, monkeypatch, error, code):
    """The second model is interrupted at its second layer; its first is kept in a journal."""
    monkeypatch.setattr(journal, "PATIENCE", 0.0)
    for path in reports.rglob("*.json"):
        path.unlink()
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
    assert [(reports / f"{name}.json").read_bytes() for name in "ab"] == made
