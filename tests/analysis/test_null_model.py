"""The shuffle test in reports, tables and the command line."""

import csv
import dataclasses
import io
import json
from pathlib import Path

import jsonschema
import numpy as np
import pytest
from builders import gaussian, power_law_matrix

from htsr_ref import HtsrError, Report, analyze
from htsr_ref.analysis.checks import Checks
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.reports.markdown import remarks, to_markdown
from htsr_ref.reports.report import MatrixReport
from htsr_ref.spectra.eigenvalues import spectrum
from htsr_ref.spectra.shuffle import shuffle_null

pytestmark = pytest.mark.spec("RMT-66")

SCHEMA = Path(__file__).parents[2] / "spec" / "schemas" / "report.schema.json"
SMALL = SDM2020_TEXT.override({"min_dim": 0})
LAYERS = {
    "low.weight": gaussian(40, 30) + 3.0,
    "fc.weight": gaussian(40, 30, seed=1),
    "conv.weight": gaussian(12, 10, 2, 1, seed=2),
    "zero.weight": np.zeros((5, 4)),
}


def asked(layers: dict[str, np.ndarray], seed: int = 7, convention=SMALL) -> Report:
    return analyze(layers, convention, shuffles=19, seed=seed)


def matrices_of(report: Report) -> list[MatrixReport]:
    return [matrix for layer in report.layers for matrix in layer.matrices]


@pytest.fixture(scope="module")
def report() -> Report:
    return asked(LAYERS)


@pytest.mark.spec("RPT-4")
def test_nothing_is_shuffled_unless_asked_for(report):
    plain = analyze(LAYERS, SMALL)
    assert (plain.seed, report.seed) == (None, 7)
    assert {matrix.null_model for matrix in matrices_of(plain)} == {None}
    for before, after in zip(matrices_of(plain), matrices_of(report), strict=True):
        assert dataclasses.replace(after, null_model=None) == before


@pytest.mark.parametrize(
    ("layer", "index", "W"),
    [
        (0, 0, LAYERS["low.weight"]),
        (1, 0, LAYERS["fc.weight"]),
        (2, 1, LAYERS["conv.weight"][:, :, 1, 0]),
    ],
)
def test_a_matrix_is_shuffled_with_the_seed_of_its_place(report, layer, index, W):
    rng = np.random.default_rng((7, layer, index))
    assert report.layers[layer].matrices[index].null_model == shuffle_null(W, spectrum(W), rng)


def test_the_result_depends_on_the_seed_and_not_on_other_layers(report):
    assert asked(LAYERS) == report
    assert asked(LAYERS, seed=8).layers[0] != report.layers[0]
    others = {**LAYERS, "fc.weight": gaussian(20, 9), "new.weight": gaussian(5, 5)}
    assert asked(others).layers[0] == report.layers[0]


def test_verdicts_are_told_to_people(report):
    low = report.layers[0].matrices[0]
    assert (low.null_model.verdict, low.null_model.p_lambda_max) == ("correlations", 0.05)
    row = f"| low | correlations | {low.lambda_max:.3g} | {low.null_model.lambda_max:.3g} |"
    text = to_markdown(report)
    assert row in text
    assert "| conv | 2 " in text or "| conv | 1 " in text
    assert "shuffled" not in to_markdown(analyze(LAYERS, SMALL))


@pytest.mark.parametrize("conv", ["pooled", "operator"])
def test_what_is_put_together_is_not_shuffled_and_says_so(conv):
    convention = SMALL.override({"conv": conv} | ({"map_size": 4} if conv == "operator" else {}))
    found = asked({"conv.weight": LAYERS["conv.weight"]}, convention=convention)
    (matrix,) = found.layers[0].matrices
    assert matrix.null_model is None
    assert any("no null model" in text for text in matrix.warnings)
    assert any("no null model" in text for text in remarks(found))


def test_a_zero_matrix_has_none(report):
    (zero,) = report.layers[3].matrices
    assert (zero.null_model, zero.alpha_null_reason) == (None, "all eigenvalues are zero")


@pytest.mark.spec("RPT-1", "RPT-2", "RPT-6")
def test_the_report_keeps_it(report):
    text = report.to_json()
    assert Report.from_json(text) == report
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    jsonschema.validate(json.loads(text), schema)
    spoilt = json.loads(text)
    spoilt["layers"][0]["matrices"][0]["null_model"]["verdict"] = "perhaps"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(spoilt, schema)
    first = next(csv.DictReader(io.StringIO(report.to_csv())))
    null = report.layers[0].matrices[0].null_model
    assert float(first["null_p_distance"]) == null.p_distance
    assert float(first["null_p_lambda_max"]) == null.p_lambda_max
    assert first["null_verdict"] == null.verdict


@pytest.mark.spec("RMT-61")
def test_the_copies_are_fitted_as_the_matrix_is():
    layers = {"fc.weight": power_law_matrix(2.5)}
    two_sided, one_sided = (
        asked(layers, convention=SMALL.override({"ks": ks})).layers[0].matrices[0].null_model
        for ks in ("two-sided", "one-sided")
    )
    assert two_sided.alpha != one_sided.alpha
    assert two_sided == dataclasses.replace(one_sided, alpha=two_sided.alpha)


@pytest.mark.spec("RMT-62")
@pytest.mark.parametrize("shuffles", [1, 18, -1])
def test_too_few_shuffles_are_refused_before_the_work(shuffles):
    with pytest.raises(HtsrError, match="take 19 or more"):
        Checks(shuffles=shuffles)
