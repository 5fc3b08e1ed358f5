"""The report: its schema, its round trip, and that nothing is lost on the way."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from builders import gaussian, power_law_matrix
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save_file
from strategies import matrices

from htsr_ref import PAPER, HtsrError, Report, __version__, analyze, write_weights
from htsr_ref.conventions import FIELDS
from htsr_ref.errors import ReportError
from htsr_ref.report import MEAN_FIELDS
from htsr_ref.weights import TensorSpec

SPEC = Path(__file__).parents[1] / "spec"
SCHEMA = json.loads((SPEC / "schemas" / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

changes = st.fixed_dictionaries(
    {},
    optional={
        "min_dim": st.integers(0, 60),
        "min_dim_applies_to": st.sampled_from(["conv", "all"]),
        "normalization": st.sampled_from(["1/N", "none"]),
        "ks": st.sampled_from(["two-sided", "one-sided"]),
        "average": st.sampled_from(["matrices", "layers"]),
        "alpha_range": st.sampled_from([None, (1.5, 6.0)]),
        "layer_kinds": st.sampled_from([("linear",), ("conv", "embedding")]),
    },
)


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Reports of a few small matrices, one of them perhaps with a bad entry."""
    arrays = draw(st.dictionaries(st.text(), matrices, min_size=1, max_size=3))
    if draw(st.booleans()):
        first = next(iter(arrays))
        arrays[first] = arrays[first].copy()
        arrays[first][-1, -1] = draw(st.sampled_from([np.nan, np.inf]))
    solver = draw(st.sampled_from(["auto", "gram", "svd"]))
    return analyze(arrays, PAPER.override(draw(changes)), solver=solver)


def strict(text: str) -> Any:
    """Parse JSON as the standard has it, without NaN and Infinity."""
    return json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))


def everything() -> Report:
    """A report with every kind of entry: fits, none, bad data, tied, left out, relation."""
    bad = gaussian(6, 4)
    bad[2, 1] = np.nan
    return analyze(
        {
            "fc1.weight": power_law_matrix(2.5),
            "fc2.weight": power_law_matrix(3.0, scale=7.0),
            "conv.weight": np.stack([gaussian(60, 55), np.eye(60, 55)], axis=-1),
            "small.weight": np.ones((4, 4, 3)),
            "eye.weight": np.eye(5),
            "zero.weight": np.zeros((5, 4)),
            "bad.weight": bad,
            "fc1.bias": np.ones(3),
            "embedding.weight": np.ones((5, 4)),
        }
    )


@pytest.fixture(scope="module")
def whole() -> Report:
    return everything()


# RPT-1: the schema


def test_the_schema_is_one():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


@pytest.mark.spec("RPT-1", "CNV-1")
@given(reports())
def test_every_report_validates(report):
    VALIDATOR.validate(strict(report.to_json()))


@pytest.mark.spec("RPT-1")
def test_examples_validate_with_what_their_manifest_says():
    for path in sorted((SPEC / "examples").glob("*.safetensors"))[:2]:
        data = strict(analyze(path).to_json())
        VALIDATOR.validate(data)
        assert data["source"]["origin"] is not None


def objects(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every object inside a JSON value."""
    if isinstance(value, dict):
        yield value
    children = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for child in children:
            yield from objects(child)


@pytest.mark.spec("RPT-1")
def test_the_schema_is_strict(whole):
    whole = replace(whole, layers=whole.layers[:1] + whole.layers[-1:])
    data = json.loads(whole.to_json())
    VALIDATOR.validate(data)
    for number, part in enumerate(objects(data)):
        for key in part:
            spoilt = deepcopy(data)
            del list(objects(spoilt))[number][key]
            assert not VALIDATOR.is_valid(spoilt), f"{key!r} may be missing"
        spoilt = deepcopy(data)
        list(objects(spoilt))[number]["invented"] = 1
        assert not VALIDATOR.is_valid(spoilt), f"a key may be added beside {sorted(part)}"


def first_matrix(data: dict[str, Any]) -> dict[str, Any]:
    return data["layers"][0]["matrices"][0]


@pytest.mark.spec("RPT-1", "RPT-3", "RPT-5")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: first_matrix(data).update(alpha=None),
        lambda data: first_matrix(data).update(alpha=1.0),
        lambda data: first_matrix(data).update(alpha=json.loads("1e999")),
        lambda data: first_matrix(data).update(alpha="2.5"),
        lambda data: first_matrix(data).update(alpha_null_reason="none needed"),
        lambda data: first_matrix(data).update(log10_frobenius_norm=None),
        lambda data: first_matrix(data).update(ks_distance=1.5),
        lambda data: first_matrix(data).update(rank=2.5),
        lambda data: first_matrix(data).update(alpha_ci95=[2.0]),
        lambda data: data["layers"][0].update(skip_code="tied"),
        lambda data: data["layers"][0].update(matrices=[]),
        lambda data: data["layers"][-1].update(skip_code=None),
        lambda data: data["layers"][-1].update(skip_code="bored"),
        lambda data: data["source"].update(sha256="abc"),
        lambda data: data["convention"].update(ks="three-sided"),
        lambda data: data["model"].update(layers=-1),
    ],
)
def test_the_schema_refuses_what_contradicts_itself(whole, spoil):
    data = json.loads(whole.to_json())
    VALIDATOR.validate(data)
    spoil(data)
    assert not VALIDATOR.is_valid(data)


@pytest.mark.spec("RPT-1")
def test_every_key_is_described_with_its_requirement():
    pages = "".join(page.read_text(encoding="utf-8") for page in SPEC.glob("*.md"))
    defined = set(re.findall(r"^### ([A-Z]+-\d+) ", pages, re.M))
    described = [
        (key, part.get("description", ""))
        for definition in SCHEMA["$defs"].values()
        for key, part in definition.get("properties", {}).items()
    ]
    assert len(described) > 100
    for key, text in described:
        cited = re.findall(r"\b[A-Z]{2,3}-\d+\b", text)
        assert cited, f"{key!r} cites no requirement"
        assert set(cited) <= defined, f"{key!r} cites a requirement that does not exist"
        assert "\n" not in text


@pytest.mark.spec("CNV-1", "RPT-1")
def test_the_schema_knows_every_choice_that_is_implemented(whole):
    properties = SCHEMA["$defs"]["convention"]["properties"]
    assert list(properties) == ["name", *FIELDS, "overrides"]
    for name, field in FIELDS.items():
        tried = field.values.removeprefix("any of ").split(", ")
        for value in tried:
            try:
                convention = PAPER.override({name: value})
            except HtsrError:
                continue
            VALIDATOR.validate(json.loads(replace(whole, convention=convention).to_json()))


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
        lambda data: data["convention"].update(ks="three-sided"),
        lambda data: data["convention"].pop("min_dim"),
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


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"3", b"null", b"\xff\xfe"])
def test_text_that_is_no_report_is_refused(tmp_path, content):
    (tmp_path / "report.json").write_bytes(content)
    with pytest.raises(ReportError, match=r"report\.json: "):
        Report.load(tmp_path / "report.json")
    with pytest.raises(ReportError, match=r"missing\.json: "):
        Report.load(tmp_path / "missing.json")


# RPT-3, RPT-5: nothing is lost


@pytest.mark.spec("RPT-3")
def test_every_tensor_appears_in_order_with_its_reason(whole):
    assert [(layer.tensor, layer.skip_code) for layer in whole.layers] == [
        ("fc1.weight", None),
        ("fc2.weight", None),
        ("conv.weight", None),
        ("small.weight", "min-dim"),
        ("eye.weight", None),
        ("zero.weight", None),
        ("bad.weight", "bad-data"),
        ("fc1.bias", "left-out"),
        ("embedding.weight", "kind"),
    ]
    assert all((layer.skipped is None) == (layer.skip_code is None) for layer in whole.layers)
    assert [layer.tensor for layer in whole.bad_layers()] == ["bad.weight"]
    assert [layer.name for layer in whole.analyzed()] == ["fc1", "fc2", "conv", "eye", "zero"]
    assert whole.source.tensors == len(whole.layers) == 9


@pytest.mark.spec("RPT-3")
def test_a_tied_tensor_appears_and_is_analysed_once(tmp_path):
    head = TensorSpec("linear", ("out", "in"), same_as="w")
    write_weights(
        tmp_path / "m.safetensors",
        {"w": gaussian(6, 4)},
        {"w": TensorSpec("linear"), "head": head},
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
            assert (matrix.alpha is None) == (matrix.alpha_null_reason is not None)
            assert matrix.alpha_null_reason != ""


@pytest.mark.spec("RPT-5", "PL-8")
def test_warnings_stand_where_they_concern(tmp_path):
    save_file({"attn.qkv.weight": gaussian(12, 4)}, tmp_path / "a.safetensors")
    report = analyze(tmp_path / "a.safetensors")
    (layer,) = report.layers
    assert report.warnings == ()
    assert [text.partition(" (")[0] for text in layer.warnings] == [
        "looks like a fused qkv projection"
    ]
    tail = layer.matrices[0].tail_size
    assert layer.matrices[0].warnings == (f"alpha rests on a tail of {tail} eigenvalues",)


# RPT-4: provenance


@pytest.mark.spec("RPT-4")
def test_a_report_says_what_made_it_of_what_and_how(tmp_path):
    path = tmp_path / "model.safetensors"
    origin = {"framework": "torch", "converter": "by hand", "file": "m.pt", "sha256": None}
    write_weights(path, {"w": gaussian(6, 4)}, {"w": TensorSpec("linear")}, origin)
    data = json.loads(analyze(path, solver="svd").to_json())
    assert data["spec_version"] == "0.1"
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


# RPT-6: rows


@pytest.mark.spec("RPT-6")
@given(reports())
def test_one_row_a_matrix(report):
    expected = [(layer, m) for layer in report.layers for m in layer.matrices]
    rows = report.to_rows()
    assert len(rows) == len(expected)
    for row, (layer, matrix) in zip(rows, expected, strict=True):
        assert next(iter(row)) == "layer"
        assert (row["layer"], row["kind"]) == (layer.name, layer.kind)
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
    assert rows["small"]["alpha"] is None
    assert rows["small"]["skip_code"] == "min-dim"
    assert rows["small"]["skipped"] == "min(N, M) = 4 is below min_dim = 50"


@pytest.mark.spec("RPT-6")
@pytest.mark.parametrize(("per", "columns"), [("matrix", 30), ("layer", 22)])
def test_a_report_of_nothing_still_has_its_header(per, columns):
    report = analyze({"b": np.ones(3)})
    header, *rows = report.to_csv(per).splitlines()
    assert len(header.split(",")) == columns
    assert len(rows) == (per == "layer")
