"""`htsr report`."""

import builtins

import pytest
from commands import tensors
from safetensors.numpy import save_file

from htsr_ref import analyze


@pytest.fixture
def files(tmp_path, monkeypatch):
    """A weight file, and the saved report of another."""
    monkeypatch.chdir(tmp_path)
    save_file(tensors(), "a.safetensors")
    (tmp_path / "b.json").write_text(analyze(tensors(1)).to_json(), encoding="utf-8")
    return tmp_path


@pytest.mark.spec("PAG-7")
def test_weights_and_reports_become_one_page(htsr, files):
    outcome = htsr("report", "a.safetensors", "b.json", "--set", "min_dim=0", "-o", "page.html")
    assert outcome.code == 2
    assert "b.json: it follows sdm2020, not sdm2020 with min_dim = 0" in outcome.err
    assert htsr("report", "a.safetensors", "b.json", "-o", "page.html").code == 0
    page = (files / "page.html").read_text(encoding="utf-8")
    assert "a thinned part is in this page" in page
    assert "a saved report holds none" in page
    again = htsr("report", "a.safetensors", "b.json")
    assert (again.code, again.out) == (0, page)


@pytest.mark.spec("PAG-7")
def test_one_bad_file_does_not_stop_the_others(htsr, files):
    (files / "bad.json").write_text("{}", encoding="utf-8")
    outcome = htsr("report", "bad.json", "b.json", "-o", "page.html")
    assert outcome.code == 2
    assert outcome.err.startswith("htsr: error: bad.json: not a report")
    assert (files / "page.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.spec("PAG-7")
def test_files_of_one_name_are_called_as_they_were_given(htsr, files):
    (files / "other").mkdir()
    save_file(tensors(2), "other/a.safetensors")
    page = htsr("report", "a.safetensors", "other/a.safetensors").out
    assert "<bdi>other/a.safetensors</bdi>" in page
    assert "<bdi>a.safetensors</bdi>" in page


@pytest.mark.spec("PAG-7")
@pytest.mark.parametrize("name", ["page.json", "page.md", "page.pdf"])
def test_a_page_is_html(htsr, files, name):
    outcome = htsr("report", "b.json", "-o", name)
    assert (outcome.code, outcome.err) == (
        2,
        f"htsr: error: {name}: a page is HTML. Name it .html\n",
    )


@pytest.mark.spec("PAG-7")
def test_a_terminal_gets_no_page(htsr, files, monkeypatch):
    monkeypatch.setattr("sys.stdout.isatty", lambda: True)
    outcome = htsr("report", "b.json")
    assert (outcome.code, outcome.out) == (2, "")
    assert "-o page.html" in outcome.err


@pytest.mark.spec("PAG-7")
def test_without_jinja_one_line_says_what_to_do(htsr, files, monkeypatch):
    load = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "jinja2":
            raise ImportError(name)
        return load(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    outcome = htsr("report", "a.safetensors", "-o", "page.html")
    assert outcome.code == 2
    assert outcome.err == "htsr: error: a page needs Jinja2: pip install 'htsr-ref[report]'\n"
    assert not (files / "page.html").exists()
