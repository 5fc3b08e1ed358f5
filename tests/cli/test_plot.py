"""`--plot`: figures of every command that has them, and of a whole model (FIG-7, FIG-8)."""

import builtins
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from commands import tensors
from figures import HOSTILE, outside, overlaps, texts_of
from safetensors.numpy import save_file

from htsr_ref.audits import SharedSpectra, audit_table, read_table
from htsr_ref.audits.text import mean_path
from htsr_ref.conventions import get_convention
from htsr_ref.plots import waterfall_figure
from htsr_ref.weights import open_weights


def is_svg(path):
    return ET.parse(path).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.spec("FIG-8")
def test_a_folder_has_a_file_for_every_matrix_and_three_of_the_model(htsr, tmp_path):
    rng = np.random.default_rng(0)
    save_file(
        {
            "a.weight": rng.standard_normal((70, 60)),
            "a.bias": np.zeros(70),
            "b": np.zeros((60, 60)),
        },
        tmp_path / "m.safetensors",
    )
    folder = tmp_path / "figures"
    outcome = htsr("analyze", tmp_path / "m.safetensors", "--plot", folder)
    assert outcome.code == 0
    assert outcome.err == f"htsr: 4 figures written to {folder}\n"
    names = sorted(path.name for path in folder.iterdir())
    place = 1 + ["a.bias", "a.weight", "b"].index("a.weight")
    assert names == [
        f"000{place}-a.svg",
        "model-alpha.svg",
        "model-norms.svg",
        "model-spectra.svg",
    ]
    assert all(is_svg(folder / name) for name in names)


@pytest.mark.slow
@pytest.mark.spec("FIG-8", "FIG-3")
def test_hostile_names_stay_in_the_folder(htsr, tmp_path):
    rng = np.random.default_rng(0)
    names = [name for name in (*HOSTILE, "../../x") if "\ud800" not in name]
    weights = {name: rng.standard_normal((60, 50)).astype("f4") for name in names}
    save_file(weights, tmp_path / "m.safetensors")
    command = ("analyze", tmp_path / "m.safetensors", "--null", "shuffle", "--compare")
    assert htsr(*command, "--plot", tmp_path / "figures").code == 0
    assert {path.name for path in tmp_path.iterdir()} == {"m.safetensors", "figures"}
    assert len(list((tmp_path / "figures").iterdir())) == len(names) + 3
    assert all(is_svg(path) for path in (tmp_path / "figures").iterdir())


@pytest.mark.slow
@pytest.mark.spec("FIG-8")
def test_matrices_of_a_layer_have_files_of_their_own(htsr, tmp_path):
    save_file(
        {"conv": np.ones((8, 6, 2, 1)) + np.eye(8, 6)[..., None, None]}, tmp_path / "m.safetensors"
    )
    command = ("analyze", tmp_path / "m.safetensors", "--set", "min_dim=0")
    htsr(*command, "--plot", tmp_path / "f")
    assert {"0001-conv-m0.svg", "0001-conv-m1.svg"} <= {p.name for p in (tmp_path / "f").iterdir()}


@pytest.mark.spec("FIG-8")
def test_a_folder_that_cannot_be_made_is_refused_at_once(htsr, model, tmp_path):
    for folder, words in ((model, "it is not a folder"), (tmp_path / "a" / "b", "no folder")):
        outcome = htsr("analyze", model, "--plot", folder)
        assert (outcome.code, outcome.out) == (2, "")
        assert words in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == [model.name]


@pytest.mark.slow
def test_spectrum_and_diff_draw(htsr, model, tmp_path):
    save_file(tensors(seed=1), tmp_path / "other.safetensors")
    for command in (
        ("spectrum", model, "fc1", "--set", "min_dim=0"),
        ("diff", model, tmp_path / "other.safetensors", "--set", "min_dim=0"),
    ):
        assert htsr(*command, "--plot", tmp_path / "figure.svg").code == 0
        assert is_svg(tmp_path / "figure.svg")
        (tmp_path / "figure.svg").unlink()
        outcome = htsr(*command, "--plot", tmp_path / "figure.docx")
        assert outcome.code == 2
        assert ".png, .svg or .pdf" in outcome.err


def test_without_matplotlib_one_line_says_what_to_install(htsr, model, tmp_path, monkeypatch):
    real = builtins.__import__

    def without(name, *args, **kwargs):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without)
    outcome = htsr("analyze", model, "--plot", tmp_path / "figures")
    assert outcome.code == 2
    assert outcome.err == "htsr: error: plots need matplotlib: pip install 'htsr-ref[plot]'\n"
    assert not (tmp_path / "figures").exists()


@pytest.mark.spec("FIG-7", "FIG-4")
def test_a_waterfall_leads_from_the_papers_number_to_theirs(examples):
    [weights] = [path for path in examples if path.stem == "conv_b008_e020"]
    table = read_table(weights.with_name("conv_b008_e020_weightwatcher.csv"), {})
    theirs = get_convention("weightwatcher")
    report = audit_table(SharedSpectra(open_weights(weights), "auto"), table, theirs)
    figure = waterfall_figure(report)
    axes = figure.axes[0]
    path = mean_path(report)
    first, ours, last = (line.get_xydata()[0] for line in axes.lines[:3])
    assert first[0] == path.start.means[0]
    # The mean of the table's column, read with nothing of ours.
    assert last[0] == pytest.approx(np.mean(_alphas(weights)))
    assert ours[0] == pytest.approx(last[0])
    bars = sum(bar.get_width() for bar in axes.patches)
    assert first[0] + bars == pytest.approx(ours[0])
    assert len(axes.patches) == len(path.choices)
    assert overlaps(figure) == []
    assert outside(figure) == []
    assert any("weightwatcher" in text for text in texts_of(figure))


def _alphas(weights):
    """Column of the table that is called alpha."""
    head, *rows = weights.with_name("conv_b008_e020_weightwatcher.csv").read_text().splitlines()
    place = head.split(",").index("alpha")
    return [float(row.split(",")[place]) for row in rows]
