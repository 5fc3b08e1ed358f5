"""Pages as parsed HTML: what they say, and that they hold nothing but what they should."""

import base64
import hashlib
import json
import re
from dataclasses import replace
from functools import cache
from xml.etree.ElementTree import Element

import html5lib
import pytest
from builders import power_law_matrix
from hypothesis import given, settings
from model_reports import model
from page_models import BASE, HOSTILE, many_layers, with_hostile_names
from reports import everything, reports

from htsr_ref import analyze
from htsr_ref.conventions import SDM2020_TEXT
from htsr_ref.metric_table import METRICS
from htsr_ref.models.standing import alpha_hat_stderr
from htsr_ref.pages.embedding import page_data
from htsr_ref.pages.page import report_page
from htsr_ref.reports.verdicts import VERDICTS


def parsed(page: str) -> Element:
    """Parse strictly: any error of the HTML is one of the test."""
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)
    return parser.parse(page)


def text_of(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def by_id(tree: Element, name: str) -> Element:
    (found,) = [element for element in tree.iter() if element.get("id") == name]
    return found


def layer_rows(tree: Element) -> list[Element]:
    return by_id(tree, "table").findall("tbody/tr")


def data_of(tree: Element) -> dict:
    return json.loads(by_id(tree, "data").text)


@cache
def page_of_base() -> str:
    return report_page([BASE])


@pytest.mark.spec("PAG-1")
@given(reports())
@settings(max_examples=3)
def test_pages_of_all_reports_are_valid(report):
    page = report_page([report])
    tree = parsed(page)
    assert page == report_page([report])
    assert len(by_id(tree, "layers").findall(".//tbody/tr")) == len(report.analyzed())


@pytest.mark.spec("PAG-1")
def test_nothing_is_loaded_and_only_its_own_style_and_script_may_run():
    tree = parsed(page_of_base())
    policy = next(meta for meta in tree.iter("meta") if meta.get("http-equiv"))
    rules = dict(rule.split(" ", 1) for rule in policy.get("content").split("; "))
    (style,) = tree.iter("style")
    data, script = tree.iter("script")

    def source(text):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        return f"'sha256-{digest}'"

    assert rules == {
        "default-src": "'none'",
        "style-src": source(style.text),
        "script-src": source(script.text),
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert data.get("type") == "application/json"
    attributes = {name for element in tree.iter() for name in element.attrib}
    assert not {name for name in attributes if name.startswith("on")} | attributes & {
        "style",
        "src",
        "action",
    }
    links = {element.get("href") for element in tree.iter() if element.get("href")}
    assert links == {"#layers", "data:,"}
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", page_of_base())


@pytest.mark.spec("PAG-1")
@pytest.mark.parametrize("matrices", [1, pytest.param(9, marks=pytest.mark.slow)])
def test_three_hundred_layers_take_at_most_three_megabytes(matrices):
    report, spectra = many_layers(300, matrices)
    page = report_page([report], [spectra])
    assert len(page.encode("utf-8")) <= 3_000_000
    assert page.count('class="name"') == 300


@pytest.mark.spec("PAG-4", "PAG-5")
def test_layers_stand_by_depth_with_their_own_spectra():
    report, spectra = many_layers(3)
    names = ("h.1", "h.10", "h.2")
    layers = [replace(x, name=n, tensor=n) for x, n in zip(report.layers, names, strict=True)]
    report = replace(report, layers=tuple(layers))
    page = parsed(report_page([report], [spectra]))
    rows = ["".join(row.find("th").itertext()) for row in layer_rows(page)]
    assert rows == ["h.1", "h.2", "h.10"]
    [shown] = data_of(page)["reports"]
    assert [layer["facts"][0][1] for layer in shown["layers"]] == rows
    largest = [max(layer["matrices"][0]["spectrum"][2]) for layer in shown["layers"]]
    assert largest == pytest.approx([spectra[i, 0].values[-1] for i in (0, 2, 1)], rel=1e-4)


@pytest.mark.spec("PAG-2")
def test_hostile_names_are_texts():
    page = report_page([with_hostile_names()])
    tree = parsed(page)
    assert len(list(tree.iter("script"))) == 2
    assert not list(tree.iter("img"))
    shown = [text.encode("unicode_escape").decode() for text in HOSTILE[5:8]]
    shown = [*HOSTILE[:5], *shown, HOSTILE[8], r"\ud800 half", *HOSTILE[10:]]
    # What is a single run of text: `{{ 7*7 }}` stands as it was.
    assert ["".join(row.find("th").itertext()) for row in layer_rows(tree)] == shown
    assert [layer["facts"][0][1] for layer in data_of(tree)["reports"][0]["layers"]] == shown
    assert all(character.isprintable() or character == "\n" for character in page)


@pytest.mark.spec("PAG-3")
def test_the_bottom_line_says_what_alpha_hat_is_and_what_it_rests_on():
    tree = parsed(page_of_base())
    (card,) = list(tree.iter("article"))
    words = text_of(card)
    model_of = BASE.model
    assert f"α̂ = {model_of.alpha_hat:.3f} ± {alpha_hat_stderr(BASE):.3f}" in words
    assert "3 random-like" in words
    assert "over 4 of 4 matrices" in words
    assert "models of the same architecture, trained on the same data" in words
    assert "under the convention sdm2020" in words
    assert "A power law was found in 0 of 4 matrices" in words


@pytest.mark.spec("PAG-3")
def test_noise_is_said_to_be_noise():
    tree = parsed(report_page([model("m", verdict="random-like")]))
    assert "This model as a whole cannot be told from noise" in text_of(tree)


@pytest.mark.spec("PAG-3")
def test_a_model_without_matrices_has_a_page():
    tree = parsed(report_page([analyze({"bias": [1.0, 2.0]})]))
    assert "No weight matrix was analyzed" in text_of(tree)
    assert "1 tensor: bias" in text_of(tree)


@pytest.mark.spec("PAG-4")
def test_the_table_has_the_numbers_of_the_report():
    tree = parsed(page_of_base())
    table = by_id(tree, "table")
    assert text_of(table.find("caption")).startswith("Select a layer")
    heads = table.findall("thead/tr/th")
    assert all(head.get("aria-sort") == "none" for head in heads)
    assert all(head.get("scope") == "col" and head.find("button") is not None for head in heads)
    titles = [text_of(head) for head in heads]
    for row, layer in zip(layer_rows(tree), BASE.analyzed(), strict=True):
        assert (row.find("th").get("scope"), text_of(row.find("th"))) == ("row", layer.name)
        cells = dict(zip(titles[1:], row.findall("td"), strict=True))
        assert text_of(cells["α"]) == f"{layer.means['alpha']:.3f}"
        assert float(cells["α"].get("data-key")) == pytest.approx(layer.means["alpha"], rel=1e-8)
        names = {matrix.verdict.name for matrix in layer.matrices}
        assert set(row.get("data-verdicts").split("|")) == names
        assert all(name in text_of(cells["verdict"]) for name in names)
    assert text_of(layer_rows(tree)[2].findall("td")[0]) == "2 of 60×55"


@pytest.mark.spec("PAG-4")
def test_undefined_numbers_have_no_key():
    tree = parsed(report_page([everything()]))
    rows = {text_of(row.find("th")): row for row in layer_rows(tree)}
    cell = rows["zero"].findall("td")[2]
    assert (text_of(cell), cell.get("data-key")) == ("–", None)


@pytest.mark.spec("PAG-5")
def test_the_script_has_the_numbers_of_every_matrix():
    report, spectra = many_layers(2)
    data = data_of(parsed(report_page([report], [spectra])))
    assert [name for name, _ in data["metrics"]] == list(METRICS)
    for place, layer in enumerate(data["reports"][0]["layers"]):
        (matrix,) = layer["matrices"]
        (wanted,) = report.layers[place].matrices
        for name, value in zip(METRICS, matrix["numbers"], strict=True):
            expected = getattr(wanted, name)
            assert value == (None if expected is None else pytest.approx(expected, rel=5e-5))
        size, ranks, values, low, high, counts = matrix["spectrum"]
        thin = spectra[place, 0]
        assert (size, data["ranks"][ranks]) == (2000, list(thin.ranks))
        assert values == pytest.approx(thin.values, rel=5e-5)
        assert [low, high] == pytest.approx([thin.low, thin.high], rel=5e-5)
        assert counts == list(thin.counts)
        assert matrix["said"][0][1].startswith(wanted.verdict.name)


@pytest.mark.spec("PAG-4")
def test_the_script_knows_the_verdicts():
    """It draws marks by their places in its own list."""
    (found,) = re.findall(r"const VERDICTS = (\[.*\]);", page_of_base())
    assert tuple(json.loads(found)) == VERDICTS


@pytest.mark.spec("PAG-5")
def test_a_saved_report_has_no_spectra():
    tree = parsed(page_of_base())
    matrices = [m for layer in data_of(tree)["reports"][0]["layers"] for m in layer["matrices"]]
    assert [matrix["spectrum"] for matrix in matrices] == [None] * 4
    assert "a saved report holds none" in text_of(tree)


@pytest.mark.spec("PAG-5")
def test_a_page_names_the_law_that_is_drawn():
    bounded = SDM2020_TEXT.override(
        {"estimator": "bounded-mle", "xmax": "largest", "ks_model": "renormalized"}
    )
    cut_off = SDM2020_TEXT.override({"estimator": "truncated"})
    laws = [(SDM2020_TEXT, "plain"), (bounded, "bounded"), (cut_off, "cutoff")]
    for convention, law in laws:
        data = json.loads(page_data([replace(BASE, convention=convention)], [{}], []))
        assert data["reports"][0]["law"] == law


@pytest.mark.spec("PAG-6")
def test_two_reports_stand_side_by_side():
    first = analyze({"a": power_law_matrix(2.5, n=60), "b": power_law_matrix(3.0)})
    second = analyze({"b": power_law_matrix(2.0), "c": power_law_matrix(2.0)})
    pair = [
        replace(report, source=replace(report.source, name=name))
        for report, name in ((first, "one"), (second, "two"))
    ]
    tree = parsed(report_page(pair))
    rows = {text_of(row.find("th")): row.findall("td") for row in layer_rows(tree)}
    assert list(rows) == ["a", "b", "c"]
    before, after = first.layers[1].means["alpha"], second.layers[0].means["alpha"]
    assert text_of(rows["b"][1]) == f"{before:.3f}"
    assert text_of(rows["b"][5]) == f"{after:.3f}"
    assert text_of(rows["b"][-1]) == f"{after - before:+.3f}"
    assert [text_of(rows[name][-1]) for name in ("a", "c")] == ["–", "–"]
    assert data_of(tree)["rows"] == [[0, None], [1, 0], [None, 1]]
    groups = by_id(tree, "table").findall("thead/tr/th[@scope='colgroup']")
    assert [(text_of(group), group.get("colspan")) for group in groups] == [
        ("one", "4"),
        ("two", "4"),
    ]


@pytest.mark.spec("PAG-6")
def test_models_are_in_their_order():
    pages = [model("best", 1.0), model("third", 3.0), model("second", 2.0)]
    tree = parsed(report_page(pages))
    rows = tree.findall(".//table[@class='models']/tbody/tr")
    assert [text_of(row.find("th")) for row in rows] == ["best", "second", "third"]
    assert [text_of(row.find("td")) for row in rows] == ["1", "2", "3"]


@pytest.mark.spec("PAG-6")
def test_different_conventions_have_no_order():
    other = analyze({"fc": power_law_matrix(2.0, n=24)}, SDM2020_TEXT)
    tree = parsed(report_page([model("a"), replace(other, source=model("b").source)]))
    assert "α̂ cannot be compared" in text_of(tree)
    rows = tree.findall(".//table[@class='models']/tbody/tr")
    assert [text_of(row.find("td")) for row in rows] == ["–", "–"]
    differing = tree.findall(".//tr[@class='differs']")
    names = [text_of(row.find("th")).split()[0] for row in differing]
    assert "normalization" in names
    ours, theirs = (report.convention.values() for report in (model("a"), other))
    assert set(names) == {name for name in ours if ours[name] != theirs[name]}


@pytest.mark.spec("PAG-6")
def test_layers_of_one_name_stay_apart():
    twice = replace(BASE, layers=BASE.layers[:1] * 2)
    tree = parsed(report_page([twice]))
    assert [text_of(row.find("th")) for row in layer_rows(tree)] == ["random", "random"]
    assert data_of(tree)["rows"] == [[0], [1]]
