"""Figures as files: the same bytes, nothing of the user's settings touched, safe names (FIG-1)."""

import builtins
from dataclasses import replace
from pathlib import PurePosixPath, PureWindowsPath

import matplotlib as mpl
import numpy as np
import pytest
from figures import HOSTILE

from htsr_ref.analysis.tail_view import TailView
from htsr_ref.errors import HtsrError
from htsr_ref.plots import alpha_by_depth, save_figure, survival_figure
from htsr_ref.plots.folder import file_name

VIEW = TailView(np.geomspace(1, 100, 20))


def figure():
    return survival_figure(VIEW, "title")


@pytest.mark.spec("FIG-1")
@pytest.mark.parametrize(
    "form",
    [
        "svg",
        pytest.param("png", marks=pytest.mark.slow),
        pytest.param("pdf", marks=pytest.mark.slow),
    ],
)
def test_the_same_figure_gives_the_same_bytes_whatever_the_settings(tmp_path, form):
    save_figure(figure(), tmp_path / f"a.{form}")
    settings = {"font.size": 20, "text.usetex": True, "axes.facecolor": "red", "svg.hashsalt": "x"}
    with mpl.rc_context(settings):
        before = dict(mpl.rcParams)
        drawn = figure()
        save_figure(drawn, tmp_path / f"b.{form}")
        assert dict(mpl.rcParams) == before
    assert (tmp_path / f"a.{form}").read_bytes() == (tmp_path / f"b.{form}").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{form}", f"b.{form}"]


@pytest.mark.slow
@pytest.mark.spec("FIG-1")
def test_no_file_has_a_date(tmp_path):
    for form in ("svg", "pdf"):
        save_figure(figure(), tmp_path / f"a.{form}")
        data = (tmp_path / f"a.{form}").read_bytes()
        assert b"dc:date" not in data
        assert b"CreationDate" not in data


def test_an_unknown_form_is_refused(tmp_path):
    with pytest.raises(HtsrError, match=r"\.png, \.svg or \.pdf"):
        save_figure(figure(), tmp_path / "figure.docx")


def test_a_file_that_cannot_be_written_is_named(tmp_path):
    with pytest.raises(HtsrError, match="there is no folder"):
        save_figure(figure(), tmp_path / "nowhere" / "figure.svg")


def test_without_matplotlib_the_cure_is_named(monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(HtsrError, match=r"pip install 'htsr-ref\[plot\]'"):
        figure()


@pytest.mark.spec("FIG-8")
@pytest.mark.parametrize("name", [*HOSTILE, "../../etc/passwd", "a/b\\c:d", "CON", ""])
def test_names_of_files_are_safe(model, name):
    layer = replace(model.report.layers[0], name=name)
    found = file_name(7, layer, layer.matrices[0])
    assert found.isascii()
    assert found.isprintable()
    assert PurePosixPath(found).name == PureWindowsPath(found).name == found
    assert found.startswith("0008-")
    assert found.endswith(".svg")
    assert len(found) < 100
    several = replace(layer, matrices=(layer.matrices[0],) * 2)
    assert file_name(7, several, replace(layer.matrices[0], index=1)) != found


@pytest.mark.slow
@pytest.mark.spec("FIG-3")
def test_svg_of_hostile_names_is_well_formed(hostile_report, tmp_path):
    from xml.etree import ElementTree as ET

    save_figure(alpha_by_depth(hostile_report), tmp_path / "a.svg")
    assert ET.parse(tmp_path / "a.svg").getroot().tag.endswith("svg")
