"""Every row of the table of metrics appears wherever a metric has its place."""

import json
from dataclasses import fields
from pathlib import Path
from typing import get_type_hints

import pytest
from reports import everything

from htsr_ref.audits.dialects import OURS
from htsr_ref.audits.tables import read_table
from htsr_ref.conventions import FIELDS
from htsr_ref.metric_table import METRICS
from htsr_ref.reports.gates import GATED
from htsr_ref.reports.markdown import to_markdown
from htsr_ref.reports.report import MatrixReport, ModelReport
from htsr_ref.text.csvtext import read_csv

SPEC = Path(__file__).parents[1] / "spec"
PARTS = json.loads((SPEC / "schemas" / "report.schema.json").read_text(encoding="utf-8"))["$defs"]
NUMBERS = (int, float, int | None, float | None, tuple[float, float] | None)
ROWS = pytest.mark.parametrize("name", METRICS)
MEANS = {row.model_mean: name for name, row in METRICS.items() if row.model_mean is not None}


def columns_of(name):
    """The columns of a metric: its name, or that of each end of an interval."""
    pair = get_type_hints(MatrixReport)[name] == tuple[float, float] | None
    return [f"{name}_low", f"{name}_high"] if pair else [name]


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """A report, and the columns of its tables."""
    report, folder = everything(), tmp_path_factory.mktemp("tables")
    (folder / "report.json").write_text(report.to_json())
    (folder / "matrix.csv").write_text(report.to_csv())
    (folder / "layer.csv").write_text(report.to_csv("layer"))
    return report, folder


def test_the_rows_are_the_numbers_of_a_matrix_in_their_order():
    hints = get_type_hints(MatrixReport)
    assert list(METRICS) == [name for name in hints if hints[name] in NUMBERS and name != "index"]


@ROWS
@pytest.mark.spec("RPT-1", "RPT-6", "MET-9", "AUD-2")
def test_a_metric_is_in_the_report_the_schema_the_columns_the_means_and_the_audit(tables, name):
    (report, folder), row = tables, METRICS[name]
    layer = json.loads(report.to_json())["layers"][0]
    assert name in layer["matrices"][0]
    assert name in PARTS["matrix"]["required"]
    assert PARTS["matrix"]["properties"][name]["description"].endswith(f"({row.spec}).")
    assert set(columns_of(name)) <= set(read_csv(folder / "matrix.csv").columns)
    for means in (
        layer["means"],
        layer["counts"],
        PARTS["layerMeans"]["properties"],
        PARTS["layerCounts"]["properties"],
        read_csv(folder / "layer.csv").columns,
    ):
        assert (name in means) is row.averaged
    compared = {column for column in columns_of(name) if row.compared}
    assert {column for column, of in OURS.quantities.items() if of == name} == compared
    for file in ("report.json", "matrix.csv"):
        read = {column for line in read_table(folder / file).rows for column in line.cells}
        assert read & set(columns_of(name)) == compared


@pytest.mark.spec("MET-10", "RPT-7")
def test_a_mean_over_the_model_is_in_the_report_the_schema_the_gates_and_markdown(tables):
    report, _ = tables
    means = [field.name for field in fields(ModelReport) if field.name in GATED[2:]]
    assert set(means) == set(MEANS)
    assert means == list(report.model.counts) == PARTS["modelCounts"]["required"]
    assert set(means) <= set(PARTS["model"]["required"])
    assert all(METRICS[MEANS[name]].averaged for name in means)
    assert all(f"| {name} | " in to_markdown(report) for name in means)


@pytest.mark.spec("AUD-12")
def test_fields_affect_metrics_that_there_are():
    known = {*METRICS, *(row.stage for row in METRICS.values())}
    for name, field in FIELDS.items():
        assert set(field.affects or ()) <= known, name
