"""The table of a report on terminals of several widths, and whole."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from model_reports import BASE
from rich.cells import cell_len

from htsr_ref import HtsrError, analyze
from htsr_ref.conventions import SDM2020
from htsr_ref.reports.plain_text import TableChoices, report_table
from htsr_ref.reports.verdicts import VERDICTS
from htsr_ref.text.layout import Layout

pytestmark = pytest.mark.spec("RPT-12")

HOSTILE = (
    "\u202eright.to.left",
    "a\u0301\u0302\u0303\u0304\u0305\u0306" * 9,
    "\u0301\u0301",
    "層" * 70,
    "x" * 5000,
    "\x1b[31mred\x1b]0;title\x07",
    "two\nlines\r\tand\vmore",
    "‮שלום.עולם",
    "\u115f\u3164\ufe0f",
    "ｆｕｌｌ－ｗｉｄｔｈ．😀",
)


def layer(name, alpha=2.5, verdict="power law", **numbers):
    """A layer of one matrix of 24 eigenvalues whose numbers are chosen."""
    (found,) = BASE.layers
    (matrix,) = found.matrices
    means = found.means | {
        "alpha": alpha,
        "ks_distance": 0.125,
        "tail_size": 12.0,
        "weighted_alpha": -1.5,
        "log10_frobenius_norm": 0.75,
        "stable_rank": 3.25,
        **{name: number for name, number in numbers.items() if name in found.means},
    }
    verdict = replace(matrix.verdict, name=verdict, reason="ξ = 0.50 ± 0.25: a heavy tail")
    extreme = replace(matrix.extreme_value, xi=0.5)
    chosen = {"alpha": alpha, "alpha_stderr": 0.25, "N": 4096, "M": 24, "p_value": None}
    matrix = replace(matrix, verdict=verdict, extreme_value=extreme, **(chosen | numbers))
    return replace(found, name=name, matrices=(matrix,), means=means, warnings=())


def report(*layers):
    return replace(BASE, layers=layers, warnings=())


def first_table(text):
    """Lines of the table of layers: its head, its rule, its rows and what follows at once."""
    return text.split("\n\n")[1].splitlines()


MODEL = report(
    layer("model.layers.9.self_attn.query_projection", 2.125),
    layer("model.layers.10.self_attn.query_projection", verdict="random-like"),
    layer("lm_head", 12.0, "no power law (edge)"),
)


def test_eighty_columns():
    """Names have 24 cells at least; with them α, ±, D, tail and the verdict take 73.

    α·log λmax would take 12 more.
    """
    table = first_table(report_table(MODEL, Layout(80)))
    assert re.split(r"\s{2,}", table[0])[-1] == "verdict"
    names = [line.split()[0] for line in table[2:5]]
    assert len(set(names)) == 3
    assert (".9." in names[0], ".10." in names[1], names[2]) == (True, True, "lm_head")
    numbers = "0.250  0.125    12"
    assert table[2].endswith(f"   2.125  {numbers}  power law")
    assert table[3].endswith(f"   2.500  {numbers}  random-like")
    assert table[4].endswith(f"  12.000  {numbers}  no power law (edge)")
    left_out = "not shown in 80 columns: N×M, α·log λmax, log‖W‖F, stable rank, ξ; --columns"
    assert table[5] == left_out
    assert table[6] == "  chooses"
    assert max(map(cell_len, table)) <= 80


def test_a_hundred_columns():
    table = first_table(report_table(MODEL, Layout(100)))
    assert max(map(cell_len, table)) <= 100
    numbers = "0.250  0.125    12      -1.500"
    assert table[2].endswith(f"  4096×24   2.125  {numbers}  power law")
    assert table[4].endswith(f"  4096×24  12.000  {numbers}  no power law (edge)")
    assert table[5] == "not shown in 100 columns: log‖W‖F, stable rank, ξ; --columns chooses"


WHOLE = (
    """\
layer                                       N×M       alpha      ±      D  tail  α·log λmax  \
log‖W‖F  stable rank     ξ  verdict
"""
    + "─" * 140
    + """
model.layers.9.self_attn.query_projection   4096×24   2.125  0.250  0.125    12      -1.500  \
  0.750          3.2  0.50  power law
model.layers.10.self_attn.query_projection  4096×24   2.500  0.250  0.125    12      -1.500  \
  0.750          3.2  0.50  random-like
lm_head                                     4096×24  12.000  0.250  0.125    12      -1.500  \
  0.750          3.2  0.50  no power law (edge)"""
)


@pytest.mark.parametrize("layout", [Layout(160), Layout()])
def test_where_all_fits_all_is_shown(layout):
    assert "\n".join(first_table(report_table(MODEL, layout))) == WHOLE


@pytest.mark.parametrize("width", [80, 100, 160, None])
def test_colors_are_added_to_the_words_alone(width):
    colored = report_table(MODEL, Layout(width, color=True))
    assert re.sub(r"\x1b\[\d+m", "", colored) == report_table(MODEL, Layout(width))
    painted = re.findall(r"\x1b\[(\d+)m(.*?)\x1b\[0m", colored)
    assert [word for _, word in painted] == ["power law", "random-like", "no power law (edge)"]
    assert len({color for color, _ in painted}) == 3


@pytest.mark.parametrize("width", [80, 100, 160, None])
@pytest.mark.parametrize("color", [False, True])
def test_hostile_names_keep_to_their_cells(width, color):
    model = report(*(layer(name, 2.0 + place) for place, name in enumerate(HOSTILE)))
    shown = report_table(model, Layout(width, color))
    plain = re.sub(r"\x1b\[\d+m", "", shown)
    assert all(line.isprintable() for line in plain.splitlines())
    rows = first_table(plain)[2 : 2 + len(HOSTILE)]
    if width is not None:
        assert max(map(cell_len, rows)) <= width
        assert {cell_len(row[: row.index(f"{2 + i}.000")]) for i, row in enumerate(rows)} <= {
            cell_len(rows[0][: rows[0].index("2.000")]),
            cell_len(rows[0][: rows[0].index("2.000")]) - 1,
        }
    starts = [re.split(r" {2,}", row)[0] for row in rows]
    assert len(set(starts)) == len(HOSTILE)


EVERY_SMALL_ONE = SDM2020.override({"min_dim_applies_to": "all"})

NUMBERS = st.floats(-1e200, 1e200, allow_nan=False, allow_infinity=False)


@settings(max_examples=25)
@given(st.lists(NUMBERS, min_size=1, max_size=4), st.integers(40, 170), st.sampled_from(HOSTILE))
def test_numbers_are_never_cut(alphas, width, name):
    model = report(*(layer(f"{name}{place}", alpha) for place, alpha in enumerate(alphas)))
    rows = [line for line in first_table(report_table(model, Layout(width))) if "power law" in line]
    # A number of three digits, or of three significant ones where that would be long.
    assert all(
        f"{alpha:.3f}" in row or f"{alpha:.2e}" in row
        for alpha, row in zip(alphas, rows, strict=True)
    )


def test_rows_are_sorted_by_depth_and_by_any_column():
    names = ["h.0", "h.1", "h.10", "h.2"]
    alphas = [2.0, None, 4.0, 3.0]
    model = report(*(layer(name, alpha) for name, alpha in zip(names, alphas, strict=True)))

    def order(by):
        table = first_table(report_table(model, Layout(), TableChoices(sort=by)))
        return [line.split()[0] for line in table[2:]]

    assert order("depth") == ["h.0", "h.1", "h.2", "h.10"]
    assert order("-depth") == ["h.10", "h.2", "h.1", "h.0"]
    assert order("alpha") == ["h.0", "h.2", "h.10", "h.1"]
    assert order("-alpha") == ["h.10", "h.2", "h.0", "h.1"]
    assert order("-layer") == ["h.10", "h.2", "h.1", "h.0"]
    with pytest.raises(HtsrError, match=r"there is no column 'alpa'\. Did you mean 'alpha'"):
        order("alpa")


def test_chosen_columns_stand_alone_and_in_their_order():
    chosen = TableChoices(("verdict", "layer", "N", "alpha", "lambda_max"))
    pieces = report_table(report(layer("fc", lambda_max=0.5)), Layout(80), chosen).split("\n\n")
    head, _, row = pieces[1].splitlines()
    assert head.split() == ["verdict", "layer", "N", "alpha", "lambda_max"]
    assert re.split(" {2,}", row) == ["power law", "fc", "4096", "2.500", "0.5"]
    assert not any(piece.startswith("layer  why") for piece in pieces)
    with pytest.raises(HtsrError, match=r"there is no column 'alhpa'\. Did you mean 'alpha'"):
        report_table(MODEL, None, TableChoices(("layer", "alhpa")))


@pytest.mark.spec("RPT-3", "RPT-12")
def test_what_repeats_itself_is_said_once_on_a_terminal():
    W = np.random.default_rng(0).standard_t(2, (60, 55))
    model = analyze(
        {"fc": W, **{f"small.{i}": np.ones((4, 3 + i)) for i in range(27)}}, EVERY_SMALL_ONE
    )
    small = "skipped: small.26: min(N, M) = 4 is below min_dim = 50"
    cure = "(--set min_dim=0 analyzes"
    for shown in (
        report_table(model),
        report_table(model, Layout(160), TableChoices(listed=True)),
    ):
        assert f"{small} {cure} it)" in shown
        assert shown.count("\nskipped: small.") == 27
    brief = " ".join(report_table(model, Layout(100)).split())
    assert (
        f"skipped: 27 layers: below min_dim = 50 {cure} them): small.0, small.1, small.2 and 24 "
        "more; --skipped lists them"
    ) in brief
    assert "small.3" not in brief


@pytest.mark.spec("RPT-5", "RPT-12")
def test_warnings_that_differ_in_numbers_are_one_on_a_terminal():
    layers = [
        replace(layer(f"h.{i}"), warnings=(f"alpha rests on a tail of {i} values",))
        for i in range(5)
    ]
    few, many = report(*layers[:3]), report(*layers)
    assert report_table(few, Layout(100)).count("\nwarning: ") == 3
    assert report_table(many).count("\nwarning: ") == 5
    assert report_table(many, Layout(100), TableChoices(listed=True)).count("warning: ") == 5
    assert (
        "\nwarning: h.0: alpha rests on a tail of 0 values; 4 more of this kind: --skipped lists "
        "them\n"
    ) in report_table(many, Layout(100))


def test_every_verdict_has_a_color_and_mixed_ones_none():
    shown = report_table(report(*(layer(v, verdict=v) for v in VERDICTS)), Layout(160, color=True))
    assert {word for _, word in re.findall(r"\x1b\[(\d+)m(.*?)\x1b\[0m", shown)} == set(VERDICTS)
    both = layer("fc", verdict="undecided").matrices + layer("fc").matrices
    mixed = report_table(report(replace(layer("fc"), matrices=both)), Layout(160, color=True))
    assert "\x1b" not in mixed
    assert "1 undecided, 1 power law" in mixed
