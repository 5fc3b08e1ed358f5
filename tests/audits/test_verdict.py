"""Single numbers, and rows beside matrices."""

import math

import numpy as np
import pytest
from audit_tables import audited, from_csv, report, small_model, to_csv, verdicts, written
from hypothesis import given
from hypothesis import strategies as st

from htsr_ref.audits.printed import Printed
from htsr_ref.audits.tables import TheirRow
from htsr_ref.audits.verdict import Compared, agree, digits
from htsr_ref.conventions import CONVENTIONS, SDM2020_TEXT
from htsr_ref.weights import open_weights

WEIGHTS = open_weights(small_model())
numbers = st.floats(-1e6, 1e6).filter(lambda x: abs(x) > 1e-6)


@pytest.mark.spec("AUD-3", "AUD-7")
@given(st.floats(0.01, 9.0), st.integers(0, 4))
def test_a_number_agrees_with_its_own_rounding_and_not_with_another(x, places):
    printed = Printed(float(f"{x:.{places}f}"), 0.5 * 10.0**-places)
    assert agree(printed, x)
    assert not agree(printed, x + 1.1 * 10.0**-places)


@pytest.mark.spec("AUD-7")
@given(numbers)
def test_exact_numbers_agree_to_a_millionth(x):
    assert agree(Printed(x * (1 + 0.9e-6)), x)
    assert not agree(Printed(x * (1 + 1.1e-6)), x)


@pytest.mark.spec("AUD-7")
def test_what_is_no_number_agrees_with_nothing_else():
    assert agree(Printed(None), None)
    assert not agree(Printed(None), 1.0)
    assert not agree(Printed(1.0), None)
    assert not agree(Printed(math.inf), 1e300)
    assert not agree(Printed(1.0, 0.5), math.inf)


@pytest.mark.spec("AUD-7")
def test_digits():
    assert digits([]) == digits([(1.0, 1.0)]) == 15
    assert digits([(1.0, 1.0), (-2.0, -2.0 * (1 + 3e-8))]) == 7
    assert digits([(0.0, 1.0)]) == 0


@pytest.mark.spec("AUD-7")
def test_only_numbers_that_are_reproduced_are_counted_in_digits():
    cells = {"a": Printed(2.00000001), "b": Printed(None), "c": Printed(5.0)}
    row = TheirRow("line 2", "W", None, None, None, cells)
    compared = Compared(row, "", {"a": 2.0, "b": None, "c": 7.0}, None, {})
    assert list(compared.reproduced()) == [(2.00000001, 2.0)]
    assert list(Compared(row, "", None, "not analyzed", {}).reproduced()) == []


@pytest.mark.spec("AUD-7", "SPC-4")
def test_the_smallest_singular_value_of_a_singular_matrix_is_noise(tmp_path):
    WW = CONVENTIONS["weightwatcher-0.7.7"]
    singular = np.outer(np.arange(1.0, 31), np.ones(20)) + np.eye(30, 20) * np.r_[np.ones(19), 0]
    singular[:, 19] = singular[:, 18]
    weights = open_weights({"W": singular})
    row = {"layer_id": 0, "longname": "W", "sv_max": np.linalg.norm(singular, 2), "alpha": ""}
    for sv_min, verdict in ((3e-14, "reproduced"), (1e-6, "unexplained")):
        path = written(tmp_path, to_csv([{**row, "sv_min": sv_min}]))
        found = audited(weights, path, WW, most=0)
        (cell,) = [c for c in found.cells() if c.column == "sv_min"]
        assert cell.verdict == verdict


@pytest.mark.spec("AUD-6")
def test_rows_are_paired_by_label_and_a_single_one_with_the_means(tmp_path):
    made = report(WEIGHTS, SDM2020_TEXT)
    rows = [row for row in from_csv(made.to_csv()) if row["layer"] == "conv"]
    assert len(rows) == 4
    found = audited(WEIGHTS, written(tmp_path, to_csv(rows[::-1])), SDM2020_TEXT)
    assert set(verdicts(found)) == {"reproduced"}
    assert [row.label for row in found.layers[0].rows] == ["[1,1]", "[1,0]", "[0,1]", "[0,0]"]
    found = audited(WEIGHTS, written(tmp_path, made.to_csv("layer")), SDM2020_TEXT)
    assert set(verdicts(found)) == {"reproduced"}
    assert {row.label for layer in found.layers for row in layer.rows} == {""}


@pytest.mark.spec("AUD-6")
def test_rows_without_numbers_of_ours_say_why(tmp_path):
    made = report(WEIGHTS, SDM2020_TEXT.override({"min_dim": 0}))
    rows = [row for row in from_csv(made.to_csv()) if row["layer"] in ("conv", "thin")][1:]
    found = audited(WEIGHTS, written(tmp_path, to_csv(rows)), SDM2020_TEXT, most=0)
    reasons = {row.reason for layer in found.layers for row in layer.rows}
    assert reasons == {
        "3 rows there, 4 matrices here",
        "min(N, M) = 12 is below min_dim = 50",
    }
    assert set(verdicts(found)) == {"unexplained"}
    assert all(cell.ours is None for cell in found.cells())
