"""Reading tables: whose columns they are, separators, digits, and what is refused."""

import pytest
from audit_tables import report, small_model, to_csv, verdicts, written

from htsr_ref import analyze
from htsr_ref.audits import SharedSpectra, audit_table, read_table
from htsr_ref.audits.printed import Printed
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT
from htsr_ref.errors import HtsrError, TableError
from htsr_ref.reports.columns import weightwatcher_lines
from htsr_ref.weights import open_weights

OLD = {
    "layer_id": 5,
    "layer_type": "CONV2D",
    "N": 128,
    "M": 64,
    "level": "LEVEL.SLICE",
    "norm": 11.75,
    "log_norm": 1.0701,
    "alpha": "",
    "spectral_norm": 20.21,
}


def read(folder, text, mapping=None):
    return read_table(written(folder, text), mapping)


@pytest.mark.spec("AUD-2")
def test_columns_tell_the_tool(tmp_path):
    ours = report(small_model(), SDM2020_TEXT)
    assert read(tmp_path, ours.to_csv()).dialect.name == "htsr-ref"
    assert read(tmp_path, ours.to_csv("layer")).dialect.name == "htsr-ref"
    assert (
        read(tmp_path, "".join(weightwatcher_lines(ours))).dialect.convention
        == "weightwatcher-0.7.7"
    )
    assert read(tmp_path, to_csv([OLD])).dialect.convention == "weightwatcher-0.2.7"
    renamed = {"lognorm" if name == "log_norm" else name: value for name, value in OLD.items()}
    del renamed["level"]
    unpooled = {"layer_id": 5, "slice_id": 0, "norm": 11.75, "alpha": 2.0}
    assert read(tmp_path, to_csv([unpooled])).dialect.convention == "weightwatcher-0.2.7"
    recent = to_csv([{**unpooled, "num_evals": 64}])
    assert read(tmp_path, recent).dialect.convention == "weightwatcher-0.7.7"
    old = read(tmp_path, to_csv([renamed]))
    assert old.dialect.convention == "weightwatcher-0.2.7"
    assert old.rows[0].cells["log_norm"].value == 1.0701


@pytest.mark.spec("AUD-1", "AUD-2")
def test_a_report_in_json_tells_its_convention_and_is_exact(tmp_path):
    made = report(small_model(), CONVENTIONS["sdm2020"])
    table = read_table(written(tmp_path, made.to_json(), "a.json"))
    assert table.convention == made.convention
    assert table.rows[0].cells["alpha"] == Printed(made.layers[0].matrices[0].alpha, 0.0)
    with pytest.raises(TableError, match="Leave out the map"):
        read_table(tmp_path / "a.json", {"alpha": "alpha"})


@pytest.mark.spec("AUD-9")
def test_a_report_tells_its_solver_if_it_has_one(tmp_path):
    gram, mixed = analyze(small_model(), solver="gram"), analyze(small_model())
    for made, solver in (
        (gram, "gram"),
        (report(small_model(), SDM2020_TEXT), "svd"),
        (mixed, None),
    ):
        assert read(tmp_path, made.to_csv()).solver == solver
        assert read_table(written(tmp_path, made.to_json(), "a.json")).solver == solver
    assert read(tmp_path, "".join(weightwatcher_lines(gram))).solver is None


@pytest.mark.spec("AUD-2")
def test_rows_of_layers_and_of_small_slices_in_old_tables_are_passed_over(tmp_path):
    layer = {**OLD, "level": "LEVEL.LAYER", "N": 1152, "M": 576}
    network = {**OLD, "level": "LEVEL.NETWORK", "N": "", "M": ""}
    small = {**OLD, "N": 64, "M": 3, "norm": "", "log_norm": ""}
    table = read(tmp_path, to_csv([OLD, OLD, layer, small, network]))
    assert [row.place for row in table.rows] == ["line 2", "line 3"]
    assert table.rows[0].shape == (128, 64)
    assert table.left_out == ("layer_type", "level")


@pytest.mark.spec("AUD-1", "AUD-3")
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_separators_digits_and_missing_numbers(tmp_path, delimiter):
    rows = [
        {"id": "a", "my alpha": "2.50", "size": "10", "x": "1.5e-05"},
        {"id": "b", "my alpha": "-1.0", "size": "NaN", "x": "-inf"},
        {"id": "c", "my alpha": "", "size": "8", "x": "2e-07"},
        {"id": "d", "my alpha": "", "size": "", "x": ""},
    ]
    mapping = {"id": "layer", "my alpha": "alpha", "size": "N", "x": "lambda_min"}
    table = read(tmp_path, "\ufeff" + to_csv(rows, delimiter), mapping)
    assert [row.name for row in table.rows] == ["a", "b", "c"]
    alphas = [row.cells["alpha"] for row in table.rows]
    assert [cell.value for cell in alphas] == [2.5, -1.0, None]
    assert alphas[0].rounding == pytest.approx(0.005)
    assert [row.cells["N"].value for row in table.rows] == [10, None, 8]
    small = [row.cells["lambda_min"] for row in table.rows]
    assert [cell.value for cell in small] == [1.5e-5, float("-inf"), 2e-7]
    assert small[0].rounding == pytest.approx(5e-7)
    assert small[2].rounding == pytest.approx(5e-9)


@pytest.mark.spec("AUD-1")
@pytest.mark.parametrize("cell", ["", " ", "nan", "none", "null", "na", "n/a", "-", "–"])
@pytest.mark.parametrize("case", [str.lower, str.upper, str.title])
def test_cells_without_a_number(tmp_path, cell, case):
    text = f"layer_id,alpha,log_norm\n1,{case(cell)},2.5\n2,3.25,{case(cell)}\n"
    first, second = read(tmp_path, text).rows
    assert [first.cells["alpha"].value, first.cells["log_norm"].value] == [None, 2.5]
    assert [second.cells["alpha"].value, second.cells["log_norm"].value] == [3.25, None]


@pytest.mark.spec("AUD-1", "AUD-2")
@pytest.mark.parametrize(
    ("text", "mapping", "message"),
    [
        ("", None, "holds no table"),
        ("layer_id,alpha\n", None, "holds no table"),
        ("a,b\n1,2\n", None, "no known tool writes the columns a, b"),
        ("layer_id,alpha\n1,2,3\n", None, "line 2: has 3 cells, not 2"),
        ("layer_id,alpha,alpha\n1,2,3\n", None, "two columns are called 'alpha'"),
        ("layer_id,alpha\n1,2 m\n", None, "line 2: alpha is '2 m', which is not a number"),
        ("layer_id;alpha\n1;2,5\n", None, "line 2: alpha is '2,5', which is not a number"),
        ('layer_id,alpha\n1,"2\n', None, "is not CSV"),
        ("layer_id,alpha\n1,nan\n", None, "no row holds a number"),
        ("n,a\nx,2\n", {"b": "alpha"}, "has no column 'b'. Columns: n, a"),
        ("n,a\nx,2\n", {"a": "alfa"}, "no number is called 'alfa'"),
        ("n,a\nx,2\n", {"n": "layer"}, "nothing to compare"),
        ("n,a\nx,2\n", {"n": "alpha", "a": "alpha"}, "two columns are mapped to alpha"),
    ],
)
def test_refusals(tmp_path, text, mapping, message):
    with pytest.raises(TableError, match=message):
        read(tmp_path, text, mapping)


@pytest.mark.spec("AUD-1")
def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(TableError, match="cannot be read"):
        read_table(tmp_path / "missing.csv")
    (tmp_path / "latin.csv").write_bytes(b"layer_id,alpha\n1,\xe9\n")
    with pytest.raises(TableError, match="not UTF-8"):
        read_table(tmp_path / "latin.csv")
    with pytest.raises(HtsrError, match="not a report"):
        read_table(written(tmp_path, "{}", "b.json"))
    empty = report({"bias": small_model()["fc"][0]}, SDM2020_TEXT).to_json()
    with pytest.raises(TableError, match="analyzes no layer"):
        read_table(written(tmp_path, empty, "c.json"))


@pytest.mark.spec("AUD-2")
def test_a_map_keeps_the_columns_that_are_known(tmp_path):
    ours = {"layer": "fc", "my alpha": 2.5, "lambda_max": 3.0, "alpha": 9.0, "note": "x"}
    table = read(tmp_path, to_csv([ours]), {"my alpha": "alpha"})
    assert table.dialect.name == "mapped columns"
    assert table.rows[0].name == "fc"
    assert {name: cell.value for name, cell in table.rows[0].cells.items()} == {
        "alpha": 2.5,
        "lambda_max": 3.0,
    }
    assert table.left_out == ("alpha", "note")
    theirs = {"layer_id": 1, "longname": "fc", "a": 2.5, "e": 0.1, "log_norm": 1.5}
    table = read(tmp_path, to_csv([theirs]), {"a": "alpha", "e": "alpha_stderr"})
    assert table.dialect.convention == read(tmp_path, to_csv([theirs])).dialect.convention
    assert set(table.rows[0].cells) == {"alpha", "alpha_stderr", "log_norm"}
    assert table.rows[0].name == "fc"


@pytest.mark.spec("AUD-2", "AUD-4")
def test_rows_of_equal_names_match_in_any_order(tmp_path):
    model = {f"block.{i}": small_model()["fc"] * 2.0**i for i in (3, 1, 2, 10)}
    made = report(model, SDM2020_TEXT)
    rows = [
        {"layer": layer.name, "my alpha": m.alpha, "lambda_max": m.lambda_max}
        for layer in made.layers
        for m in layer.matrices
    ]
    for order in (rows, rows[::-1], rows[2:] + rows[:2]):
        table = read(tmp_path, to_csv(order), {"my alpha": "alpha"})
        found = audit_table(SharedSpectra(open_weights(model), "svd"), table, SDM2020_TEXT)
        assert verdicts(found) == {"reproduced": 8}
        assert {layer.matched_by for layer in found.layers} == {"name"}
