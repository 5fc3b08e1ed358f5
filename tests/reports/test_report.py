"""The report: its round trip, and that nothing is lost on the way."""

import csv
import io
import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from builders import gaussian
from hypothesis import given
from hypothesis import strategies as st
from reports import everything, first_matrix, reports
from safetensors.numpy import save_file

from htsr_ref import Report, __version__, analyze, write_weights
from htsr_ref.conventions import FIELDS, SDM2020_TEXT
from htsr_ref.errors import ReportError
from htsr_ref.metric_table import MEAN_FIELDS
from htsr_ref.reports.forms import written
from htsr_ref.weights import TensorSpec


@pytest.fixture(scope="module")
def whole() -> Report:
    return everything()


# RPT-2: the round trip


@pytest.mark.spec("RPT-1", "RPT-2")
@given(reports())
def test_json_and_back_is_the_same_report_and_the_same_text(report):
    text = report.to_json()
    assert Report.from_json(text) == report
    assert Report.from_json(text).to_json() == text


@pytest.mark.spec("RPT-1", "RPT-2")
@given(st.floats(allow_nan=False, allow_infinity=False))
def test_numbers_keep_every_bit(value):
    report = analyze({"fc": np.eye(3)})
    report = replace(report, model=replace(report.model, alpha_hat=value))
    read = json.loads(report.to_json())["model"]["alpha_hat"]
    assert np.float64(read).tobytes() == np.float64(value).tobytes()


@pytest.mark.spec("RPT-1")
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_number_that_json_lacks_is_never_written(value):
    report = analyze({"fc": np.eye(3)})
    with pytest.raises(ValueError, match="not JSON compliant"):
        replace(report, model=replace(report.model, alpha_hat=value)).to_json()


@pytest.mark.spec("RPT-2")
def test_a_report_is_loaded_from_a_file(whole, tmp_path):
    (tmp_path / "report.json").write_text(whole.to_json(), encoding="utf-8")
    assert Report.load(tmp_path / "report.json") == whole


def without(key: str) -> Callable[[dict[str, Any]], object]:
    return lambda data: data.pop(key)


@pytest.mark.spec("RPT-2")
@pytest.mark.parametrize(
    "spoil",
    [
        without("model"),
        without("seed"),
        lambda data: data.update(invented=1),
        lambda data: data.update(spec_version="99.0"),
        lambda data: data.update(layers=None),
        lambda data: data["tool"].update(invented=1),
        lambda data: first_matrix(data).pop("alpha"),
        lambda data: first_matrix(data).update(N="60"),
        lambda data: first_matrix(data).update(alpha_ci95=[]),
        lambda data: first_matrix(data).update(alpha_ci95=[1.0, 2.0, 3.0]),
        lambda data: data["layers"][0].update(skip_code="bored"),
        lambda data: data["model"].update(alpha_hat="-1.0"),
        lambda data: data["model"].update(alpha_hat=math.nan),
        lambda data: data["model"].update(counts=3),
        lambda data: data["model"]["counts"].pop("alpha_hat"),
        lambda data: data["convention"].update(ks="three-sided"),
        lambda data: data["convention"].pop("min_dim"),
        lambda data: data["convention"].update(overrides=["no field"]),
        lambda data: data["layers"][0].update(matrices=[]),
        lambda data: data["layers"][0].update(means=None),
        lambda data: first_matrix(data).update(weighted_alpha=1.0, lambda_max=0.0),
        lambda data: data["layers"][0].update(skipped="it is small"),
        lambda data: data["layers"][0]["means"].pop("alpha"),
    ],
)
def test_what_is_no_report_is_refused(whole, tmp_path, spoil):
    data = json.loads(whole.to_json())
    spoil(data)
    path = tmp_path / "spoilt.json"
    path.write_text(json.dumps(data))
    with pytest.raises(ReportError, match=rf"^{re.escape(str(path))}: not a report") as caught:
        Report.load(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (b"", "it is not JSON (Expecting value"),
        (b"{", "it is not JSON (Expecting property"),
        (b"[]", "it states no spec_version"),
        (b"3", "it states no spec_version"),
        (b"null", "it states no spec_version"),
        (b"{}", "it states no spec_version"),
        (b"\xff\xfe", "it is not UTF-8"),
        (b"[" * 100_000, "it is not JSON (it is nested too deeply)"),
    ],
)
def test_text_that_is_no_report_is_refused(tmp_path, content, fault):
    (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(ReportError) as caught:
        Report.load(tmp_path / "report.json")
    assert str(caught.value).startswith(f"{tmp_path / 'report.json'}: not a report: {fault}")
    assert str(caught.value).endswith(". Write it again with `htsr analyze WEIGHTS -o report.json`")


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.json", "No such file or directory"), ("folder.json", "Is a directory")],
)
def test_a_report_that_cannot_be_opened(tmp_path, name, reason):
    (tmp_path / "folder.json").mkdir()
    with pytest.raises(ReportError) as caught:
        Report.load(tmp_path / name)
    assert str(caught.value) == f"{tmp_path / name}: it cannot be read ({reason}). Check the path"


@pytest.mark.spec("RPT-2", "PL-18")
def test_a_law_without_a_comparison_survives_the_round_trip():
    W = np.diag(np.r_[np.full(30, 9.0), 1.0, 2.0, 3.0])
    report = analyze({"W": W}, SDM2020_TEXT.override({"xmin": 1.0}), compare=True)
    assert report.layers[0].matrices[0].comparisons["lognormal"] is None
    assert Report.from_json(report.to_json()) == report


# RPT-3, RPT-5: nothing is lost


@pytest.mark.spec("RPT-3")
def test_every_tensor_appears_in_order_with_its_reason(whole):
    assert [(layer.tensor, layer.skip_code) for layer in whole.layers] == [
        ("fc1.weight", None),
        ("fc2.weight", None),
        ("conv.weight", None),
        ("conv_small.weight", "min-dim"),
        ("eye.weight", None),
        ("zero.weight", None),
        ("bad.weight", "bad-data"),
        ("fc1.bias", "left-out"),
        ("embedding.weight", "convention"),
    ]
    assert all((layer.skipped is None) == (layer.skip_code is None) for layer in whole.layers)
    assert [layer.tensor for layer in whole.bad_layers()] == ["bad.weight"]
    assert [layer.name for layer in whole.analyzed()] == ["fc1", "fc2", "conv", "eye", "zero"]
    assert whole.source.tensors == len(whole.layers) == 9


@pytest.mark.spec("RPT-3")
def test_a_tied_tensor_appears_and_is_analysed_once(tmp_path):
    head = TensorSpec("weight", ("out", "in"), same_as="w")
    write_weights(
        tmp_path / "m.safetensors",
        {"w": gaussian(6, 4)},
        {"w": TensorSpec("weight"), "head": head},
    )
    report = analyze(tmp_path / "m.safetensors")
    assert [(layer.tensor, layer.skip_code) for layer in report.layers] == [
        ("w", None),
        ("head", "tied"),
    ]
    assert report.layers[1].skipped == "same as w"
    assert report.model.matrices == 1


@pytest.mark.spec("RPT-5")
@given(reports())
def test_a_missing_alpha_has_a_reason_and_a_present_one_has_none(report):
    for layer in report.layers:
        for matrix in layer.matrices:
            assert (matrix.xmin is None) == (matrix.alpha_null_reason is not None)
            assert matrix.alpha is not None or matrix.xmin is None
            assert matrix.alpha_null_reason != ""


@pytest.mark.spec("RPT-5", "PL-8")
def test_warnings_stand_where_they_concern(tmp_path):
    save_file({"lstm.weight_hh": gaussian(12, 5)}, tmp_path / "a.safetensors")
    convention = SDM2020_TEXT.override({"layer_kinds": "recurrent"})
    report = analyze(tmp_path / "a.safetensors", convention)
    (layer,) = report.layers
    assert report.warnings == ()
    assert [text.partition(" (")[0] for text in layer.warnings] == ["its gates are fused in"]
    tail = layer.matrices[0].tail_size
    assert layer.matrices[0].warnings == (f"alpha rests on a tail of {tail} values",)


# RPT-4: provenance


@pytest.mark.spec("RPT-4")
def test_a_report_says_what_made_it_of_what_and_how(tmp_path):
    path = tmp_path / "model.safetensors"
    origin = {"framework": "torch", "converter": "by hand", "file": "m.pt", "sha256": None}
    write_weights(path, {"w": gaussian(6, 4)}, {"w": TensorSpec("weight")}, origin)
    data = json.loads(analyze(path, solver="svd").to_json())
    assert data["spec_version"] == "0.3"
    assert data["tool"] == {"name": "htsr-ref", "version": __version__}
    assert data["source"]["name"] == "model.safetensors"
    assert data["source"]["format"] == "safetensors"
    assert data["source"]["tensors"] == 1
    assert {**origin, **data["source"]["origin"]} == origin
    assert data["solver"] == "svd"
    assert data["seed"] is None
    assert set(FIELDS) < set(data["convention"])
    memory = analyze({"w": gaussian(6, 4)}).source
    assert (memory.name, memory.format, memory.sha256, memory.origin) == (
        "memory",
        "memory",
        None,
        None,
    )


@pytest.mark.spec("RPT-4")
def test_the_same_input_gives_the_same_bytes_wherever_it_lies(tmp_path, monkeypatch):
    for folder in ("here", "there"):
        (tmp_path / folder).mkdir()
        save_file({"w": gaussian(30, 20)}, tmp_path / folder / "m.safetensors")
    first = analyze(tmp_path / "here" / "m.safetensors").to_json()
    monkeypatch.chdir(tmp_path / "there")
    monkeypatch.setattr("time.time", lambda: 0.0)
    assert analyze("m.safetensors").to_json() == first
    assert str(tmp_path) not in first


@pytest.mark.spec("RPT-1", "RPT-6")
@pytest.mark.parametrize(
    ("form", "columns"), [("json", "own"), ("csv", "own"), ("csv", "weightwatcher")]
)
def test_a_long_report_is_written_in_pieces_no_longer_than_a_layer(whole, form, columns):
    longest = {}
    for times in (1, 20):
        report = replace(whole, layers=whole.layers * times)
        longest[times] = max(map(len, written(report, form, columns=columns)))
    assert longest[20] <= longest[1] + 2  # digits of layer_id


# RPT-6: rows


@pytest.mark.spec("RPT-6")
@given(reports())
def test_one_row_a_matrix(report):
    expected = [(layer, m) for layer in report.layers for m in layer.matrices]
    rows = report.to_rows()
    assert len(rows) == len(expected)
    for row, (layer, matrix) in zip(rows, expected, strict=True):
        assert next(iter(row)) == "layer"
        assert (row["layer"], row["role"]) == (layer.name, layer.role)
        for name in (*MEAN_FIELDS, "N", "M", "Q", "alpha_stderr", "alpha_null_reason", "label"):
            assert row[name] == getattr(matrix, name)
        assert (row["alpha_ci95_low"], row["alpha_ci95_high"]) == (
            matrix.alpha_ci95 or (None, None)
        )


@pytest.mark.spec("RPT-6")
@pytest.mark.parametrize("per", ["matrix", "layer"])
@given(report=reports())
def test_csv_holds_the_rows(report, per):
    table = list(csv.DictReader(io.StringIO(report.to_csv(per), newline="")))
    rows = report.to_rows(per)
    assert len(table) == len(rows)
    for cells, row in zip(table, rows, strict=True):
        assert set(cells) == set(row)
        for name, value in row.items():
            if isinstance(value, float):
                assert float(cells[name]) == value
            else:
                assert cells[name] == ("" if value is None else str(value))


@pytest.mark.spec("RPT-6")
def test_one_row_a_layer_with_means_or_the_reason(whole):
    rows = {row["layer"]: row for row in whole.to_rows("layer")}
    assert list(rows) == [layer.name for layer in whole.layers]
    assert next(iter(rows["conv"])) == "layer"
    assert rows["conv"]["matrices"] == 2
    assert rows["conv"]["shape"] == "60x55x2"
    assert rows["conv"]["log10_frobenius_norm"] == whole.layers[2].means["log10_frobenius_norm"]
    assert rows["conv_small"]["alpha"] is None
    assert rows["conv_small"]["skip_code"] == "min-dim"
    assert rows["conv_small"]["skipped"] == "min(N, M) = 4 is below min_dim = 50"


@pytest.mark.spec("RPT-6")
@pytest.mark.parametrize("per", ["matrix", "layer"])
def test_a_report_of_nothing_still_has_its_header(per):
    report = analyze({"b": np.ones(3)})
    header, *rows = report.to_csv(per).splitlines()
    assert header.split(",") == list(everything().to_rows(per)[0])
    assert len(rows) == (per == "layer")
