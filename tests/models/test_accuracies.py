"""Tables of accuracies: what is read, what is refused, and which file a row is about."""

import pytest

from htsr_ref.errors import HtsrError
from htsr_ref.models.accuracies import Accuracy, match_files, read_accuracies


def read(folder, text, column=None):
    path = folder / "acc.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_accuracies(path, column)


@pytest.mark.spec("TRD-10")
@pytest.mark.parametrize(
    "text",
    [
        "model,accuracy,series\na,0.9,S\nb,71,T\n",
        "model;accuracy;series\r\na;0.9;S\r\nb;71;T\r\n",
        "accuracy\tseries\tmodel\n0.9\tS\ta\n71\tT\tb",
        '\ufeffFile, Series ,epochs,TEST_ACCURACY\n a ,S,1,9e-1\n"b",T,2, 71 \n',
    ],
)
def test_one_table_in_several_spellings(tmp_path, text):
    assert read(tmp_path, text) == (Accuracy("a", 0.9, "S"), Accuracy("b", 71.0, "T"))


@pytest.mark.spec("TRD-10")
def test_which_column_is_the_accuracy(tmp_path):
    text = "model,test_accuracy,accuracy,top5\na,1,2,3\n"
    assert read(tmp_path, text) == (Accuracy("a", 2.0, "all"),)
    assert read(tmp_path, text, "Top5") == (Accuracy("a", 3.0, "all"),)
    assert read(tmp_path, "model,test_accuracy\na,1\n") == (Accuracy("a", 1.0, "all"),)


@pytest.mark.spec("TRD-10")
@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "first line must name columns"),
        ("accuracy\n0.9\n", "first line must name columns"),
        ("model,accuracy;x\na,1;2\n", "first line must name columns"),
        ("name,accuracy\na,1\n", "has no column 'model' or 'file'. Columns: name, accuracy"),
        ("model,loss\na,1\n", "has no column 'accuracy' or 'test_accuracy'. Columns: model, loss"),
        ("model,accuracy,accuracy\na,1,2\n", "two columns are called 'accuracy'"),
        ("model,accuracy\na,98%\n", "line 2: accuracy '98%' is not a number"),
        ("model;accuracy\na;0,98\n", "line 2: accuracy '0,98' is not a number"),
        ("model,accuracy\na,nan\n", "line 2: accuracy 'nan' is not a number"),
        ("model,accuracy\na,1\nb,\n", "line 3: accuracy '' is not a number"),
        ("model,accuracy\na,1,2\n", "line 2: has 3 cells, not 2"),
        ("model,accuracy\na\n", "line 2: has 1 cell, not 2"),
        ("model,accuracy\n,1\n", "line 2: names no model"),
        ("model,accuracy,series\na,1,\n", "line 2: names no series"),
        ("model,accuracy\na,1\na,2\n", "'a' is listed twice"),
        ('model,accuracy\n"a"b,1\n', "line 2: is not CSV"),
        ("model,accuracy\n\xe4,1\n".encode("latin-1"), "is not UTF-8"),
    ],
)
def test_what_is_no_such_table_is_refused_with_its_place(tmp_path, text, message):
    with pytest.raises(HtsrError) as error:
        read(tmp_path, text)
    assert str(error.value).startswith(str(tmp_path / "acc.csv"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_a_table_that_is_not_there(tmp_path):
    with pytest.raises(HtsrError, match=r"none\.csv: cannot be read"):
        read_accuracies(tmp_path / "none.csv")


@pytest.mark.spec("TRD-11")
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("/runs/b/model.v1.h5", True),
        ("b/model.v1.h5", True),
        ("b/model.v1", True),
        ("model.v1.h5", True),
        ("model.v1", True),
        ("./model.v1", True),
        ("model", False),
        ("b", False),
        ("c/model.v1", False),
        ("el.v1", False),
        ("model.v1.npz", False),
        ("MODEL.v1", False),
    ],
)
def test_a_row_names_a_file_by_the_end_of_its_path(name, found):
    row = Accuracy(name, 0.5, "all")
    assert match_files([("/runs/b/model.v1.h5",)], [row]) == [row if found else None]


@pytest.mark.spec("TRD-11")
def test_the_longest_name_wins_and_a_report_is_known_by_its_source_too():
    short, long = Accuracy("model", 0.5, "all"), Accuracy("b/model.h5", 0.6, "all")
    assert match_files([("b/model.h5",)], [short, long]) == [long]
    assert match_files([("r1.json", "model.h5")], [short, long]) == [short]
    assert match_files([("a/model.h5",), ("b/model.h5",)], [short, long]) == [short, long]


@pytest.mark.spec("TRD-11")
def test_two_files_of_one_row_are_refused():
    with pytest.raises(HtsrError, match=r"a/m\.h5 and b/m\.h5 are both called 'm'"):
        match_files([("a/m.h5",), ("b/m.h5",)], [Accuracy("m", 0.5, "all")])
