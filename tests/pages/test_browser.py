"""Pages in a headless Chromium: opened, sorted, filtered, clicked and printed; needs Playwright."""

import math
import shutil
import time

import pytest
from page_models import BASE, HOSTILE, many_layers, with_hostile_names

from htsr_ref.pages.page import report_page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def chromium():
    api = pytest.importorskip("playwright.sync_api")
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("there is no Chromium")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(chromium, tmp_path):
    """Open a page; nothing may be requested, and the console has to stay empty."""
    said = []
    context = chromium.new_context(viewport={"width": 1280, "height": 900})

    def open_page(page):
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        tab = context.new_page()
        tab.on("console", lambda message: said.append(message.text))
        tab.on("pageerror", lambda error: said.append(str(error)))
        tab.on("dialog", lambda dialog: (said.append(dialog.message), dialog.dismiss()))
        tab.on("request", lambda request: said.append(request.url))
        tab.goto(path.as_uri())
        assert said.pop(0) == path.as_uri()
        return tab

    yield open_page
    context.close()
    assert said == []


def names(tab):
    return tab.locator("#table tbody tr:visible button.name").all_inner_texts()


def alphas(tab):
    return [float(text) for text in tab.locator("#table tbody td:nth-child(4)").all_inner_texts()]


def test_three_hundred_layers_are_drawn_and_chosen_at_once(opened):
    report, spectra = many_layers()
    page = report_page([report], [spectra])
    started = time.monotonic()
    tab = opened(page)
    took = time.monotonic() - started
    assert len(names(tab)) == 300
    assert tab.locator("#overview svg .point").count() == 300
    tab.locator("button.name").nth(7).click()
    assert tab.locator("#panel h3").inner_text() == report.layers[7].name
    assert tab.locator("#panel figure > svg").count() == 2
    assert tab.locator("#panel figure > svg").nth(0).locator("circle.dot").count() > 100
    print(f"opened in {took:.2f} s")


def test_columns_are_sorted_by_keyboard(opened):
    tab = opened(report_page([many_layers(30)[0]]))
    in_file_order = names(tab)
    head = tab.locator("#table thead th", has_text="α").nth(0)
    head.locator("button").focus()
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "ascending"
    assert alphas(tab) == sorted(alphas(tab))
    tab.keyboard.press("Enter")
    assert head.get_attribute("aria-sort") == "descending"
    assert alphas(tab) == sorted(alphas(tab), reverse=True)
    tab.keyboard.press("Space")
    assert head.get_attribute("aria-sort") == "none"
    assert names(tab) == in_file_order


def test_names_are_sorted_by_their_numbers(opened):
    tab = opened(report_page([many_layers(75)[0]]))
    in_file_order = names(tab)
    for _ in range(2):
        tab.locator("#table thead button").first.click()
    assert names(tab) == in_file_order[::-1]


def test_rows_are_filtered_by_name_and_verdict(opened):
    tab = opened(report_page([BASE]))
    tab.fill("#filter-name", "C")
    assert (names(tab), tab.inner_text("#shown")) == (["conv"], "1 of 3 layers")
    tab.fill("#filter-name", "")
    wanted = BASE.layers[1].matrices[0].verdict.name
    tab.select_option("#filter-verdict", wanted)
    assert names(tab) == ["heavy"]
    tab.select_option("#filter-verdict", "")
    assert tab.inner_text("#shown") == "3 layers"


def test_layers_are_chosen_by_keyboard(opened):
    tab = opened(report_page([BASE]))
    tab.locator("button.name").first.focus()
    tab.keyboard.press("ArrowDown")
    tab.keyboard.press("Enter")
    assert tab.locator("#panel h3").inner_text() == "heavy"
    assert tab.evaluate("document.activeElement.id") == "panel"
    tab.get_by_role("button", name="Next layer").click()
    assert tab.locator("#panel h3").inner_text() == "conv"
    assert tab.get_by_role("button", name="Next layer").is_disabled()
    tab.get_by_role("button", name="Back to the table").click()
    assert tab.evaluate("document.activeElement.textContent") == "conv"
    assert tab.locator("[aria-current]").inner_text() == "conv"


def test_each_matrix_of_a_layer_has_its_figures(opened):
    tab = opened(report_page([BASE]))
    tab.locator("button.name").nth(2).click()
    row = tab.locator("#panel .scroll tr", has_text="lambda_max").first
    shown = [row.locator("td").first.inner_text()]
    tab.locator("#panel select").select_option("1")
    shown.append(row.locator("td").first.inner_text())
    matrices = BASE.layers[2].matrices
    assert [float(text) for text in shown] == pytest.approx(
        [matrix.lambda_max for matrix in matrices], rel=5e-4
    )


def test_hostile_names_do_nothing(opened):
    tab = opened(report_page([with_hostile_names(), with_hostile_names()]))
    for place in range(len(HOSTILE)):
        tab.locator("button.name").nth(place).click()
        assert tab.locator("#panel h3").inner_text() == names(tab)[place]
    assert tab.locator("img, body script:not([type])").count() == 1


@pytest.mark.parametrize("width", [320, 400, 800, 1280, 1800])
def test_nothing_is_wider_than_the_window(opened, width):
    tab = opened(report_page([with_hostile_names(), BASE]))
    tab.set_viewport_size({"width": width, "height": 800})
    tab.locator("button.name").nth(1).click()
    assert tab.evaluate("document.documentElement.scrollWidth") <= width


def test_a_page_prints_all_that_it_holds(opened):
    tab = opened(report_page([BASE]))
    assert tab.locator("details:not([open])").count() > 0
    tab.evaluate("window.dispatchEvent(new Event('beforeprint'))")
    assert tab.locator("details:not([open])").count() == 0
    assert tab.pdf().startswith(b"%PDF")


def test_curves_are_those_of_the_laws(opened):
    """The fitted line starts at the share of the tail and falls as a power law of alpha - 1."""
    report, spectra = many_layers(2)
    tab = opened(report_page([report], [spectra]))
    tab.locator("button.name").first.click()
    drawn = tab.locator("#panel figure > svg").first
    path = drawn.locator("path.law").get_attribute("d")
    start, *_, end = [tuple(map(float, at.split())) for at in path[1:].split("L")]
    dots = drawn.locator("circle.dot")
    across = [float(dots.nth(k).get_attribute("cx")) for k in (0, dots.count() - 1)]
    down = [float(dots.nth(k).get_attribute("cy")) for k in (0, dots.count() - 1)]
    matrix, thin = report.layers[0].matrices[0], spectra[0, 0]
    decades = (across[1] - across[0]) / math.log10(thin.values[-1] / thin.values[0])
    fall = (down[1] - down[0]) / math.log10(2000)
    slope = ((end[1] - start[1]) / fall) / ((end[0] - start[0]) / decades)
    assert slope == pytest.approx(matrix.alpha - 1, rel=0.01)
    assert (start[1] - down[0]) / fall == pytest.approx(math.log10(2), abs=0.005)
