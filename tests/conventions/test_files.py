"""A user's own convention, from a file."""

import json

import pytest

from htsr_ref import Report, analyze
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT
from htsr_ref.conventions.files import get_convention, load_convention
from htsr_ref.errors import ConventionError

TOML = """
name = "mine"
base = "weightwatcher"
layer_kinds = ["embedding", "weight"]
alpha_range = [2, 6]
max_rows = "none"
eigenvalue_floor = 1e-4
"""


@pytest.mark.spec("CNV-20")
def test_a_file_changes_some_fields_of_its_base(tmp_path):
    (tmp_path / "mine.toml").write_text(TOML, encoding="utf-8")
    found = get_convention(str(tmp_path / "mine.toml"))
    changes = {
        "layer_kinds": ("weight", "embedding"),
        "max_rows": None,
        "eigenvalue_floor": 1e-4,
        "alpha_range": (2.0, 6.0),
    }
    assert (found.name, found.overrides) == ("mine", ())
    assert found.values() == CONVENTIONS["weightwatcher-0.7.7"].values() | changes
    assert found.override({"min_dim": 3, "max_rows": "none"}).overrides == ("min_dim",)


@pytest.mark.spec("CNV-20", "RPT-2")
def test_a_file_without_a_base_gives_every_field(tmp_path):
    values = {"name": "whole", **SDM2020_TEXT.override({"layer_kinds": "recurrent"}).values()}
    (tmp_path / "whole.json").write_text(json.dumps(values), encoding="utf-8")
    found = load_convention(tmp_path / "whole.json")
    assert found.values() == SDM2020_TEXT.override({"layer_kinds": "recurrent"}).values()
    report = analyze({"fc": [[1.0, 2.0], [3.0, 5.0]]}, found)
    assert Report.from_json(report.to_json()) == report
    del values["ks"]
    (tmp_path / "part.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(ConventionError, match=r"part\.json: it lacks ks\. Give them, or a base"):
        load_convention(tmp_path / "part.json")


@pytest.mark.spec("CNV-20", "CNV-2")
@pytest.mark.parametrize(
    ("name", "text", "complaint"),
    [
        ("a.toml", "name = ", "Invalid"),
        ("a.toml", b"\xff", "utf-8"),
        ("a.json", '{"name": "a", "name": "b"}', "the key 'name' appears twice"),
        ("a.json", "[]", "it holds no object"),
        ("a.toml", 'base = "sdm2020"', "it needs a name of its own"),
        ("a.toml", 'name = "sdm2020-text"\nbase = "sdm2020"', "it needs a name of its own"),
        ("a.toml", 'name = "a"\nbase = "papre"', "no convention 'papre'. Shipped: sdm2020"),
        ("a.toml", 'name = "a"\nbase = 3', "base = 3 is not the name"),
        (
            "a.toml",
            'name = "a"\nbase = "sdm2020"\nkss = 1',
            "has a field 'kss'. Did you mean 'ks'",
        ),
        (
            "a.toml",
            'name = "a"\nbase = "sdm2020"\nks = 1',
            "ks = 1 is not legal. Legal: two-sided",
        ),
        ("a.toml", 'name = "a"\nbase = "sdm2020"\nxmin = "median"', "needs xmin_position"),
    ],
)
def test_what_is_no_convention_is_refused_with_the_files_name(tmp_path, name, text, complaint):
    (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConventionError) as refusal:
        load_convention(tmp_path / name)
    assert str(refusal.value).startswith(f"{tmp_path / name}: ")
    assert complaint in str(refusal.value)


@pytest.mark.spec("CNV-20")
def test_a_missing_file_and_a_missing_name(tmp_path):
    with pytest.raises(ConventionError, match="it cannot be read"):
        get_convention(str(tmp_path / "none.toml"))
    with pytest.raises(ConventionError, match="no convention 'none'"):
        get_convention("none")
