"""RPT-9: reports of specification 0.1 are read, and what they did not state is said."""

import json
from dataclasses import replace

import pytest
from builders import power_law_matrix
from reports import everything

from htsr_ref import Report, analyze
from htsr_ref.conventions import CONVENTIONS, SDM2020, SDM2020_TEXT
from htsr_ref.errors import ReportError
from htsr_ref.reports.earlier import ASSUMED
from htsr_ref.reports.markdown import convention_text, to_markdown

NEW = ("role", "axes")


def as_it_was(report):
    """The report as version 0.1 wrote it: kinds for roles, and conventions without what is new."""
    data = json.loads(report.to_json())
    convention = data["convention"]
    for name in ASSUMED:
        del convention[name]
    convention["layer_kinds"] = ["linear", "conv"]
    for layer in data["layers"]:
        role, axes = (layer.pop(key) for key in NEW)
        kind = {"weight": "conv" if "k1" in axes else "linear", "buffer": "other"}
        layer["kind"] = kind.get(role, role)
        layer["decided"] = layer["decided"].replace("stated", "declared")
        for matrix in layer["matrices"]:
            del matrix["verdict"]
        if layer["skip_code"] == "convention":
            layer["skip_code"] = "kind"
    return data | {"spec_version": "0.1"}


@pytest.mark.spec("RPT-9", "VRD-17")
def test_a_report_of_the_first_version_has_the_same_numbers_and_says_what_is_assumed():
    report = everything()
    found = Report.from_json(json.dumps(as_it_was(report)))
    assert found.model == report.model
    assert [layer.matrices for layer in found.layers] == [layer.matrices for layer in report.layers]
    stated = {name: value for name, value in SDM2020_TEXT.values().items() if name not in ASSUMED}
    assert found.convention.values() == stated | ASSUMED
    assert found.spec_version == "0.3"
    (warning,) = set(found.warnings) - set(report.warnings)
    assert "fused = whole, experts = split, tied = once" in warning
    assert [layer.axes for layer in found.layers] == [layer.axes for layer in report.layers]
    assert Report.from_json(found.to_json()) == found


@pytest.mark.spec("RPT-9")
@pytest.mark.parametrize(
    ("shape", "kind", "axes"),
    [
        ((12, 9), "linear", ("out", "in")),
        ((3, 12, 9), "linear", ("stack", "out", "in")),
        ((2, 3, 12, 9), "linear", ("stack", "stack", "out", "in")),
        ((12, 9, 3, 2), "conv", ("out", "in", "k1", "k2")),
    ],
)
def test_axes_follow_from_the_shape(shape, kind, axes):
    data = as_it_was(everything())
    data["layers"][0] |= {"kind": kind, "shape": list(shape)}
    assert Report.from_json(json.dumps(data)).layers[0].axes == axes


@pytest.mark.spec("RPT-9")
def test_british_spellings_of_the_first_version_are_read():
    data = as_it_was(everything())
    data["convention"]["ks_model"] = "renormalised"
    data["convention"]["xmax"] = "largest"
    assert Report.from_json(json.dumps(data)).convention.ks_model == "renormalized"


@pytest.mark.spec("RPT-9")
@pytest.mark.parametrize("change", [{"convention": 3}, {"layers": [3]}, {"warnings": None}])
def test_what_is_no_such_report_is_refused(change):
    with pytest.raises(ReportError, match="not a report of this version"):
        Report.from_json(json.dumps(as_it_was(everything()) | change))


@pytest.mark.spec("RPT-9", "CNV-22")
@pytest.mark.parametrize(
    ("name", "present"),
    [
        ("paper", "sdm2020-text"),
        ("paper-code", "sdm2020"),
        ("natcomm2021", "weightwatcher-0.2.7"),
        ("hill-median", "tempbalance"),
        ("hill-peak", "alphapruning"),
        ("weightwatcher", "weightwatcher-0.7.7"),
    ],
)
def test_a_report_keeps_the_name_it_bears_and_todays_stands_beside_it(name, present):
    data = json.loads(analyze({"fc": power_law_matrix(2.5)}, CONVENTIONS[present]).to_json())
    data |= {"spec_version": "0.2", "convention": data["convention"] | {"name": name}}
    found = Report.from_json(json.dumps(data))
    assert (found.spec_version, found.convention.name) == ("0.3", name)
    assert convention_text(found.convention) == f"{name} (now {present})"
    assert f"Convention {name} (now {present}); " in to_markdown(found)
    changed = replace(found.convention.override({"min_dim": 3}), overrides=("min_dim",))
    assert convention_text(changed) == f"{name} (now {present} with min_dim = 3)"


@pytest.mark.spec("RPT-9")
def test_the_code_of_the_paper_in_the_first_version_is_the_default_without_floor_and_groups():
    apart = {"eigenvalue_floor": "none", "equal_eigenvalues": "apart"}
    report = analyze({"fc": power_law_matrix(2.5)}, SDM2020.override(apart))
    data = as_it_was(report)
    data["convention"] |= {"name": "paper-code", "overrides": []}
    found = Report.from_json(json.dumps(data))
    assert convention_text(found.convention) == (
        "paper-code (now sdm2020 with eigenvalue_floor = none, equal_eigenvalues = apart)"
    )
