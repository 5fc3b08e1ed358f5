"""Markdown: a rounded table for people, in which names from strangers have no meaning."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.reports.judgments import LEGEND
from htsr_ref.reports.markdown import number, remarks, to_markdown

pytestmark = pytest.mark.spec("RPT-6")

QUANTILES = np.diag(np.sqrt(60 * (1 - (np.arange(1, 61) - 0.5) / 60) ** (-1 / 1.5)))


def plain(inline: Token) -> str:
    """Text of a heading or cell; markup in it becomes visible as its tag."""
    return "".join(
        child.content if child.type in ("text", "text_special") else f"<{child.type}>"
        for child in inline.children
    )


def read(markdown: str) -> tuple[list[str], list[list[list[str]]]]:
    """Headings and paragraphs, and the rows of every table, as a Markdown reader sees them."""
    texts: list[str] = []
    tables: list[list[list[str]]] = []
    inside = False
    for token in MarkdownIt("commonmark").enable("table").parse(markdown):
        if token.type == "table_open":
            tables.append([])
        elif token.type == "tr_open":
            tables[-1].append([])
        elif token.type in ("th_open", "td_open"):
            inside = True
        elif token.type in ("th_close", "td_close"):
            inside = False
        elif token.type == "inline":
            (tables[-1][-1] if inside else texts).append(plain(token))
    return texts, tables


def test_the_tables_hold_the_reports_numbers():
    report = analyze(
        {"fc": QUANTILES, "eye": np.eye(4), "conv.weight": np.ones((2, 2, 3, 3)), "b": np.ones(2)}
    )
    texts, (model, layers, verdicts, skipped, warnings) = read(to_markdown(report))
    assert texts[0] == "HT-SR report: memory"
    assert texts[1].startswith("Convention sdm2020; htsr-ref ")
    assert texts[1].endswith("Rounded for reading; the JSON report holds the exact numbers.")
    assert model[1] == ["alpha_hat", f"{report.model.alpha_hat:.3f}", "1 of 2 matrices"]
    assert model[3] == [
        "mean_log10_frobenius_norm",
        f"{report.model.mean_log10_frobenius_norm:.3f}",
        "2 of 2 matrices",
    ]
    assert [row[0] for row in model[1:]] == list(report.model.counts)
    fit = report.layers[0].matrices[0]
    assert layers[1] == [
        "fc",
        "weight",
        "1",
        f"{fit.alpha:.3f}",
        f"{fit.ks_distance:.3f}",
        f"{fit.weighted_alpha:.3f}",
        f"{fit.log10_frobenius_norm:.3f}",
        f"{fit.stable_rank:.3f}",
    ]
    assert layers[2] == ["eye", "weight", "1", "–", "–", "–", "0.301", "4.000"]
    assert verdicts[1:] == [
        [name, matrix.verdict.name, matrix.verdict.reason]
        for name, matrix in (("fc", fit), ("eye", report.layers[1].matrices[0]))
    ]
    assert skipped[1:] == [
        ["conv", "min(N, M) = 2 is below min_dim = 50"],
        ["b", "buffer"],
    ]
    assert warnings[1:] == [["eye: no alpha: all 3 positive values are equal"]]


def test_a_report_without_remarks_has_no_table_for_them():
    _, tables = read(to_markdown(analyze({"fc": QUANTILES})))
    assert [table[0][0] for table in tables] == ["model", "layer", "layer"]


def test_changed_choices_and_units_are_named():
    convention = SDM2020_TEXT.override({"average": "layers", "layer_kinds": "weight,embedding"})
    kernel = np.stack([QUANTILES, QUANTILES], axis=-1)
    texts, tables = read(to_markdown(analyze({"conv.weight": kernel}, convention)))
    changed = "Convention sdm2020-text with layer_kinds = weight,embedding, average = layers; "
    assert texts[1].startswith(changed)
    assert tables[0][1][2] == "1 of 1 layers"


printable = st.text(min_size=1).filter(lambda name: name.isprintable() and name == name.strip())


@given(printable)
@example(r"a|b\|c\\|d")
@example("__init__._x_ <b>&lt;</b> `code` *em* [link](http://x) ~~no~~ #")
@example("- 1. item")
def test_names_mean_nothing_in_markdown(name):
    report = analyze({name: QUANTILES, f"{name}.skipped": np.ones(2)})
    # Some names, such as "optimizer", mean something to the reader of weights.
    assume(report.layers[0].skipped is None)
    report = replace(report, source=replace(report.source, name=name), warnings=(f"{name}!",))
    texts, (_, layers, _, skipped, warnings) = read(to_markdown(report))
    assert len(texts) == 3 + len(LEGEND)
    assert texts[0] == f"HT-SR report: {name}"
    assert [row[0] for row in layers[1:]] == [report.layers[0].name]
    assert [row[0] for row in skipped[1:]] == [f"{name}.skipped"]
    assert warnings[1] == [f"{name}!"]


def test_what_does_not_print_is_replaced():
    text = to_markdown(analyze({"\x1b[31m\nred\u202e": QUANTILES}))
    assert "| \ufffd\\[31m\ufffdred\ufffd | weight" in text


@pytest.mark.spec("RPT-5")
def test_remarks_count_the_matrices_that_they_concern():
    kernel = np.zeros((12, 12, 1, 3))
    kernel[:, :, 0, 0] = np.diag([*[1.0] * 11, 9.0])
    kernel[:, :, 0, 1] = np.eye(12)
    report = analyze({"conv.weight": kernel, "i": np.eye(3)}, SDM2020_TEXT.override({"min_dim": 0}))
    report = replace(report, warnings=("the file is odd",))
    assert remarks(report) == [
        "the file is odd",
        "conv: 2 of 3 matrices, such as: no alpha: all 12 positive values are equal",
        "i: no alpha: all 3 positive values are equal",
    ]


@given(st.floats(-1e300, 1e300))
@example(1234567.0)
@example(-123456.0)
def test_numbers_fit_a_column(value):
    text = number(value)
    assert len(text) <= 10
    assert float(text) == pytest.approx(value, abs=5e-4, rel=5e-3)
