"""CSV, written and read again: cells, lines, separators, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.errors import TableError
from htsr_ref.text.csvtext import DELIMITERS, CsvRow, csv_text, parse_csv, read_csv

CELLS = st.text('ab1é ,;\t"\r\n', max_size=8)


@st.composite
def tables(draw):
    """Column names that are plain, and rows of any text of which not all is blank."""
    columns = [f"c{i}" for i in range(draw(st.integers(2, 4)))]
    cells = st.lists(CELLS, min_size=len(columns), max_size=len(columns))
    return columns, draw(st.lists(cells.filter(lambda row: any(map(str.strip, row))), max_size=4))


@pytest.mark.spec("RPT-6", "AUD-1", "TRD-10")
@given(tables())
def test_what_is_written_is_read_but_for_outer_blanks(table):
    columns, rows = table
    text = csv_text(columns, [dict(zip(columns, row, strict=True)) for row in rows])
    found = parse_csv(text, "x.csv")
    assert found.columns == tuple(columns)
    assert [list(row.cells) for row in found.rows] == [[c.strip() for c in row] for row in rows]


@pytest.mark.spec("AUD-1", "TRD-10")
@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_rows_know_their_lines(delimiter, end):
    lines = ["a,b", "1,2", "", " , ", '"3\n4",5', "6,7"]
    found = parse_csv(end.join(lines).replace(",", delimiter), "x.csv")
    assert (found.delimiter, found.columns) == (delimiter, ("a", "b"))
    assert found.rows == (
        CsvRow(2, ("1", "2")),
        CsvRow(6, ("3\n4", "5")),
        CsvRow(7, ("6", "7")),
    )


@pytest.mark.spec("AUD-1", "TRD-10")
@pytest.mark.parametrize("text", ["", "\n", " \n,\n"])
def test_text_without_cells_has_no_columns(text):
    found = parse_csv(text, "x.csv")
    assert (found.columns, found.rows) == ((), ())


@pytest.mark.spec("AUD-1", "TRD-10")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,b\n1,2\n3\n", r"^x\.csv: line 3: has 1 cell, not 2$"),
        ("a,b\n\n1,2,3\n", r"^x\.csv: line 3: has 3 cells, not 2$"),
        ('a,b\n1,"2\n3,4\n', r"^x\.csv: line 2: is not CSV"),
        ('a,b\n"1"2,3\n', r"^x\.csv: line 2: is not CSV"),
    ],
)
def test_refusals_name_the_line(text, message):
    with pytest.raises(TableError, match=message):
        parse_csv(text, "x.csv")


@pytest.mark.spec("AUD-1", "TRD-10")
def test_files(tmp_path):
    path = tmp_path / "x.csv"
    with pytest.raises(TableError, match=r"x\.csv: cannot be read"):
        read_csv(path)
    path.write_bytes("\ufeffa;b\r\nä;1\r\n".encode())
    assert read_csv(path).rows == (CsvRow(2, ("ä", "1")),)
    path.write_bytes(b"a,b\n\xe4,1\n")
    with pytest.raises(TableError, match=r"x\.csv: is not UTF-8"):
        read_csv(path)
