"""The report of an audit: its schema, its text for people."""

import json
from pathlib import Path

import jsonschema
import pytest
from audit_tables import audited, from_csv, report, small_model, to_csv, written
from markdown_it import MarkdownIt
from referencing import Registry, Resource

from htsr_ref.audits.audit_report import VERDICTS, AuditReport
from htsr_ref.audits.text import to_markdown
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT
from htsr_ref.weights import open_weights

SCHEMAS = Path(__file__).parents[2] / "spec" / "schemas"
WEIGHTS = open_weights(small_model())


def schema(name: str) -> dict:
    return json.loads((SCHEMAS / name).read_text(encoding="utf-8"))


VALIDATOR = jsonschema.Draft202012Validator(
    schema("audit.schema.json"),
    registry=Registry().with_resource(
        "report.schema.json", Resource.from_contents(schema("report.schema.json"))
    ),
)


@pytest.fixture(scope="module")
def everything(tmp_path_factory) -> AuditReport:
    """An audit with every verdict but faults: a name to escape, noise, a row and a layer alone."""
    folder = tmp_path_factory.mktemp("audit")
    rows = from_csv(report(WEIGHTS, SDM2020_TEXT.override({"ks": "one-sided"})).to_csv())
    rows[0]["lambda_max"] = str(1.001 * float(rows[0]["lambda_max"]))
    rows[1]["alpha"] = "inf"
    rows = [row for row in rows if row["layer"] != "low"]
    rows.append({**rows[0], "layer": "a|b", "N": "99", "M": "98"})
    return audited(WEIGHTS, written(folder, to_csv(rows)), SDM2020_TEXT, most=1)


@pytest.mark.spec("AUD-14")
def test_json_validates(everything, tmp_path):
    jsonschema.Draft202012Validator.check_schema(VALIDATOR.schema)
    VALIDATOR.validate(json.loads(everything.to_json()))
    made = report(WEIGHTS, CONVENTIONS["farms-conv"])
    found = audited(WEIGHTS, written(tmp_path, made.to_csv()), None, most=0)
    data = json.loads(found.to_json())
    VALIDATOR.validate(data)
    assert data["claimed"] is None
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate({**data, "more": 1})
    data["layers"][0]["rows"][0]["cells"][0]["verdict"] = "fine"
    with pytest.raises(jsonschema.ValidationError):
        VALIDATOR.validate(data)


@pytest.mark.spec("AUD-14", "AUD-8")
def test_json_holds_what_was_found(everything):
    data = json.loads(everything.to_json())
    cells = [c for layer in data["layers"] for row in layer["rows"] for c in row["cells"]]
    for verdict in VERDICTS:
        assert data["counts"][verdict] == sum(c["verdict"] == verdict for c in cells)
    wrong = {(c["column"], c["theirs"]) for c in cells if c["verdict"] == "unexplained"}
    assert {c["column"] for c in cells if c["verdict"] == "unexplained" and c["ours"]} == {
        "lambda_max",
        "alpha",
    }
    assert ("alpha", "inf") in wrong
    assert data["explanation"] == {"base": "sdm2020-text", "changes": {"ks": "one-sided"}}
    assert data["path"] == [
        {"normalization": "1/N"},
        {"drop_smallest": 0},
        {"xmax": "none", "ks_model": "unbounded"},
    ]
    last = data["layers"][-1]
    assert (last["name"], last["matched_by"]) == ("a|b", None)
    assert last["rows"][0]["reason"] == "no layer without a row has its name, or may be 99×98"
    assert last["paths"]["alpha"]["contributions"] == [None] * 3
    assert {"name": "low", "reason": None} in data["layers_alone"]
    skipped = next(layer for layer in data["layers_alone"] if layer["name"] == "thin")
    assert "min_dim" in skipped["reason"]


@pytest.mark.spec("AUD-14")
def test_markdown_holds_tables_and_nothing_of_a_strangers_names(everything):
    text = to_markdown(everything)
    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    assert sum(token.type == "table_open" for token in tokens) == 3
    assert "unexplained" in text
    assert "row without a layer: a\\|b (line 10): no layer without a row has its name" in text
    first = text.index("| fc |")
    assert first < text.index("| conv |")  # The worst layer comes first.
