"""Audits of WeightWatcher 0.7.7's tables of real modules: tests/peers/weightwatcher_models.py."""

import csv
import json
from pathlib import Path
from types import ModuleType

import gguf_files
import pytest
import pytorch
from audits import audited, verdicts
from conversions import convert

from htsr_ref import analyze
from htsr_ref.audit.audit_report import AuditReport
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.reports.columns import weightwatcher_rows
from htsr_ref.weights import Weights, open_weights

FIXTURES = Path(__file__).parents[1] / "peers" / "fixtures" / "weightwatcher"
SUMMARIES = json.loads((FIXTURES / "summaries.json").read_text(encoding="utf-8"))
WW = CONVENTIONS["weightwatcher"]
CONVERTERS: dict[str, ModuleType] = {".pt": pytorch, ".gguf": gguf_files}


def opened(form: str, folder: Path) -> Weights:
    """A model as it is, or through the converter of its format."""
    source = FIXTURES / form
    if source.suffix not in CONVERTERS:
        return open_weights(source)
    run = convert(CONVERTERS[source.suffix], source, "-o", folder / "model.safetensors")
    assert run.code == 0, run.err
    return open_weights(folder / "model.safetensors")


def audit_of(form: str, table: str, folder: Path) -> AuditReport:
    return audited(opened(form, folder), FIXTURES / f"{table}.csv", WW)


def how(found: AuditReport) -> dict[str, str | None]:
    """How each row was matched, by its place."""
    return {layer.rows[0].place: layer.matched_by for layer in found.layers}


GPT2_FORMS = ["gpt2", "gpt2.gguf", "gpt2.pt"]


@pytest.mark.spec("AUD-2", "AUD-4", "AUD-7", "CNV-12")
@pytest.mark.parametrize("form", GPT2_FORMS)
@pytest.mark.parametrize("table", ["gpt2", "gpt2-state-dict"])
def test_gpt2_is_reproduced_in_every_form(tmp_path, form, table):
    found = audit_of(form, table, tmp_path)
    assert verdicts(found) == {"reproduced": 11 * 24}
    assert found.digits >= 12
    assert found.layers_alone == ()


@pytest.mark.spec("AUD-5")
def test_a_layer_that_the_file_cuts_is_a_row_with_its_reason(tmp_path):
    opened("gpt2.pt", tmp_path)
    thirds = [{"name": name, "size": 32} for name in "qkv"]
    cut = {"*c_attn.weight": {"parts": thirds}}
    weights = open_weights(tmp_path / "model.safetensors", cut)
    split = WW.override({"fused": "split"})
    found = audited(weights, FIXTURES / "gpt2.csv", split)
    assert verdicts(found) == {"reproduced": 9 * 24, "explained": 2 * 24}
    reasons = {layer.name: layer.rows[0].reason for layer in found.layers if not layer.matched_by}
    assert reasons == {
        f"transformer.h.{i}.attn.c_attn": "it is 96×32, which no matrix of the layer "
        f"transformer.h.{i}.attn.c_attn (96×32, cut into q, k, v) is"
        for i in range(2)
    }


@pytest.mark.spec("AUD-4", "AUD-7")
def test_gpt2_whose_projections_are_whole_is_reproduced(tmp_path):
    opened("gpt2.pt", tmp_path)
    whole = {"*c_attn.weight": {"parts": [{"name": "qkv", "size": 96}]}}
    weights = open_weights(tmp_path / "model.safetensors", whole)
    found = audited(weights, FIXTURES / "gpt2.csv", WW)
    assert verdicts(found) == {"reproduced": 11 * 24}
    assert how(found)["line 12"] == "name"


@pytest.mark.spec("AUD-4")
def test_how_the_layers_of_gpt2_are_found(tmp_path):
    named = audit_of("gpt2", "gpt2", tmp_path)
    assert how(named) == {f"line {i}": "name" for i in range(2, 12)} | {"line 12": "tied"}
    names = {layer.rows[0].place: layer.name for layer in named.layers}
    assert names["line 12"] == names["line 2"] == "transformer.wte"
    # GGUF calls all layers otherwise; c_fc and c_proj of both blocks are four of one shape.
    nameless = audit_of("gpt2.gguf", "gpt2", tmp_path)
    names = {layer.rows[0].place: (layer.name, layer.matched_by) for layer in nameless.layers}
    assert names == {
        "line 2": ("token_embd", "shape"),
        "line 3": ("position_embd", "shape"),
        "line 4": ("blk.0.attn_qkv", "norm"),
        "line 5": ("blk.0.attn_output", "norm"),
        "line 6": ("blk.0.ffn_up", "norm"),
        "line 7": ("blk.0.ffn_down", "norm"),
        "line 8": ("blk.1.attn_qkv", "norm"),
        "line 9": ("blk.1.attn_output", "norm"),
        "line 10": ("blk.1.ffn_up", "norm"),
        "line 11": ("blk.1.ffn_down", "norm"),
        "line 12": ("token_embd", "tied"),
    }


@pytest.mark.spec("AUD-4", "AUD-5", "AUD-8")
@pytest.mark.parametrize("form", ["net.safetensors", "net.pt"])
def test_modules_that_it_passes_over_have_no_row(tmp_path, form):
    found = audit_of(form, "net", tmp_path)
    assert verdicts(found) == {"reproduced": 5 * 24 - 1, "known fault": 1}
    assert {layer.name: layer.reason is None for layer in found.layers_alone} == {
        "attn.in_proj_weight": False,
        "conv1d": False,
        "lstm.weight_hh_l0": False,
        "lstm.weight_ih_l0": False,
        "up": False,
    }
    # The head is in the file by name, as a tie to the embedding.
    assert how(found) == {f"line {i}": "name" for i in range(2, 7)}


@pytest.mark.spec("AUD-2", "AUD-12")
def test_slices_that_are_not_pooled_are_explained(tmp_path):
    found = audit_of("net.safetensors", "net-unpooled", tmp_path)
    assert found.dialect == "WeightWatcher"
    assert verdicts(found).keys() == {"reproduced", "explained"}
    assert found.explanation.changes == {"conv": "slices", "orientation": "tall"}


@pytest.mark.spec("AUD-4", "AUD-12")
def test_a_state_dict_takes_a_transposed_convolution_for_a_convolution(tmp_path):
    found = audit_of("net.pt", "net-state-dict", tmp_path)
    assert "unexplained" not in verdicts(found)
    names = [layer.name for layer in found.layers]
    assert sorted(names) == ["attn.out_proj", "conv2d", "embed", "fc", "head", "twice", "up"]


@pytest.mark.spec("RPT-8")
def test_layer_types_and_summary():
    report = analyze(FIXTURES / "net.safetensors", WW, solver="svd")
    with (FIXTURES / "net.csv").open(encoding="utf-8", newline="") as file:
        theirs = {row["longname"]: row["layer_type"] for row in csv.DictReader(file)}
    rows = {row["longname"]: row for row in weightwatcher_rows(report)}
    assert theirs.pop("head") == "dense"  # The embedding again, which the file holds once.
    assert {name: rows[name]["layer_type"] for name in theirs} == theirs
    assert rows["conv1d"]["layer_type"] == "conv1d"
    # Its summary counts the head as well and passes over the rest: RPT-8 of those rows alone.
    counted = [*theirs, "embed"]
    for column, theirs_mean in SUMMARIES["net"].items():
        mean = sum(rows[name][column] for name in counted) / len(counted)
        assert mean == pytest.approx(theirs_mean, rel=1e-10)
