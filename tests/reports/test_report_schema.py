"""The schema of the report: every report follows it, and nothing else does."""

import json
import re
import runpy
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from hypothesis import given
from reports import everything, first_matrix, reports, strict

from htsr_ref import HtsrError, Report, analyze
from htsr_ref.conventions import FIELDS, SDM2020_TEXT

SPEC = Path(__file__).parents[2] / "spec"
SCHEMA = json.loads((SPEC / "schemas" / "report.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


@pytest.fixture(scope="module")
def whole() -> Report:
    return everything()


@pytest.mark.spec("RPT-1")
def test_the_schema_is_what_the_tables_give():
    path = SPEC / "schemas" / "report.schema.json"
    renewed = runpy.run_path(str(path.with_name("generate.py")))["renewed"]
    text = path.read_text(encoding="utf-8")
    assert renewed(text) == text, "run spec/schemas/generate.py"
    for part in ("Mean of rank", "(MET-5)", "one-sided"):
        assert renewed(text.replace(part, "spoilt")) == text


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


@pytest.mark.spec("RPT-1", "PL-18")
def test_a_law_that_cannot_be_compared_validates():
    W = np.diag([9.0, 9.0, 9.0, 1.0])
    report = analyze({"W": W}, SDM2020_TEXT.override({"xmin": 2.0}), compare=True)
    data = strict(report.to_json())
    assert data["layers"][0]["matrices"][0]["comparisons"]["lognormal"] is None
    VALIDATOR.validate(data)


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


@pytest.mark.spec("RPT-1", "RPT-3", "RPT-5")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: first_matrix(data).update(alpha=None),
        lambda data: first_matrix(data).update(tail_size=0),
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


@pytest.mark.slow
@pytest.mark.spec("CNV-1", "RPT-1")
def test_the_schema_knows_every_choice_that_is_implemented(whole):
    properties = SCHEMA["$defs"]["convention"]["properties"]
    assert list(properties) == ["name", *FIELDS, "overrides"]
    for name, field in FIELDS.items():
        for value in field.values:
            try:
                convention = SDM2020_TEXT.override({name: value})
            except HtsrError:
                continue
            VALIDATOR.validate(json.loads(replace(whole, convention=convention).to_json()))
