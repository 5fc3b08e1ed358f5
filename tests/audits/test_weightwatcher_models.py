"""Audits of WeightWatcher 0.7.7's tables of real modules: tests/peers/weightwatcher_models.py."""

import csv
import json
from pathlib import Path
from types import ModuleType

import gguf_files
import pytest
import pytorch
from audit_tables import audited, verdicts
from conversions import convert

from htsr_ref import Report, analyze
from htsr_ref.audits.audit_report import AuditReport
from htsr_ref.conventions import CONVENTIONS
from htsr_ref.reports.columns import weightwatcher_rows
from htsr_ref.weights import Weights, open_weights, select

FIXTURES = Path(__file__).parents[1] / "peers" / "fixtures" / "weightwatcher"
SUMMARIES = json.loads((FIXTURES / "summaries.json").read_text(encoding="utf-8"))
WW = CONVENTIONS["weightwatcher-0.7.7"]
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
@pytest.mark.parametrize("table", ["gpt2", pytest.param("gpt2-state-dict", marks=pytest.mark.slow)])
def test_gpt2_is_reproduced_in_every_form(tmp_path, form, table):
    found = audit_of(form, table, tmp_path)
    assert verdicts(found) == {"reproduced": 11 * 24}
    assert found.digits >= 12
    assert found.layers_alone == ()


@pytest.mark.slow
@pytest.mark.spec("AUD-5", "AUD-12")
def test_a_projection_that_a_convention_cuts_is_explained(tmp_path):
    split = WW.override({"fused": "split"})
    found = audited(opened("gpt2.pt", tmp_path), FIXTURES / "gpt2.csv", split)
    assert "unexplained" not in verdicts(found)
    assert found.explanation.changes == {"fused": "whole"}


@pytest.mark.spec("AUD-4")
def test_how_the_layers_of_gpt2_are_found(tmp_path):
    named = audit_of("gpt2", "gpt2", tmp_path)
    assert how(named) == {f"line {i}": "name" for i in range(2, 13)}
    names = {layer.rows[0].place: layer.name for layer in named.layers}
    assert (names["line 2"], names["line 12"]) == ("transformer.wte", "lm_head")
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


@pytest.mark.slow
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
@pytest.mark.parametrize(
    ("form", "table"), [("gpt2", "gpt2"), ("gpt2.pt", "gpt2"), ("gpt2.gguf", "gpt2")]
)
def test_the_summary_of_gpt2(tmp_path, form, table):
    assert_summary(analyze(opened(form, tmp_path), WW, solver="svd"), SUMMARIES[table])


@pytest.mark.spec("RPT-8")
@pytest.mark.parametrize("form", ["net.safetensors", "net.pt"])
def test_the_summary_of_a_net(tmp_path, form):
    # A file cannot tell a module that has two names, which counts once, from two modules.
    weights = select(opened(form, tmp_path), exclude=["twice*"])
    assert_summary(analyze(weights, WW, solver="svd"), SUMMARIES["net"])


def assert_summary(report: Report, theirs: dict[str, float]) -> None:
    rows = [*weightwatcher_rows(report)]
    for column, mean in theirs.items():
        ours = sum(row[column] for row in rows) / len(rows)
        assert ours == pytest.approx(mean, rel=1e-10), column


@pytest.mark.spec("RPT-8")
def test_layer_types():
    rows = weightwatcher_rows(analyze(FIXTURES / "net.safetensors", WW, solver="svd"))
    with (FIXTURES / "net.csv").open(encoding="utf-8", newline="") as file:
        theirs = {row["longname"]: row["layer_type"] for row in csv.DictReader(file)}
    types = {row["longname"]: row["layer_type"] for row in rows}
    assert {name: types[name] for name in theirs} == theirs
