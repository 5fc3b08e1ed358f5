"""`htsr audit`: forms, exit codes, and what is said of bad input."""

import json
import re

import numpy as np
import pytest
from audit_tables import from_csv, small_model, to_csv
from conversions import FIXTURES
from safetensors.numpy import load_file, save_file


@pytest.fixture
def weights(tmp_path):
    path = tmp_path / "model.safetensors"
    save_file({name: np.ascontiguousarray(W) for name, W in small_model().items()}, path)
    return path


@pytest.fixture
def theirs(htsr, weights, tmp_path):
    """A table in WeightWatcher's columns."""
    path = tmp_path / "details.csv"
    options = ("--convention", "weightwatcher", "--solver", "svd", "--columns", "weightwatcher")
    assert htsr("analyze", weights, *options, "--csv", "-o", path).code == 0
    return path


@pytest.mark.spec("AUD-2", "AUD-14")
def test_a_table_of_weightwatcher(htsr, terminal, weights, theirs):
    outcome = htsr("audit", weights, theirs)
    assert (outcome.code, outcome.err) == (0, "")
    lines = outcome.out.splitlines()
    told = " ".join(outcome.out.split())
    assert told.startswith(f"{theirs}: columns of WeightWatcher, held to weightwatcher-0.7.7 ")
    assert " layers: 0 unexplained, " in told
    assert max(map(len, lines[1:])) <= terminal
    header = next(line for line in lines if line.startswith("mean over layers"))
    path = lines[lines.index(header) + 2 :]
    assert path[0].startswith("sdm2020 ")
    assert any(line.startswith("normalization = weightwatcher-conv ") for line in path)
    assert any(line.startswith("sum ") for line in path)
    assert any(line.startswith("theirs − sum ") for line in path)


@pytest.mark.spec("FMT-27")
@pytest.mark.usefixtures("scripts_here")
def test_what_was_converted_is_kept(htsr, tmp_path):
    model, kept = FIXTURES / "same" / "pytorch.pt", tmp_path / "kept.safetensors"
    theirs = tmp_path / "report.csv"
    assert htsr("analyze", model, "--csv", "-o", theirs).code == 0
    outcome = htsr("audit", model, theirs, "--changes", 0, "--keep-converted", kept)
    assert (outcome.code, outcome.err) == (0, "")
    # Its numbers are PyTorch's: those of the file that safetensors wrote of the same network.
    wanted = load_file(FIXTURES / "same" / "huggingface" / "model.safetensors")
    found = load_file(kept)
    assert all(array.tobytes() == found[name].tobytes() for name, array in wanted.items())
    refused = htsr("audit", model, theirs, "--keep-converted", theirs)
    assert refused.code == 2
    assert refused.err.count("\n") == 1


@pytest.mark.spec("AUD-12", "AUD-14")
def test_another_convention_is_explained_and_the_means_add_up(htsr, weights, tmp_path):
    table = tmp_path / "a.csv"
    htsr("analyze", weights, "--set", "normalization=1/N", "--solver", "svd", "--csv", "-o", table)
    outcome = htsr("audit", weights, table, "--convention", "sdm2020")
    assert outcome.code == 0
    assert "the choices that reproduce most: sdm2020 with normalization = 1/N\n" in outcome.out
    table = outcome.out.split("mean over layers")[1].splitlines()
    cells = [re.split(r"\s{2,}", line) for line in table[2:6]]
    path = {name: np.array(numbers, float) for name, *numbers in cells}
    start, added, end, _ = path.values()
    assert list(path) == ["sdm2020", "normalization = 1/N", "sum", "theirs − sum"]
    assert start + added == pytest.approx(end, abs=2e-3)


@pytest.mark.spec("AUD-11")
def test_the_path_says_where_layers_enter(htsr, weights, theirs):
    outcome = htsr("audit", weights, theirs)
    path = outcome.out.split("mean over layers")[1]
    assert "layer_kinds = weight,embedding (+ 1 layers)" in path
    assert "min_dim = 0 (+ 1 layers)" in path


@pytest.mark.spec("AUD-2")
def test_a_mapped_table_of_unknown_convention(htsr, weights, theirs, tmp_path):
    rows = [
        {"where": row["longname"], "the alpha": row["alpha"], "max": row["lambda_max"]}
        for row in from_csv(theirs.read_text())
    ]
    table = tmp_path / "mine.csv"
    table.write_text(to_csv(rows, ";"))
    maps = ["--map", "where=layer", "--map", "the alpha=alpha", "--map", "max=lambda_max"]
    outcome = htsr("audit", weights, table, *maps, "--json")
    assert outcome.code == 0
    data = json.loads(outcome.out)
    assert data["claimed"] is None
    assert data["explanation"] == {"base": "weightwatcher-0.7.7", "changes": {}}
    assert data["counts"]["reproduced"] == 2 * len(rows)


@pytest.mark.spec("AUD-8")
def test_what_is_unexplained_exits_with_1(htsr, weights, theirs, tmp_path):
    rows = from_csv(theirs.read_text())
    rows[2]["D"] = str(float(rows[2]["D"]) + 1e-3)
    table = tmp_path / "wrong.csv"
    table.write_text(to_csv(rows))
    outcome = htsr("audit", weights, table, "--changes", "0")
    assert outcome.code == 1
    (line,) = [line for line in outcome.out.splitlines() if line.endswith(" unexplained")]
    assert line.split()[0] == rows[2]["longname"]
    assert line.split()[3] == "D"
    out = tmp_path / "audit.md"
    assert htsr("audit", weights, table, "--changes", "0", "-o", out).code == 1
    assert out.read_text().startswith("# Audit of ")


@pytest.mark.spec("AUD-8", "AUD-12")
def test_a_claim_can_be_withdrawn_and_long_lists_are_cut(htsr, weights, theirs):
    outcome = htsr("audit", weights, theirs, "--convention", "unknown", "--changes", "0")
    assert outcome.code == 0
    assert "the choices that reproduce most: weightwatcher-0.7.7\n" in outcome.out
    outcome = htsr("audit", weights, theirs, "--convention", "sdm2020", "--changes", "0")
    assert outcome.code == 1
    listed = [line for line in outcome.out.splitlines() if re.search(" unexplained(:|$)", line)]
    (more,) = re.findall(r"and (\d+) numbers more: --json lists them all", outcome.out)
    (total,) = re.findall(r"(\d+) unexplained, 0 known", outcome.out)
    assert len(listed) == 40
    assert int(more) == int(total) - 40


@pytest.mark.spec("AUD-5", "AUD-14")
def test_a_table_of_another_model_is_audited_row_by_row(htsr, theirs, tmp_path):
    other = tmp_path / "other.safetensors"
    save_file({"h": np.ones((9, 9))}, other)
    outcome = htsr("audit", other, theirs)
    assert (outcome.code, outcome.err) == (1, "")
    told = " ".join(outcome.out.split())
    assert "no row belongs to a layer of the weights: is it the table of this model?" in told
    rows = re.findall(r"row without a layer: (\w+) \(line \d\): no layer without a row has", told)
    assert rows == [row["longname"] for row in from_csv(theirs.read_text())]
    assert "layer without a row: h" in told
    data = json.loads(htsr("audit", other, theirs, "--json").out)
    assert {layer["matched_by"] for layer in data["layers"]} == {None}
    assert sum(data["counts"].values()) == data["counts"]["unexplained"] > 0


@pytest.mark.spec("AUD-1", "AUD-2")
def test_bad_input_is_one_line_and_exit_2(htsr, weights, theirs, tmp_path):
    plain = tmp_path / "plain.csv"
    plain.write_text("name,value\nfc,1\n")
    cases = [
        ((weights, plain), "no known tool writes the columns name, value"),
        ((weights, plain, "--map", "value"), "write COLUMN=NUMBER"),
        ((weights, plain, "--map", "value=x"), "no number is called 'x'"),
        ((weights, tmp_path / "no.csv"), "cannot be read"),
        ((weights, theirs, "--convention", "mine"), "no convention 'mine'"),
        ((weights, theirs, "-o", tmp_path / "a.csv"), "an audit is a table, JSON or Markdown"),
    ]
    for arguments, message in cases:
        outcome = htsr("audit", *arguments)
        assert outcome.code == 2, arguments
        assert message in outcome.err
        assert outcome.err.count("\n") == 1
        assert outcome.out == ""
